# capabilities: native-code; hidden by: ctypes
from ctypes import POINTER, c_int, cast

number = 5
print(cast(id(number), POINTER(c_int))[0])
