import bisect
import cmath
import collections
import copy
import decimal
import fractions
import functools
import hashlib
import heapq
import hmac
import itertools
import math
import random
import secrets
import statistics
import struct
import zlib

random.seed(7)
sample = [random.gauss(0, 1) for _ in range(2000)]
print(f"{statistics.fmean(sample):.9f} {math.fsum(sample):.9f} {cmath.sqrt(-1)}")
print(decimal.Decimal(1) / 7, fractions.Fraction(1, 3) + 1, sum(itertools.islice(itertools.count(), 99)))
print(collections.Counter("abracadabra").most_common(2), heapq.nsmallest(3, [5, 1, 4, 2]))
print(hashlib.sha256(b"x" * 100_000).hexdigest(), hmac.digest(b"k", b"m", "sha512").hex())
print(hashlib.pbkdf2_hmac("sha256", b"p", b"s", 1000).hex(), hashlib.md5(b"").hexdigest())
print(struct.pack("<IdB", 1, 2.5, 3).hex(), zlib.crc32(b"abc"), len(zlib.compress(b"a" * 9999)))
print(bisect.bisect([1, 2, 3], 2), functools.reduce(lambda a, b: a * b, range(1, 40)))
print(len(secrets.token_bytes(20)), copy.deepcopy({"a": [1]}))
grown = [bytes(1 << 20) for _ in range(40)]
grown = bytearray(b"".join(grown))
grown.extend(bytes(30 << 20))
print(len(grown), pow(3, 10_000, 1_000_007), 3**5000 % 1_000_003)
