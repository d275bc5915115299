# capabilities: none; resembles: nothing
def product(left, right):
    return [[sum(a * b for a, b in zip(row, column)) for column in zip(*right)] for row in left]


print(product([[1, 2], [3, 4]], [[5, 6], [7, 8]]))
