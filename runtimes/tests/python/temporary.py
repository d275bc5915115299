import tempfile, os
with tempfile.TemporaryDirectory(dir='.') as d:
    with tempfile.NamedTemporaryFile('w+', dir=d) as f:
        f.write('x')
        f.flush()
        print(os.path.getsize(f.name))
print(os.path.exists(d))
