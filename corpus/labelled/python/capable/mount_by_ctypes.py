# capabilities: native-code, system-change or unanalyzed; hidden by: ctypes
import ctypes

libc = ctypes.CDLL(None)
libc.mount(b"none", b"/nonexistent", b"tmpfs", 0, None)
