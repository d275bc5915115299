import csv, io
rows = list(csv.DictReader(io.StringIO('a,b\n1,2\n3,4\n')))
print(rows, sum(int(r['b']) for r in rows))
out = io.StringIO()
w = csv.writer(out)
w.writerow(['x, y', 'q"'])
print(out.getvalue())
