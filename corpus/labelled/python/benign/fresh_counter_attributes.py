# capabilities: none; resembles: setattr
class Stats:
    hits = 0


for name in ("hits", "misses"):
    setattr(Stats, name, 3)
print(Stats.hits)
