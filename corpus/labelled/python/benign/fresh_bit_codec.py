# capabilities: none; resembles: base64 in exec
import base64

words = [base64.b32encode(word.encode()).decode() for word in ("exec", "eval")]
print(words)
