//! What of the host a program must not change: a file, listeners, Atoll's own programs, and the
//! lists of processes and control groups, the clock, settings of the kernel, and whatever a sandbox
//! could have made outside.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use atoll_acceptance::{Atoll, appearance, made_inside, settings};

/// How long what was killed may take to go. Far more than it needs: a leak stays.
const GRACE: Duration = Duration::from_secs(5);

/// Whoever keeps the clock right moves it by less.
const CLOCK_STEP_MAX: Duration = Duration::from_secs(60);

/// One place on the host that programs are aimed at.
pub(crate) struct Host {
    directory: tempfile::TempDir,
    abstract_name: String,
    tcp: TcpListener,
    udp: UdpSocket,
    by_path: UnixListener,
    by_name: UnixListener,
    before: Vec<String>,
    settings: BTreeMap<String, String>,
    began: (SystemTime, Instant),
}

impl Host {
    /// Puts a canary where no sandbox may reach, and notes how it looks.
    pub(crate) fn new(atoll: &Atoll) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("canary-")
            .tempdir()
            .unwrap();
        let canary = directory.path().join("canary");
        fs::write(&canary, "nobody may read this").unwrap();
        // Readable for everybody: only the sandbox itself is in the way.
        fs::set_permissions(&canary, fs::Permissions::from_mode(0o666)).unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        // The same port for both protocols, so that one argument names both.
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind(tcp.local_addr().unwrap()).unwrap();
        let abstract_name = directory.path().file_name().unwrap().to_str().unwrap();
        let abstract_name = abstract_name.to_owned();
        let name = SocketAddr::from_abstract_name(&abstract_name).unwrap();
        let by_name = UnixListener::bind_addr(&name).unwrap();
        let by_path = UnixListener::bind(directory.path().join("socket")).unwrap();
        let everybody = fs::Permissions::from_mode(0o777);
        fs::set_permissions(directory.path().join("socket"), everybody).unwrap();
        tcp.set_nonblocking(true).unwrap();
        udp.set_nonblocking(true).unwrap();
        by_name.set_nonblocking(true).unwrap();
        by_path.set_nonblocking(true).unwrap();
        let mut host = Self {
            directory,
            abstract_name,
            tcp,
            udp,
            by_path,
            by_name,
            before: Vec::new(),
            settings: settings(),
            began: (SystemTime::now(), Instant::now()),
        };
        host.before = host.state(atoll);
        host
    }

    /// What every program is told, apart from its own mark: where to aim.
    pub(crate) fn arguments(&self) -> [String; 4] {
        [
            self.canary().to_str().unwrap().to_owned(),
            self.tcp.local_addr().unwrap().port().to_string(),
            self.abstract_name.clone(),
            std::process::id().to_string(),
        ]
    }

    /// What has changed although nothing may, given the mark that a program and its children
    /// carried in their arguments, and the process that was `atoll`.
    pub(crate) fn damage(&self, atoll: &Atoll, mark: &str, process: u32) -> Vec<String> {
        let mut found = self.left(mark, process);
        let now = self.state(atoll);
        if now != self.before {
            found.push(format!("the host changed: {:?} to {now:?}", self.before));
        }
        let settings = settings();
        if settings != self.settings {
            found.push(format!(
                "settings changed: {:?} to {settings:?}",
                self.settings
            ));
        }
        if self.clock_step() > CLOCK_STEP_MAX {
            found.push(format!("the clock was set: by {:?}", self.clock_step()));
        }
        found.extend(made_inside());
        let accepted = [
            ("the TCP listener", self.tcp.accept().err()),
            ("the named listener", self.by_name.accept().err()),
            ("the listener at a path", self.by_path.accept().err()),
            ("the UDP socket", self.udp.recv(&mut [0; 64]).err()),
        ];
        for (what, error) in accepted {
            if error.map(|error| error.kind()) != Some(ErrorKind::WouldBlock) {
                found.push(format!("{what} heard something"));
            }
        }
        found
    }

    /// Processes and control groups that are still there although they had time to go.
    fn left(&self, mark: &str, process: u32) -> Vec<String> {
        let deadline = Instant::now() + GRACE;
        loop {
            let left = remains(mark, process);
            if left.is_empty() || Instant::now() > deadline {
                return left;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// By how much the time of day has moved otherwise than time has passed.
    fn clock_step(&self) -> Duration {
        let by_clock = self.began.0.elapsed().unwrap_or_default();
        by_clock.abs_diff(self.began.1.elapsed())
    }

    /// The directory that holds what programs are aimed at.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn canary(&self) -> PathBuf {
        self.directory.path().join("canary")
    }

    /// Everything that must stay as it is, as text to be compared.
    fn state(&self, atoll: &Atoll) -> Vec<String> {
        let programs = atoll.program().parent().unwrap();
        let launcher = programs.join("atoll-launcher");
        let mut state = vec![
            appearance(&self.canary()),
            appearance(atoll.program()),
            fs::read_to_string(self.canary()).unwrap_or_default(),
        ];
        if launcher.exists() {
            state.push(appearance(&launcher));
        }
        let mut names: Vec<_> = fs::read_dir(self.directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        state.extend(names);
        state
    }
}

/// Processes that carry the mark, and control groups that `process` made.
fn remains(mark: &str, process: u32) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&arguments).contains(mark) {
            found.push(format!("left behind: {}", entry.path().display()));
        }
    }
    groups(Path::new("/sys/fs/cgroup"), process, 4, &mut found);
    found
}

/// Control groups end in `.COUNT.PROCESS.START`, with the process that made them.
fn groups(directory: &Path, process: u32, depth: u32, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.rsplit('.').nth(1);
        if path.to_string_lossy().contains("atoll") && owner == Some(&process.to_string()) {
            found.push(format!("left behind: {}", path.display()));
        }
        if depth > 0 {
            groups(&path, process, depth - 1, found);
        }
    }
}

#[test]
fn damage_is_noticed() {
    let atoll = Atoll::locate().unwrap();
    let host = Host::new(&atoll);
    let own = std::process::id();
    assert_eq!(host.damage(&atoll, "no-such-mark", own), [""; 0]);

    let [canary, port, name, _] = host.arguments();
    let _tcp = std::net::TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .send_to(b"x", format!("127.0.0.1:{port}"))
        .unwrap();
    let name = SocketAddr::from_abstract_name(name).unwrap();
    let _named = std::os::unix::net::UnixStream::connect_addr(&name).unwrap();
    fs::write(canary, "nobody may read that").unwrap();
    let mut child = std::process::Command::new("sleep")
        .args(["60.0625"])
        .spawn()
        .unwrap();
    // A child that has just been started may not have its arguments yet.
    while remains("60.0625", own).is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    let damage = host.damage(&atoll, "60.0625", own).join("\n");
    child.kill().unwrap();
    child.wait().unwrap();
    for what in ["host changed", "TCP", "UDP", "named", "/proc/"] {
        assert!(damage.contains(what), "{what} was not noticed: {damage}");
    }
}
