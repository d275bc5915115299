# capabilities: system-change; hidden by: getattr with a percent format
import os as kit

name = '%s%s' % ('chr', 'oot')
print(getattr(kit, name)('/nonexistent'))
