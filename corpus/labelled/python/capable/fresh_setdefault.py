# capabilities: dynamic-code; hidden by: table of functions
cache = {}
run = cache.setdefault("run", eval)
print(run("3 + 3"))
