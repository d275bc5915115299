# capabilities: system-change; hidden by: getattr with str.format
import os as kit

name = '{}{}'.format('setpr', 'iority')
print(getattr(kit, name)(0, 0, 5))
