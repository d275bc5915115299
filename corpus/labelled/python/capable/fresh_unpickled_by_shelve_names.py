# capabilities: unsafe-deserialization; hidden by: aliased import
import _pickle as fast

print(fast.loads(b"N."))
