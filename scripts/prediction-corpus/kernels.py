"""Programs of our own that take a size: one for each function, by what the name begins with.

They stand for what small programs spend memory and time on and the collections have little of.
The sizes of each are in sized.json.
"""


def text_json_round_trip(n):
    import json

    records = [{"id": i, "name": f"name {i}", "tags": ["a", "b"], "score": i / 7} for i in range(n)]
    return len(json.loads(json.dumps(records)))


def text_csv_sums(n):
    import csv
    import io

    file = io.StringIO()
    csv.writer(file).writerows([i, i % 13, f"row {i}"] for i in range(n))
    file.seek(0)
    return sum(int(row[1]) for row in csv.reader(file))


def text_words_counted(n):
    import collections
    import random

    source = random.Random(1)
    words = [f"w{source.randrange(5000)}" for _ in range(n)]
    return collections.Counter(words).most_common(3)


def text_expressions_found(n):
    import re

    line = "2024-01-{:02d} host{} GET /path/{} 200 {}\n"
    text = "".join(line.format(i % 28 + 1, i % 50, i, i * 7) for i in range(n))
    return len(re.findall(r"(\d{4}-\d\d-\d\d) (\w+) GET (\S+) 200 (\d+)", text))


def text_joined(n):
    return len(",".join(str(i) for i in range(n)))


def text_grown_by_one(n):
    text = ""
    for i in range(n):
        text += chr(97 + i % 26)
    return len(text)


def text_xml_tree(n):
    import xml.etree.ElementTree as tree

    root = tree.Element("root")
    for i in range(n):
        tree.SubElement(root, "item", number=str(i)).text = f"value {i}"
    return len(tree.fromstring(tree.tostring(root)))


def text_lines_from_input(n):
    import sys

    lines = [f"{i} {i * i}" for i in range(n)] + sys.stdin.read().splitlines()
    return sum(int(line.split()[1]) for line in lines)


def bytes_deflated(n):
    import zlib

    data = bytes(i * i % 251 for i in range(n))
    return len(zlib.decompress(zlib.compress(data, 6)))


def bytes_deflated_in_pieces(n):
    import zlib

    packer, total = zlib.compressobj(), 0
    for i in range(n):
        total += len(packer.compress(str(i).encode() * 100))
    return total + len(packer.flush())


def bytes_burrows_wheeler(n):
    import bz2

    return len(bz2.compress(bytes(i * 31 % 200 for i in range(n))))


def bytes_packed_tightly(n):
    import lzma

    return len(lzma.compress(bytes(i * i % 97 for i in range(n)), preset=3))


def bytes_hashed(n):
    import hashlib

    digest = b""
    for _ in range(n):
        digest = hashlib.sha256(digest + b"x" * 1000).digest()
    return digest.hex()


def bytes_pickled(n):
    import pickle

    return len(pickle.loads(pickle.dumps([(i, str(i), {i: i}) for i in range(n)])))


def bytes_bit_array(n):
    sieve = bytearray(b"\x01") * (n + 1)
    for i in range(2, int(n**0.5) + 1):
        if sieve[i]:
            sieve[i * i :: i] = bytes(len(range(i * i, n + 1, i)))
    return sum(sieve) - 2


def numbers_queens(n):
    def place(row, columns, up, down):
        if row == n:
            return 1
        return sum(
            place(row + 1, columns | 1 << c, up | 1 << row + c, down | 1 << row - c + n)
            for c in range(n)
            if not (columns >> c & 1 or up >> row + c & 1 or down >> row - c + n & 1)
        )

    return place(0, 0, 0, 0)


def numbers_ackermann(n):
    import sys

    sys.setrecursionlimit(100_000)

    def ackermann(m, k):
        if m == 0:
            return k + 1
        return ackermann(m - 1, 1 if k == 0 else ackermann(m, k - 1))

    return ackermann(2, n)


def numbers_collatz_remembered(n):
    lengths = {1: 1}
    for start in range(2, n):
        path, value = [], start
        while value not in lengths:
            path.append(value)
            value = value // 2 if value % 2 == 0 else 3 * value + 1
        for known, step in enumerate(reversed(path), lengths[value] + 1):
            lengths[step] = known
    return max(lengths.values())


def numbers_partitions(n):
    ways = [1] + [0] * n
    for part in range(1, n + 1):
        for total in range(part, n + 1):
            ways[total] += ways[total - part]
    return ways[n] % 1_000_007


def numbers_digits_of_e(n):
    from decimal import Decimal, getcontext

    getcontext().prec = n
    total, term, k = Decimal(2), Decimal(1), 1
    while term > Decimal(10) ** -n:
        k += 1
        term /= k
        total += term
    return hash(total)


def numbers_fractions_summed(n):
    from fractions import Fraction

    return sum(Fraction(1, k) for k in range(1, n)).denominator.bit_length()


def numbers_large_product(n):
    return (3**n * 7**n).bit_length()


def numbers_mandelbrot(n):
    inside = 0
    for row in range(n):
        for column in range(n):
            c = complex(3 * column / n - 2, 2 * row / n - 1)
            z = 0j
            for _ in range(50):
                z = z * z + c
                if abs(z) > 2:
                    break
            else:
                inside += 1
    return inside


def graphs_shortest_paths(n):
    import heapq
    import random

    source = random.Random(2)

    def links():
        return [(source.randrange(n), source.randrange(1, 50)) for _ in range(5)]

    edges = {i: links() for i in range(n)}
    distance, heap = {0: 0}, [(0, 0)]
    while heap:
        far, node = heapq.heappop(heap)
        if far > distance[node]:
            continue
        for other, length in edges[node]:
            if far + length < distance.get(other, 1 << 60):
                distance[other] = far + length
                heapq.heappush(heap, (far + length, other))
    return len(distance)


def graphs_all_pairs(n):
    import random

    source = random.Random(3)
    far = [[source.randrange(1, 100) for _ in range(n)] for _ in range(n)]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                far[i][j] = min(far[i][j], far[i][k] + far[k][j])
    return sum(map(sum, far))


def graphs_breadth_first(n):
    from collections import deque

    seen, waiting = {(0, 0)}, deque([(0, 0)])
    while waiting:
        x, y = waiting.popleft()
        for place in ((x + 1, y), (x, y + 1), (x - 1, y), (x, y - 1)):
            if 0 <= place[0] < n and 0 <= place[1] < n and place not in seen:
                seen.add(place)
                waiting.append(place)
    return len(seen)


def graphs_components(n):
    import random

    source = random.Random(4)
    parent = list(range(n))

    def find(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for _ in range(n):
        parent[find(source.randrange(n))] = find(source.randrange(n))
    return sum(find(i) == i for i in range(n))


def graphs_life(n):
    alive = {(i, i * i % n) for i in range(n)} | {(i, i * 7 % n) for i in range(n)}
    for _ in range(20):
        counts = {}
        for x, y in alive:
            for near in ((a, b) for a in (x - 1, x, x + 1) for b in (y - 1, y, y + 1)):
                counts[near] = counts.get(near, 0) + 1
        alive = {p for p, c in counts.items() if c == 3 or c == 4 and p in alive}
    return len(alive)


def objects_binary_trees(n):
    def tree(depth):
        return (tree(depth - 1), tree(depth - 1)) if depth else None

    def count(node):
        return 1 if node is None else 1 + count(node[0]) + count(node[1])

    return count(tree(n))


def objects_records(n):
    from dataclasses import dataclass

    @dataclass
    class Point:
        x: float
        y: float

    points = [Point(i, -i) for i in range(n)]
    return sum(point.x + point.y for point in points)


def objects_linked(n):
    class Node:
        def __init__(self, value, after):
            self.value, self.after = value, after

    head = None
    for i in range(n):
        head = Node(i, head)
    total = 0
    while head:
        total, head = total + head.value, head.after
    return total


def objects_database(n):
    import sqlite3

    base = sqlite3.connect(":memory:")
    base.execute("create table t (id integer primary key, name text, value real)")
    rows = ((i, f"name {i % 100}", i / 3) for i in range(n))
    base.executemany("insert into t values (?, ?, ?)", rows)
    return base.execute("select name, sum(value) from t group by name order by 2").fetchone()


def objects_cached(n):
    import functools

    @functools.cache
    def paths(x, y):
        return 1 if x == 0 or y == 0 else (paths(x - 1, y) + paths(x, y - 1)) % 1_000_007

    return [paths(i, i) for i in range(n)][-1]


def objects_files_written(n):
    import pathlib

    for i in range(n):
        pathlib.Path(f"file{i}").write_text("x" * 1000)
    return sum(path.stat().st_size for path in pathlib.Path(".").glob("file*"))


def arrays_multiplied(n):
    import numpy

    source = numpy.random.default_rng(0)
    return float((source.random((n, n)) @ source.random((n, n))).trace())


def arrays_solved(n):
    import numpy

    a = numpy.random.default_rng(0).random((n, n)) + n * numpy.eye(n)
    return float(numpy.linalg.solve(a, numpy.ones(n)).sum())


def arrays_transformed(n):
    import numpy

    return float(abs(numpy.fft.fft(numpy.random.default_rng(0).random(n))).max())


def arrays_sorted(n):
    import numpy

    return float(numpy.sort(numpy.random.default_rng(0).random(n))[n // 2])


def arrays_heat(n):
    import numpy

    grid = numpy.zeros((n, n))
    grid[0] = 100.0
    for _ in range(100):
        around = grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:]
        grid[1:-1, 1:-1] = around / 4
    return float(grid.mean())


def arrays_clustered(n):
    import numpy

    points = numpy.random.default_rng(0).random((n, 8))
    centres = points[:10]
    for _ in range(10):
        nearest = ((points[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        centres = numpy.array([points[nearest == k].mean(axis=0) for k in range(10)])
    return float(centres.sum())


def arrays_ranked(n):
    import numpy

    links = (numpy.random.default_rng(0).random((n, n)) < 0.05).astype(float)
    links /= links.sum(axis=0) + 1e-9
    rank = numpy.full(n, 1 / n)
    for _ in range(50):
        rank = 0.85 * links @ rank + 0.15 / n
    return int(rank.argmax())


def arrays_sampled(n):
    import numpy

    x, y = numpy.random.default_rng(0).random((2, n))
    return 4 * float((x * x + y * y < 1).mean())


def arrays_decomposed(n):
    import numpy

    return float(numpy.linalg.svd(numpy.random.default_rng(0).random((n, n)))[1][0])


def arrays_histogram(n):
    import numpy

    return int(numpy.histogram(numpy.random.default_rng(0).normal(size=n), 100)[0].max())
