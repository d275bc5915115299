# capabilities: native-code; hidden by: aliased import
import ctypes as toolbox

for attempt in range(3):
    print(attempt, toolbox.CDLL('libnonexistent.so'))
