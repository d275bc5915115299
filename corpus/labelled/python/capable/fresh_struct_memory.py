# capabilities: native-code; hidden by: ctypes
from ctypes import c_char, memmove

buffer = (c_char * 4)()
memmove(buffer, b"abc", 3)
