# capabilities: time; hidden by: walrus
import time as kit

if (go := kit.sleep) is not None:
    print(go(0))
