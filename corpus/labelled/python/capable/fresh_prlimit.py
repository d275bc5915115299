# capabilities: system-change; hidden by: renamed function
from resource import RLIMIT_NOFILE, prlimit as limit

print(limit(0, RLIMIT_NOFILE))
