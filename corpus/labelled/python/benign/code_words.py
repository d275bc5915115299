# capabilities: none; resembles: code
code = {"a": ".-", "b": "-..."}
message = "abba"
print(" ".join(code[letter] for letter in message))
