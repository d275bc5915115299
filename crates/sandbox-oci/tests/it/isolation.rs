//! What a program in a container sees and reaches of the host: nothing.

use std::net::TcpListener;

use atoll_types::ProgramKind;

use crate::support::{Ran, finish, gvisor, job, run, spec};

fn python(text: &str) -> Ran {
    run(async {
        let job = job(ProgramKind::Python, "program.py", text);
        finish(&gvisor(), spec(ProgramKind::Python), job).await
    })
}

/// Runs a program that checks for itself and says what is wrong.
fn checks(text: &str) {
    let ran = python(text);
    assert!(ran.stdout == "done\n", "{ran:#?}");
}

#[test]
fn the_kernel_is_not_the_hosts() {
    let ran = python("import os\nprint(os.uname().release, os.uname().nodename)");
    let host = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let (kernel, name) = ran.stdout.trim().split_once(' ').unwrap();
    assert_ne!(kernel, host.trim());
    assert_eq!(name, "atoll");
}

#[test]
fn only_its_own_processes_are_shown_and_reached() {
    checks(
        "import os\n\
         own = {int(name) for name in os.listdir('/proc') if name.isdigit()}\n\
         assert own == {1, os.getpid()}, own\n\
         for target in (1, -1):\n    \
             try:\n        \
                 os.kill(target, 0)\n        \
                 print('reached', target)\n    \
             except OSError:\n        \
                 pass\n\
         assert os.getuid() == os.geteuid() == 1000 and os.getgid() == 1000\n\
         status = open('/proc/self/status').read().split('\\n')\n\
         effective = [line for line in status if line.startswith('CapEff')]\n\
         assert effective and int(effective[0].split()[1], 16) == 0, effective\n\
         print('done')",
    );
}

#[test]
fn nothing_of_the_host_lies_around() {
    let marker = tempfile::NamedTempFile::new_in("/tmp").unwrap();
    let program = "import os\n\
         for path in ('/root', '/home', '/etc/shadow', '/etc/hostname', '/var',\n             \
                      '/run', '/work/config.json', '/tmp/bundle', '/tmp/state', 'MARKER'):\n    \
             assert not os.path.exists(path), path\n\
         assert os.listdir('/tmp') == [], os.listdir('/tmp')\n\
         known = {'HOME', 'LANG', 'PATH', 'PYTHONDONTWRITEBYTECODE', 'TMPDIR'}\n\
         assert set(os.environ) == known, sorted(os.environ)\n\
         open_now = os.listdir('/proc/self/fd')\n\
         assert open_now == ['0', '1', '2', '3'], open_now\n\
         print('done')";
    checks(&program.replace("MARKER", &marker.path().display().to_string()));
}

#[test]
fn the_root_directory_cannot_be_changed() {
    checks(
        "for path in ('/x', '/usr/x', '/etc/x', '/etc/atoll/x', '/dev/x',\n             \
                      '/proc/sys/kernel/hostname'):\n    \
             try:\n        \
                 open(path, 'w').write('x')\n        \
                 print('written', path)\n    \
             except OSError:\n        \
                 pass\n\
         for path in ('/work/x', '/tmp/x', '/dev/shm/x'):\n    \
             open(path, 'w').write('x')\n\
         print('done')",
    );
}

#[test]
fn there_is_no_network() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let program = "import socket\n\
         for address in (('127.0.0.1', PORT), ('192.0.2.1', 80)):\n    \
             try:\n        \
                 socket.create_connection(address, timeout=2)\n        \
                 print('connected', address)\n    \
             except OSError:\n        \
                 pass\n\
         print('done')";
    checks(&program.replace("PORT", &port.to_string()));
}
