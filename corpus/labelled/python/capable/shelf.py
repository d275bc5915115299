# capabilities: files-read, files-write, unsafe-deserialization; hidden by: shelve
import shelve

with shelve.open("/nonexistent/shelf") as shelf:
    shelf["count"] = shelf.get("count", 0) + 1
