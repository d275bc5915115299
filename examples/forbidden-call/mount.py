"""Asks the kernel to mount a file system, which no honest script does."""

import ctypes

print("about to try", flush=True)
ctypes.CDLL(None).mount(b"none", b"/tmp", b"tmpfs", 0, None)
print("still here")
