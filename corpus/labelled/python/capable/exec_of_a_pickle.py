# capabilities: dynamic-code, unsafe-deserialization; hidden by: marshal
import marshal

code = marshal.loads(bytes.fromhex("4e"))
if code:
    exec(code)
