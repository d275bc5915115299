# capabilities: unsafe-deserialization; hidden by: getattr with a joined name
import pickle as base

name = 'lo' + 'ad'
if name:
    print(getattr(base, name)(None))
