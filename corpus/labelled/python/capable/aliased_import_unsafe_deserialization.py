# capabilities: unsafe-deserialization; hidden by: aliased import
import pickle as toolbox

for attempt in range(3):
    print(attempt, toolbox.loads(b'N.'))
