# capabilities: none; resembles: look-alike letters
import unicodedata

print(unicodedata.normalize("NFKC", "ｅｖａｌ"))
