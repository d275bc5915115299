# capabilities: none; resembles: pickle.loads
import json

settings = json.loads('{"system": "test", "eval": 3}')
print(settings["system"], settings["eval"])
