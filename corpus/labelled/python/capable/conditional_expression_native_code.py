# capabilities: native-code; hidden by: conditional expression
import ctypes as kit

quiet = len(str(kit)) > 10_000
work = print if quiet else kit.CDLL
print(work('libnonexistent.so'))
