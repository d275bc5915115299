# capabilities: none; resembles: look-alike letters
ｎａｍｅ = "ｓｙｓｔｅｍ"
print(ｎａｍｅ, len(name))
