"""Looks around as an intruder would, and reports what it could get hold of.

Every line says `got` or `nothing`. The last line counts what was got; exit code 1 when it is more
than zero.
"""

import ctypes
import os
import socket
import sys

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 22

got = []


def report(what, attempt):
    """Runs one attempt. An attempt returns what it got, or raises, or returns nothing."""
    try:
        loot = attempt()
    except Exception as error:
        print(f"nothing  {what}: {type(error).__name__}: {error}")
        return
    if loot:
        got.append(what)
        print(f"GOT      {what}: {str(loot)[:120]!r}")
    else:
        print(f"nothing  {what}: empty")


def read(path):
    with open(path, "rb") as file:
        return file.read(4096)


def list_directory(path):
    return os.listdir(path)


def writable(path):
    """Whether a file can be created in a directory."""
    name = os.path.join(path, ".probe")
    with open(name, "wb") as file:
        file.write(b"probe")
    os.unlink(name)
    return name


def connect(family, kind, address):
    with socket.socket(family, kind) as sock:
        sock.settimeout(0.5)
        sock.connect(address)
        return f"connected to {address}"


def send_datagram(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)
        return sock.sendto(b"probe", address)


def interfaces_beyond_loopback():
    """Names of network interfaces other than the one every network namespace has."""
    return [name for _, name in socket.if_nameindex() if name != "lo"]


def listen():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        return f"listening on {sock.getsockname()}"


def host_secrets_in_environment():
    names = [name for name in os.environ if name not in {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE",
             "TMPDIR", "PWD", "USER", "LOGNAME", "SHELL", "TERM", "TZ", "SHLVL", "_"}
             and not name.startswith("PYTHON")]
    return names


def other_processes():
    """Processes that are neither this one nor its own ancestors inside the sandbox."""
    own = {os.getpid(), os.getppid(), 1}
    return [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in own]


def signal_parent_of_all():
    """Signal 0 to every process that may be signalled, apart from this one."""
    seen = []
    for process in range(2, 4096):
        if process in (os.getpid(), os.getppid()):
            continue
        try:
            os.kill(process, 0)
            seen.append(process)
        except OSError:
            continue
    return seen


def system_call(number, *arguments):
    """Makes a system call in a child of its own: some of them end whoever tries."""
    libc = ctypes.CDLL(None, use_errno=True)
    child = os.fork()
    if child == 0:
        result = libc.syscall(number, *arguments)
        os._exit(0 if result >= 0 else ctypes.get_errno())
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        raise PermissionError(f"ended by signal {os.WTERMSIG(status)}")
    error = os.WEXITSTATUS(status)
    if error:
        raise OSError(error, os.strerror(error))
    return f"system call {number} succeeded"


for path in ("/etc/shadow", "/root/.bashrc", "/root/.ssh/id_rsa", "/proc/1/environ", "/proc/kcore",
             "/proc/1/root/etc/shadow", "/dev/sda", "/dev/vda", "/dev/mem", "/dev/kmsg",
             "/sys/kernel/notes", "../../../../../../etc/shadow", "/proc/self/cwd/../../etc/shadow"):
    report(f"read {path}", lambda path=path: read(path))
for path in ("/root", "/home", "/var/lib", "/boot", "/sys/fs/cgroup", "/mnt", "/srv"):
    report(f"list {path}", lambda path=path: list_directory(path))
for path in ("/", "/usr", "/usr/bin", "/etc", "/proc", "/sys", "/dev", "/lib"):
    report(f"write to {path}", lambda path=path: writable(path))
for path in ("/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/dbus/system_bus_socket"):
    report(f"socket {path}", lambda path=path: connect(socket.AF_UNIX, socket.SOCK_STREAM, path))
report("environment of the host", host_secrets_in_environment)
report("processes of the host", other_processes)
report("signal to other processes", signal_parent_of_all)
# Only this machine's own loopback is ever named here, so that the probe stays harmless where no
# sandbox stops it. A listener's port may be given as the argument.
report("network interfaces", interfaces_beyond_loopback)
report("loopback", lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", PORT)))
report("loopback, version 6", lambda: connect(socket.AF_INET6, socket.SOCK_STREAM, ("::1", PORT)))
report("datagram to loopback", lambda: send_datagram(("127.0.0.1", PORT)))
report("listening socket", listen)
report("raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).fileno())
report("netlink socket", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).fileno())
report("become root", lambda: os.setuid(0) or "user id 0" if os.getuid() != 0 else "already user id 0")
report("new user namespace", lambda: system_call(272, 0x10000000))
report("mount", lambda: system_call(165, b"none", b"/tmp", b"tmpfs", 0, 0))
report("trace the first process", lambda: system_call(101, 16, 1, 0, 0))
report("load a kernel program", lambda: system_call(321, 0, 0, 0))
report("io_uring", lambda: system_call(425, 8, ctypes.create_string_buffer(256)))
report("kernel keyring", lambda: system_call(250, 0, -3, 1))

print(f"got {len(got)} of the things tried")
sys.exit(1 if got else 0)
