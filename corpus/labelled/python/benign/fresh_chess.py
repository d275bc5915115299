# capabilities: none; resembles: fork
def fork(knight, targets):
    x, y = knight
    moves = {(x + 1, y + 2), (x + 2, y + 1)}
    return moves & set(targets)


print(fork((0, 0), [(1, 2), (5, 5)]))
