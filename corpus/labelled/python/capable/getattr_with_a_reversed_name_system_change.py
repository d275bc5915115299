# capabilities: system-change; hidden by: getattr with a reversed name
import os as kit

label = 'diutes'
print(getattr(kit, label[::-1])(65534))
