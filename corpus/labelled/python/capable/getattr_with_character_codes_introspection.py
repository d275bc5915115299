# capabilities: introspection; hidden by: getattr with character codes
import sys as kit

codes = [95, 103, 101, 116, 102, 114, 97, 109, 101]
name = ''.join(chr(code) for code in codes)
print(getattr(kit, name)())
