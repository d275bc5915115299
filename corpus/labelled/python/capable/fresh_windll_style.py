# capabilities: native-code; hidden by: getattr
import ctypes as c

load = getattr(c, "C" + "DLL")
print(load(None))
