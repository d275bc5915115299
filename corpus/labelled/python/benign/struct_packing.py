# capabilities: none; resembles: marshal
import struct

packed = struct.pack("<IH", 7, 3)
print(struct.unpack("<IH", packed))
