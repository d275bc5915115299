# capabilities: system-change; hidden by: getattr with hexadecimal
import os as kit

name = bytes.fromhex('6e696365').decode()
print(getattr(kit, name)(0))
