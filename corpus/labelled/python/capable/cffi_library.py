# capabilities: native-code; hidden by: cffi
from cffi import FFI

ffi = FFI()
ffi.cdef("int abs(int);")
library = ffi.dlopen(None)
print(library.abs(-3))
