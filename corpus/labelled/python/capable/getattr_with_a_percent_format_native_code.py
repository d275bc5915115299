# capabilities: native-code; hidden by: getattr with a percent format
import ctypes as kit

name = '%s%s' % ('Py', 'DLL')
print(getattr(kit, name)('libnonexistent.so'))
