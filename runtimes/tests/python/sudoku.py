def solve(b):
    for i in range(81):
        if b[i] == '.':
            r, c = divmod(i, 9)
            used = {b[j] for j in range(81) if j // 9 == r or j % 9 == c or (j // 27 == r // 3 and j % 9 // 3 == c // 3)}
            for d in '123456789':
                if d not in used:
                    s = solve(b[:i] + d + b[i + 1:])
                    if s:
                        return s
            return None
    return b


print(solve('53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79'))
