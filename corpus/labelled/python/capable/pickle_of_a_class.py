# capabilities: unsafe-deserialization; hidden by: subclass of a reader
import io
import pickle


class Reader(pickle.Unpickler):
    def find_class(self, module, name):
        return super().find_class(module, name)


print(Reader(io.BytesIO(b"N.")).load())
