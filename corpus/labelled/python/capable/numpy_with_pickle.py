# capabilities: files-read, unsafe-deserialization; hidden by: nothing
import numpy as np

table = np.load("/nonexistent/table.npy", allow_pickle=True)
print(table.sum())
