# capabilities: files-read, files-write; hidden by: mmap
import mmap

area = mmap.mmap(-1, 4096)
area.write(b"data")
