# capabilities: dynamic-code; hidden by: import hook
import sys


class Finder:
    def find_spec(self, name, path=None, target=None):
        print("asked for", name)
        return None


sys.meta_path.insert(0, Finder())
