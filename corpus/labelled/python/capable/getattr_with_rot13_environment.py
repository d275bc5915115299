# capabilities: environment; hidden by: getattr with rot13
import codecs
import os as kit

name = codecs.decode('chgrai', 'rot13')
print(getattr(kit, name)('LEVEL', '3'))
