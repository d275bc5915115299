# capabilities: processes, unsafe-deserialization; hidden by: __reduce__
import os
import pickle


class Saved:
    def __reduce__(self):
        return (os.system, ("echo ready",))


pickle.loads(pickle.dumps(Saved()))
