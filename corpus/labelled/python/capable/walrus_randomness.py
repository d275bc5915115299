# capabilities: randomness; hidden by: walrus
import os as kit

if (go := kit.urandom) is not None:
    print(go(8))
