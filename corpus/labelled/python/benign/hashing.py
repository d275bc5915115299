# capabilities: none; resembles: randomness
import hashlib
import hmac

print(hashlib.sha256(b"x").hexdigest()[:8])
print(hmac.new(b"key", b"text", "sha256").hexdigest()[:8])
