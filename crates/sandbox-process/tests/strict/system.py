import getpass
import locale
import os
import pwd
import resource
import sys
import sysconfig
import uuid

print(os.getuid(), os.geteuid(), os.getgid(), os.getegid(), os.getpid())
print(os.uname().nodename, os.cpu_count() > 0, len(os.sched_getaffinity(0)) > 0)
print(pwd.getpwuid(os.getuid()).pw_name, getpass.getuser(), os.path.expanduser("~"))
print(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0)
print(locale.getpreferredencoding(), sys.getfilesystemencoding(), sysconfig.get_platform())
print(uuid.uuid5(uuid.NAMESPACE_DNS, "a"), uuid.uuid4().version, len(os.urandom(9)))
print(os.environ["HOME"], os.sysconf("SC_PAGE_SIZE"))
os.sched_yield()
