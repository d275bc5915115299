"""Solve a sudoku by trying."""
GRID = [[0] * 9 for _ in range(9)]


def fits(grid, row, column, digit):
    for i in range(9):
        if grid[row][i] == digit or grid[i][column] == digit:
            return False
    top, left = row // 3 * 3, column // 3 * 3
    for i in range(top, top + 3):
        for j in range(left, left + 3):
            if grid[i][j] == digit:
                return False
    return True


def solve(grid):
    for row in range(9):
        for column in range(9):
            if grid[row][column] == 0:
                for digit in range(1, 10):
                    if fits(grid, row, column, digit):
                        grid[row][column] = digit
                        if solve(grid):
                            return True
                        grid[row][column] = 0
                return False
    return True


if __name__ == "__main__":
    print(solve(GRID), GRID)
