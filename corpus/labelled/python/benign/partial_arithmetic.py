# capabilities: none; resembles: functools.partial
from functools import partial, reduce

double = partial(lambda factor, value: factor * value, 2)
print(reduce(lambda total, value: total + double(value), [1, 2, 3]))
