"""F-04: opens files by handle, as Shocker did, from a handle of its own and from a guessed one."""
import ctypes
import os
import struct
from attempts import apart, attempt, call, report

NAME_TO_HANDLE_AT, OPEN_BY_HANDLE_AT, AT_FDCWD = 303, 304, -100
# The handle of the root directory of an ext4 file system: inode 2, any generation.
root_inode = struct.pack("<IiII", 8, 1, 2, 0)
mount = ctypes.c_int(0)
buffer = ctypes.create_string_buffer(struct.pack("<Ii", 128, 0), 136)

attempt("ask for a handle", lambda: call(
    NAME_TO_HANDLE_AT, AT_FDCWD, b"/usr", buffer, ctypes.byref(mount), 0))
directory = os.open("/usr", os.O_RDONLY)
apart("open the root inode", lambda: call(OPEN_BY_HANDLE_AT, directory, root_inode, os.O_RDONLY))
attempt("open by name", lambda: os.open("/usr", os.O_RDONLY))
report()
