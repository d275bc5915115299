import calendar
import datetime
import errno
import os
import select
import signal
import sys
import time

before = time.monotonic()
time.sleep(0.01)
assert time.monotonic() > before and time.perf_counter() > 0 and time.process_time() > 0
print(time.gmtime(0)[:6], time.localtime(0)[:6], time.tzname, calendar.month(2024, 2))
print(datetime.datetime(2024, 2, 29) + datetime.timedelta(days=366), time.get_clock_info("process_time").resolution)
print(datetime.timezone(datetime.timedelta(hours=2)).utcoffset(None))
came = []
signal.signal(signal.SIGALRM, lambda number, frame: came.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.01)
time.sleep(0.03)
signal.alarm(30)
print(came, signal.alarm(0) > 0, signal.getitimer(signal.ITIMER_REAL))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print(signal.sigpending(), signal.sigtimedwait([signal.SIGUSR1], 0.01), signal.strsignal(9))
inner, outer = os.pipe()
print(select.select([inner], [outer], [], 0)[1] == [outer], select.select([inner], [], [], 0.01))
poll = select.poll()
poll.register(inner, select.POLLIN)
print(poll.poll(5))
with select.epoll() as epoll:
    epoll.register(inner, select.EPOLLIN)
    print(epoll.poll(0.005))
os.write(outer, b"x")
os.set_blocking(inner, False)
print(os.read(inner, 5))
try:
    os.read(inner, 5)
except BlockingIOError as error:
    print(errno.errorcode[error.errno])
print(sys.stdin.read(), sys.flags.optimize, sys.stdout.isatty())
