# capabilities: native-code; hidden by: decorator
from numba import njit


@njit
def total(values):
    answer = 0.0
    for value in values:
        answer += value
    return answer
