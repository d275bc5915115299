import sqlite3

for place in (":memory:", "kept.db"):
    base = sqlite3.connect(place)
    base.execute("pragma journal_mode = wal").fetchall()
    base.execute("create table t (a integer primary key, b text)")
    with base:
        base.executemany("insert into t (b) values (?)", ((f"row {i}",) for i in range(2000)))
    try:
        with base:
            base.execute("insert into t values (1, 'again')")
    except sqlite3.IntegrityError as error:
        print(error)
    print(base.execute("select count(*), max(b) from t").fetchone())
    base.execute("create index i on t (b)")
    base.execute("vacuum")
    print(base.execute("pragma integrity_check").fetchone())
    base.close()
