import sqlite3
c = sqlite3.connect(':memory:')
c.execute('create table t (a, b)')
c.executemany('insert into t values (?, ?)', [(1, 'x'), (2, 'y')])
print(c.execute('select sum(a), group_concat(b) from t').fetchall())
