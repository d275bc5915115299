# capabilities: files-read, files-write; hidden by: nothing
import sqlite3

with sqlite3.connect("/nonexistent/data.db") as connection:
    connection.execute("create table notes (text)")
