# capabilities: processes; hidden by: getattr with character codes
import subprocess as kit

codes = [114, 117, 110]
name = ''.join(chr(code) for code in codes)
print(getattr(kit, name)(['echo', 'ready']))
