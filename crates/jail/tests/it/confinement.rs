//! What a program finds when it looks for a way out.

use atoll_jail::{Bind, ProgramEnd};
use atoll_types::Layer;

use crate::support::{LIMITS, accepted, python, run, run_in, shell, spec};

#[test]
fn every_layer_is_seen_from_inside() {
    let script = r"
import os
status = dict(line.split(':\t', 1) for line in open('/proc/self/status').read().splitlines()
              if ':\t' in line)
print('uid', os.getuid(), os.getgid(), os.getgroups())
for field in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
    print(field, int(status[field], 16))
print('NoNewPrivs', status['NoNewPrivs'].strip(), 'Seccomp', status['Seccomp'].strip())
print('pids', sorted(int(name) for name in os.listdir('/proc') if name.isdigit()))
print('root', sorted(os.listdir('/')))
print('host', os.uname().nodename)
print('descriptors', sorted(os.listdir('/proc/self/fd')))
print('interfaces', [line.split(':')[0].strip()
                     for line in open('/proc/self/net/dev').readlines()[2:]])
print('cgroup', sorted({line.strip().split(':')[2] for line in open('/proc/self/cgroup')}))
print('cwd', os.getcwd(), os.listdir('.'))
";
    let finished = run("inside", LIMITS, python(script));
    assert_eq!(finished.stderr, "");
    let expected = "uid 1000 1000 []\nCapInh 0\nCapPrm 0\nCapEff 0\nCapBnd 0\nCapAmb 0\n\
        NoNewPrivs 1 Seccomp 2\npids [2]\n\
        root ['bin', 'dev', 'lib', 'lib64', 'proc', 'sbin', 'tmp', 'usr', 'work']\n\
        host atoll\ndescriptors ['0', '1', '2', '3']\n";
    assert!(finished.stdout.starts_with(expected), "{}", finished.stdout);
    assert!(
        finished.stdout.contains("cgroup ['/']\n"),
        "{}",
        finished.stdout
    );
    assert!(
        finished.stdout.ends_with("cwd /work ['script.py']\n"),
        "{}",
        finished.stdout
    );
}

/// Each line of the script tries one thing and prints the error it got, or what it achieved.
#[test]
fn attempts_to_get_out_fail() {
    let script = r"
import ctypes, errno, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, call):
    try:
        got = call()
    except OSError as error:
        got = errno.errorcode.get(error.errno, error.errno)
    print(name, got)
def number(*arguments):
    result = libc.syscall(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), 'failed')
    return result
attempt('shadow', lambda: open('/etc/shadow').read())
attempt('root home', lambda: os.listdir('/root'))
attempt('first environ', lambda: open('/proc/1/environ').read())
attempt('kernel log', lambda: open('/dev/kmsg').read())
attempt('write usr', lambda: open('/usr/x', 'w'))
attempt('write root', lambda: open('/x', 'w'))
attempt('write proc', lambda: open('/proc/self/oom_score_adj', 'w').write('-1000'))
attempt('inet', lambda: socket.socket(socket.AF_INET))
attempt('inet6', lambda: socket.socket(socket.AF_INET6))
attempt('netlink', lambda: socket.socket(16, socket.SOCK_RAW))
attempt('packet', lambda: socket.socket(17, socket.SOCK_RAW))
attempt('vsock', lambda: socket.socket(40))
attempt('abstract', lambda: socket.socket(socket.AF_UNIX).connect('\0/tmp/.X11-unix/X0'))
attempt('signal first', lambda: os.kill(1, 9))
attempt('setuid', lambda: os.setuid(0))
attempt('chroot', lambda: os.chroot('/tmp'))
attempt('unshare user', lambda: number(272, 0x10000000))
attempt('clone user', lambda: number(56, 0x10000000 | 17, 0, 0, 0, 0))
attempt('clone3', lambda: number(435, 0, 0))
attempt('ptrace', lambda: number(101, 16, 1, 0, 0))
attempt('keyctl', lambda: number(250, 0, -3, 1))
attempt('io_uring', lambda: number(425, 1, 0))
attempt('perf', lambda: number(298, 0, 0, -1, -1, 0))
attempt('userfaultfd', lambda: number(323, 1))
attempt('mknod', lambda: os.mknod('/tmp/sda', 0o060600, os.makedev(8, 0)))
attempt('personality', lambda: number(135, 0x0400000))
attempt('write and execute', lambda: number(9, 0, 4096, 7, 0x22, -1, 0))
attempt('terminal input', lambda: number(16, 0, 0x5412, b'x'))
attempt('host name', lambda: number(170, b'x', 1))
attempt('raise limit', lambda: number(160, 7, b'\xff' * 16))
";
    let finished = run("attempts", LIMITS, python(script));
    // The kernel takes no signal for the first process from inside, and says so only where other
    // layers would refuse it, too.
    let alike = [Layer::OwnUser, Layer::LandlockScopes];
    let first = if alike.iter().all(|layer| accepted().contains(layer)) {
        "None"
    } else {
        "EPERM"
    };
    let expected = format!(
        "\
shadow ENOENT
root home ENOENT
first environ ENOENT
kernel log ENOENT
write usr EROFS
write root EROFS
write proc EACCES
inet EAFNOSUPPORT
inet6 EAFNOSUPPORT
netlink EAFNOSUPPORT
packet EAFNOSUPPORT
vsock EAFNOSUPPORT
abstract ECONNREFUSED
signal first {first}
setuid EPERM
chroot EPERM
unshare user EPERM
clone user EPERM
clone3 ENOSYS
ptrace EPERM
keyctl EPERM
io_uring ENOSYS
perf EPERM
userfaultfd ENOSYS
mknod EPERM
personality EPERM
write and execute EPERM
terminal input ENOTTY
host name EPERM
raise limit EPERM
"
    );
    assert_eq!(finished.stdout, expected, "{}", finished.stderr);
}

#[test]
fn probing_the_cage_ends_the_program_with_sigsys() {
    for (name, call) in [
        ("mount", "165"),
        ("setns", "308"),
        ("bpf", "321"),
        ("kexec", "246"),
    ] {
        let script = format!("import ctypes\nctypes.CDLL(None).syscall({call}, 0, 0, 0, 0, 0)");
        let finished = run(name, LIMITS, python(&script));
        assert_eq!(
            finished.end,
            Some(ProgramEnd::Signalled(31)),
            "{name}: {finished:?}"
        );
    }
}

#[test]
fn what_the_host_offers_is_not_seen() {
    std::fs::write("/tmp/jail-canary", "secret").unwrap();
    let finished = run(
        "canary",
        LIMITS,
        shell("cat /tmp/jail-canary; ls /tmp /home /etc /sys"),
    );
    std::fs::remove_file("/tmp/jail-canary").unwrap();
    assert!(!finished.stdout.contains("secret"), "{finished:?}");
    assert_ne!(finished.end, Some(ProgramEnd::Exited(0)));
}

#[test]
fn directories_below_tmp_can_be_shown_to_a_program() {
    let shown = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::write(shown.path().join("module.txt"), "shown").unwrap();
    let mut spec = spec("bind");
    spec.root.binds.push(Bind {
        host: shown.path().into(),
        guest: "dependencies".into(),
    });
    let script = "cat /dependencies/module.txt; echo x > /dependencies/new";
    let finished = run_in(&spec, LIMITS, shell(script));
    assert_eq!(finished.stdout, "shown", "{finished:?}");
    assert!(finished.stderr.contains("Read-only"), "{finished:?}");
}
