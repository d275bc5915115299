# capabilities: introspection; hidden by: getattr with rot13
import codecs
import gc as kit

name = codecs.decode('trg_bowrpgf', 'rot13')
print(getattr(kit, name)())
