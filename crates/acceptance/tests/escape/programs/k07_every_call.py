"""K-07: makes every system call from 0 to 600 with arguments of zero, each in a child."""
import signal
from attempts import apart, attempt, call, report

# These wait for ever or end the child, which proves nothing: select, rt_sigreturn, pause, the three
# that make another child, exit, exit_group, pselect6, ppoll.
LEFT_OUT = {15, 23, 34, 56, 57, 58, 60, 231, 270, 271}


def zeros(number):
    signal.alarm(1)
    call(number, 0, 0, 0, 0, 0, 0)


for number in range(601):
    if number not in LEFT_OUT:
        apart(str(number), lambda: zeros(number))
attempt("after all of them", lambda: None)
report()
