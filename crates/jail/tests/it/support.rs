//! Running a shell command in a jail and reading what it wrote.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::time::Duration;

use atoll_jail::seccomp::Profile;
use atoll_jail::{Bind, Command, Jail, JailError, JailFile, JailSpec, ProgramEnd, Root};
use atoll_types::calls::CallRules;
use atoll_types::{Layer, LimitName, Limits, Usage};

pub(crate) const LIMITS: Limits = Limits {
    wall_time_ms: 20_000,
    // An emulated processor that others use, too, takes long for little.
    cpu_time_ms: 60_000,
    cpu_percent: 200,
    memory_bytes: 128 << 20,
    processes: 16,
    disk_bytes: 8 << 20,
    disk_files: 100,
    output_bytes: 1 << 20,
    open_files: 64,
};

pub(crate) const PROFILE: Profile = Profile::Processes {
    writable_code: false,
};

/// What a finished jail leaves to look at.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) end: Option<ProgramEnd>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) limit: Option<LimitName>,
    pub(crate) usage: Usage,
}

pub(crate) fn spec(name: &str) -> JailSpec {
    let mut root = Root {
        proc: true,
        devices: true,
        ..Root::default()
    };
    for directory in ["usr", "lib", "lib64", "bin", "sbin"] {
        let host = std::path::Path::new("/").join(directory);
        match std::fs::read_link(&host) {
            Ok(target) => root.links.push((directory.into(), target)),
            Err(_) if host.exists() => {
                root.binds.push(Bind {
                    host,
                    guest: directory.into(),
                });
            }
            Err(_) => {}
        }
    }
    JailSpec {
        name: name.to_owned(),
        root,
    }
}

pub(crate) fn python(script: &str) -> Command {
    Command {
        path: b"/usr/bin/python3".to_vec(),
        arguments: vec![
            b"python3".to_vec(),
            b"-IS".to_vec(),
            b"/work/script.py".to_vec(),
        ],
        environment: vec![b"PATH=/usr/bin:/bin".to_vec(), b"HOME=/work".to_vec()],
        files: vec![JailFile {
            name: b"script.py".to_vec(),
            content: script.as_bytes().into(),
            executable: false,
        }],
        descriptors: Vec::new(),
        profile: PROFILE,
        calls: CallRules::default(),
    }
}

pub(crate) fn shell(script: &str) -> Command {
    Command {
        path: b"/bin/sh".to_vec(),
        arguments: vec![b"sh".to_vec(), b"-c".to_vec(), script.as_bytes().to_vec()],
        environment: vec![b"PATH=/usr/bin:/bin".to_vec(), b"HOME=/work".to_vec()],
        files: Vec::new(),
        descriptors: Vec::new(),
        profile: PROFILE,
        calls: CallRules::default(),
    }
}

/// Runs a command in an ordinary jail.
pub(crate) fn run(name: &str, limits: Limits, command: Command) -> Finished {
    run_in(&spec(name), limits, command)
}

/// Runs a command in a jail of its own to its end and removes the jail.
pub(crate) fn run_in(spec: &JailSpec, limits: Limits, command: Command) -> Finished {
    block_on(async {
        let mut jail = create(spec, limits).await.unwrap();
        let streams = jail.start(command).await.unwrap();
        drop(streams.stdin);
        let readers = [streams.stdout, streams.stderr]
            .map(|stream| std::thread::spawn(move || read_all(stream)));
        let end = tokio::time::timeout(Duration::from_secs(180), jail.wait())
            .await
            .unwrap();
        let (limit, usage) = (jail.limit_hit(), jail.usage());
        jail.destroy().await.unwrap();
        let [stdout, stderr] = readers.map(|reader| reader.join().unwrap());
        Finished {
            end,
            stdout,
            stderr,
            limit,
            usage,
        }
    })
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Builds a jail that lacks nothing but what the environment of the test run says this host lacks:
/// names of layers in `ATOLL_TEST_ACCEPT_MISSING`, separated by commas.
pub(crate) async fn create(spec: &JailSpec, limits: Limits) -> Result<Jail, JailError> {
    Jail::begin(spec)?.finish(limits, &accepted()).await
}

pub(crate) fn accepted() -> BTreeSet<Layer> {
    let names = std::env::var("ATOLL_TEST_ACCEPT_MISSING").unwrap_or_default();
    let dispensable = Layer::DISPENSABLE.into_iter();
    dispensable
        .filter(|layer| names.split(',').any(|name| name == layer.name()))
        .collect()
}

pub(crate) fn read_all(stream: OwnedFd) -> String {
    rustix::io::ioctl_fionbio(&stream, false).unwrap();
    let mut bytes = Vec::new();
    std::fs::File::from(stream).read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
