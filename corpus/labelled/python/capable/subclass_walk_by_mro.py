# capabilities: introspection, files-read or unanalyzed; hidden by: subclass walk
kinds = "".__class__.__mro__[-1].__subclasses__()
readers = [kind for kind in kinds if kind.__name__ == "FileLoader"]
for reader in readers:
    print(reader("x", "/nonexistent/data").get_data("/nonexistent/data"))
