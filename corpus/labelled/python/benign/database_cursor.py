# capabilities: files-read, files-write; resembles: execute
import sqlite3

connection = sqlite3.connect(":memory:")
cursor = connection.cursor()
cursor.execute("create table words (word text)")
cursor.executemany("insert into words values (?)", [("exec",), ("eval",)])
print(cursor.execute("select count(*) from words").fetchone())
