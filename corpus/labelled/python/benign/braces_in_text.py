# capabilities: none; resembles: format-string attribute access
text = "the text {0.__class__} is only shown"
print(text)
print(len(text))
