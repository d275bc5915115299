# capabilities: none; resembles: third-party module
import numpy as np

values = np.arange(12).reshape(3, 4)
print(values.sum(axis=0), np.linalg.norm(values))
