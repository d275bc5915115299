# capabilities: environment; hidden by: getattr with str.format
import os as kit

name = '{}{}'.format('unse', 'tenv')
print(getattr(kit, name)('LEVEL'))
