"""F-10: fills the disk with one file after another."""
from attempts import attempt, report


def fill():
    block = bytes(1 << 20)
    for number in range(64):
        with open(f"file{number}", "wb", buffering=0) as file:
            for _ in range(16):
                if file.write(block) < len(block):
                    file.write(block)


attempt("one small file", lambda: open("small", "w").write("x"))
attempt("a gibibyte", fill)
report()
