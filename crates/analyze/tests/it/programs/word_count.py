#!/usr/bin/env python3
"""Count words on standard input."""
import sys
from collections import Counter

words = Counter()
for line in sys.stdin:
    for word in line.lower().split():
        words[word.strip(".,;:!?")] += 1
for word, count in words.most_common(20):
    print(f"{count:8} {word}")
