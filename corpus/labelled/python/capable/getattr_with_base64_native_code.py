# capabilities: native-code; hidden by: getattr with base64
import base64
import ctypes as kit

name = base64.b64decode('c3RyaW5nX2F0').decode()
print(getattr(kit, name)(0, 0))
