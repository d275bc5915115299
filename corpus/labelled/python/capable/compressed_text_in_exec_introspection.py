# capabilities: dynamic-code, introspection; hidden by: compressed text in exec
import base64
import zlib

STORED = b'eNrLzC3ILypRSE/mSk/WS08tic9PykpNLinW0OQCAIuZCWw='
exec(zlib.decompress(base64.b64decode(STORED)).decode())
