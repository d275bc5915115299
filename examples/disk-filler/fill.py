"""Fills the disk, then complains about it."""

import sys

block = b"\xa5" * (1024 * 1024)
written = 0
try:
    with open("filler", "wb", buffering=0) as file:
        while True:
            written += file.write(block)
except OSError as error:
    sys.exit(f"no more after {written // len(block)} MiB: {error.strerror}")
