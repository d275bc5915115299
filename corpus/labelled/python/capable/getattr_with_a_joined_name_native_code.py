# capabilities: native-code; hidden by: getattr with a joined name
import ctypes as base

name = 'stri' + 'ng_at'
if name:
    print(getattr(base, name)(0, 0))
