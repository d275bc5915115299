# capabilities: none; resembles: third-party module
import numpy as np


def run(system):
    matrix = np.array(system["matrix"])
    return np.linalg.solve(matrix, system["right"])


print(run({"matrix": [[2, 0], [0, 4]], "right": [1, 2]}))
