import pickle, copy


class A:
    def __init__(self):
        self.v = [1]


a = pickle.loads(pickle.dumps(A()))
print(a.v, copy.deepcopy(a).v is a.v, type(a).__module__)
