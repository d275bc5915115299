# capabilities: native-code; hidden by: ctypes
import ctypes

level = ctypes.pythonapi.PyGILState_Check
print(level())
