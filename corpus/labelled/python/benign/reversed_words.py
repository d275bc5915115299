# capabilities: none; resembles: reversed name
words = ["metsys", "lave"]
print([word[::-1] for word in words])
