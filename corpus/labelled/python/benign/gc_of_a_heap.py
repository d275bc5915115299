# capabilities: none; resembles: gc
def collect(roots, edges):
    alive, waiting = set(), list(roots)
    while waiting:
        item = waiting.pop()
        if item not in alive:
            alive.add(item)
            waiting.extend(edges.get(item, ()))
    return alive


gc = collect(["a"], {"a": ["b"], "c": ["d"]})
print(sorted(gc))
