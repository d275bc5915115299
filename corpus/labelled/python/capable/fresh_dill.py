# capabilities: unsafe-deserialization; hidden by: third-party module
import dill as store

print(store.loads(b"N."))
