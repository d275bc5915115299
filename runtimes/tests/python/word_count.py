import collections, sys
counts = collections.Counter(sys.stdin.read().lower().split())
for word, count in sorted(counts.items(), key=lambda i: (-i[1], i[0]))[:5]:
    print(f'{count:4} {word}')
