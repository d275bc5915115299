# capabilities: native-code; hidden by: ctypes
from ctypes import cdll
from ctypes.util import find_library

libc = cdll.LoadLibrary(find_library("c"))
print(libc.getpid())
