# capabilities: time; hidden by: tried import
try:
    import fastest_time as kit
except ImportError:
    import time as kit

print(kit.time())
