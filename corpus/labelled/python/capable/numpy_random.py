# capabilities: randomness; hidden by: third-party module
import numpy as np

generator = np.random.default_rng()
print(generator.integers(10))
