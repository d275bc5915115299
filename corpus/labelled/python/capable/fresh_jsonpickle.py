# capabilities: unsafe-deserialization; hidden by: renamed function
from jsonpickle import decode as read

print(read('{"a": 1}'))
