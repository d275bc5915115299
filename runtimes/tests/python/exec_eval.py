ns = {}
exec('def g(x): return x + 1', ns)
print(ns['g'](1), eval('2 ** 5'))
try:
    exec('1 +')
except SyntaxError as e:
    print(e.msg)
