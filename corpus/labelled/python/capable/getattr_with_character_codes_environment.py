# capabilities: environment; hidden by: getattr with character codes
import os as kit

codes = [103, 101, 116, 101, 110, 118]
name = ''.join(chr(code) for code in codes)
print(getattr(kit, name)('HOME'))
