"""R-02: fills memory through /dev/shm, and asks for System V shared memory."""
from attempts import attempt, begin, call, report


def fill():
    block = bytes(1 << 20)
    for number in range(32):
        with open(f"/dev/shm/bomb{number}", "wb", buffering=0) as file:
            for _ in range(128):
                if file.write(block) < len(block):
                    file.write(block)


attempt("shmget", lambda: call(29, 0, 1 << 30, 0o1600))
report()
begin("four gibibytes in /dev/shm")
attempt("four gibibytes in /dev/shm", fill)
report()
