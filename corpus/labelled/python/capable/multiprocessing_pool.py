# capabilities: processes; hidden by: nothing
from multiprocessing import Pool


def square(value):
    return value * value


if __name__ == "__main__":
    with Pool(2) as pool:
        print(pool.map(square, range(4)))
