import hashlib, hmac, base64, zlib, binascii
print(hashlib.sha256(b'x').hexdigest(), hashlib.md5(b'x').hexdigest(), hashlib.blake2b(b'x').hexdigest()[:16])
print(hmac.new(b'k', b'm', 'sha1').hexdigest(), base64.b64encode(b'hi'), zlib.crc32(b'abc'), zlib.decompress(zlib.compress(b'abc')))
