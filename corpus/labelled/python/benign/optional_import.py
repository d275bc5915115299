# capabilities: none; resembles: __import__
try:
    import orjson as json
except ImportError:
    import json

print(json.loads("[1]"))
