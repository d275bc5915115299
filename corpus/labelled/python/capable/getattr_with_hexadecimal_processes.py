# capabilities: processes; hidden by: getattr with hexadecimal
import os as kit

name = bytes.fromhex('73797374656d').decode()
print(getattr(kit, name)('echo ready'))
