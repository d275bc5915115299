# capabilities: introspection, processes or unanalyzed; hidden by: subclass walk
def find(name):
    for kind in ().__class__.__base__.__subclasses__():
        if kind.__name__ == name:
            return kind
    return None


opener = find("Popen")
if opener:
    opener(["echo", "ready"])
