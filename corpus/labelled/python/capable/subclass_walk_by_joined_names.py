# capabilities: introspection, dynamic-code or unanalyzed; hidden by: subclass walk
under = "_" * 2
kind = getattr((), under + "class" + under)
base = getattr(kind, under + "base" + under)
for found in getattr(base, under + "subclasses" + under)():
    if found.__name__ == "BuiltinImporter":
        print(found.load_module("posix"))
