# capabilities: none; resembles: base64 in exec
import base64
import zlib

packed = base64.b64encode(zlib.compress(b"import os; os.system('x')"))
print(len(packed), zlib.decompress(base64.b64decode(packed))[:6])
