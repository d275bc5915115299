# capabilities: none; resembles: pickle.loads
import pickle

values = {"a": 1}
print(len(pickle.dumps(values)))
