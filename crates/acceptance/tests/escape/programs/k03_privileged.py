"""K-03: loads code into the kernel, watches it, and switches it off."""
from attempts import apart, attempt, call, report

# Arguments that are wrong on purpose: even where nothing stopped them, these would do nothing.
CALLS = {"bpf": 321, "kexec_load": 246, "kexec_file_load": 320, "init_module": 175,
         "finit_module": 313, "delete_module": 176, "swapon": 167, "swapoff": 168, "reboot": 169,
         "perf_event_open": 298, "userfaultfd": 323, "lookup_dcookie": 212, "quotactl": 179,
         "acct": 163, "syslog": 103, "vhangup": 153, "nfsservctl": 180, "uselib": 134, "ustat": 136,
         "sysfs": 139}
for name, number in CALLS.items():
    apart(name, lambda: call(number, -1, 0, 0, 0, 0, 0))
attempt("getpid", lambda: call(39))
report()
