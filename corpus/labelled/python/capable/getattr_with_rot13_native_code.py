# capabilities: native-code; hidden by: getattr with rot13
import codecs
import ctypes as kit

name = codecs.decode('PQYY', 'rot13')
print(getattr(kit, name)('libnonexistent.so'))
