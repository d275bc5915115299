# capabilities: unsafe-deserialization; hidden by: getattr with base64
import base64
import pickle as kit

name = base64.b64decode('bG9hZA==').decode()
print(getattr(kit, name)(None))
