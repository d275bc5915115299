"""Closes the holes that building left in the heap.

What is imported and forgotten again while the component is built leaves a few free bytes on
thousands of pages, and the allocator hands those out first: a run that makes a thousand small
objects would have a thousand pages copied. So the holes are filled, for good, with bytes that are
nobody's, and the next objects lie side by side at the end of the memory. The filling costs nothing
at run time: it is never touched.

All of Python's memory here comes from the C library, which splits larger holes to fill smaller ones.
So the largest are filled first.
"""

import itertools
import sys

LARGE = tuple(1 << power for power in range(16, 9, -1))
SMALL = tuple(range(1008, 0, -16))

# Far more than there are holes of one size; only another allocator would need it.
BATCHES_MAX = 50_000
BATCH_LARGE, BATCH_SMALL = 8, 64
EMPTY_BYTES = sys.getsizeof(b"")


def fill():
    """Fills the holes, and returns the filling, which has to be kept."""
    return [fill_with(size) for size in LARGE + SMALL]


def fill_with(size):
    """Makes objects of one size until most of a batch lie above all that came before."""
    kept = []
    top = 0
    count = BATCH_SMALL if size < LARGE[-1] else BATCH_LARGE
    for _ in range(BATCHES_MAX):
        batch = make(size, count)
        kept += batch
        places = list(map(id, batch))
        # Not all, because the lists here make and fill holes of their own meanwhile.
        if top and sum(place > top for place in places) >= count * 3 // 4:
            return kept
        top = max(top, *places)
    raise MemoryError(f"objects of {size} bytes are not laid at the end of the memory")


def make(size, count):
    if size < EMPTY_BYTES:
        # A small integer is the one object that is smaller than empty bytes.
        return list(range(1000, 1000 + count))
    return [bytes(size - EMPTY_BYTES) for _ in itertools.repeat(None, count)]
