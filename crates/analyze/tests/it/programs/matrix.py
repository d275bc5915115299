import time

import numpy as np

SIZE = 4_000
start = time.perf_counter()
a = np.zeros((SIZE, SIZE))
b = np.random.rand(SIZE, SIZE)
for _ in range(100):
    a += a @ b
np.save("result.npy", a)
print(a.sum(), time.perf_counter() - start)
