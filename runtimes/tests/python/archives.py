import zipfile, tarfile, gzip, io
b = io.BytesIO()
with zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr('a.txt', 'hello' * 100)
print(zipfile.ZipFile(b).read('a.txt')[:5], gzip.decompress(gzip.compress(b'g')))
t = io.BytesIO()
with tarfile.open(fileobj=t, mode='w') as f:
    info = tarfile.TarInfo('x')
    info.size = 3
    f.addfile(info, io.BytesIO(b'abc'))
t.seek(0)
print(tarfile.open(fileobj=t).getnames())
