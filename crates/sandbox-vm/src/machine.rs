//! One machine: a QEMU process in a jail of its own.
//!
//! Owns its command line, its descriptors and its end. The jail is one of the level `process`: own
//! ids, own namespaces, no file but QEMU's own and the guest's, a system call filter, limits; QEMU
//! adds a narrower filter itself. What the machine is for is not known here.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atoll_jail::seccomp::Profile;
use atoll_jail::{Bind, Command, Jail, JailSpec};
use atoll_sandbox::CreateError;
use atoll_types::calls::CallRules;
use atoll_types::{Layer, LayerReport, LimitName, Limits, Usage};

use crate::accelerator::Accelerator;
use crate::emulator::Emulator;
use crate::error::{create_error, internal};
use crate::image::{Image, Part};
use crate::qmp::Qmp;
use crate::size::{Size, TRANSLATED_MIB};
use crate::volumes::VOLUME_BYTES;

/// The first descriptor behind the standard streams, which the program finds these at.
const MEMORY: u32 = 3;
const CONTROL: u32 = 4;
const PORT: u32 = 5;
const VOLUME: u32 = 6;

/// Where the guest's files are in the jail.
const GUEST: &str = "guest";

/// What is kept of the machine's last words, in bytes.
const WORDS_BYTES_MAX: usize = 4 << 10;

/// What a machine is made of.
pub(crate) struct Parts<'a> {
    pub(crate) image: &'a Image,
    pub(crate) accelerator: Accelerator,
    pub(crate) size: Size,
    /// The guest's memory.
    pub(crate) memory: OwnedFd,
    /// What is on the second disk, of [`VOLUME_BYTES`]; zeros without it.
    pub(crate) volume: Option<OwnedFd>,
    pub(crate) origin: Origin,
}

/// What a machine begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Its kernel, with a command line. What it writes to its memory is in the file.
    Kernel(String),
    /// A snapshot that it is given later. What it writes to its memory is its own.
    Snapshot,
}

/// A machine, of which the jail is all that is left once it has ended.
pub(crate) struct Machine {
    jail: Mutex<Option<Jail>>,
    qmp: Mutex<Option<Qmp>>,
    words: Words,
    layers: Vec<LayerReport>,
}

/// A machine that has just been started.
pub(crate) struct Started {
    pub(crate) machine: Machine,
    pub(crate) qmp: Qmp,
    /// Our end of the guest's port.
    pub(crate) port: OwnedFd,
}

/// The outer ends of what the machine writes to: its console, and its complaints.
struct Words {
    console: OwnedFd,
    complaints: OwnedFd,
    /// What was read of them.
    heard: Arc<Mutex<Vec<u8>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Machine {
    /// Starts one, under such limits.
    pub(crate) async fn start(
        id: &str,
        parts: Parts<'_>,
        limits: Limits,
        accept_missing: &BTreeSet<Layer>,
    ) -> Result<Started, CreateError> {
        let emulator = Emulator::find(parts.accelerator).map_err(CreateError::Environment)?;
        let bind = |part: Part| Bind {
            host: parts.image.path(part),
            guest: format!("{GUEST}/{}", part.name()).into(),
        };
        let files: &[Part] = match parts.origin {
            Origin::Kernel(_) => &[Part::Kernel, Part::Initrd, Part::Root],
            Origin::Snapshot => &[Part::Root],
        };
        let kvm = parts.accelerator == Accelerator::Kvm;
        let mut root = emulator.root(files.iter().copied().map(bind));
        root.kvm = kvm;
        let profile = Profile::Machine { kvm };
        let spec = JailSpec {
            name: id.to_owned(),
            root,
        };
        let beginning = Jail::begin(&spec).map_err(create_error)?;
        let (control, their_control) = UnixStream::pair().map_err(internal("make a socket"))?;
        let (port, their_port) = UnixStream::pair().map_err(internal("make a socket"))?;
        let mut jail = beginning
            .finish(limits, accept_missing)
            .await
            .map_err(create_error)?;
        let arguments = arguments(&parts);
        let mut descriptors = vec![parts.memory, their_control.into(), their_port.into()];
        descriptors.extend(parts.volume);
        let command = Command {
            path: emulator.program.as_os_str().as_encoded_bytes().to_vec(),
            arguments,
            environment: vec![b"LC_ALL=C".to_vec()],
            files: Vec::new(),
            descriptors,
            profile,
            calls: CallRules::default(),
        };
        let layers = jail.layers(profile);
        let running = jail.start(command).await.map_err(create_error)?;
        let machine = Self {
            jail: Mutex::new(Some(jail)),
            qmp: Mutex::new(None),
            words: Words {
                console: running.stdout,
                complaints: running.stderr,
                heard: Arc::default(),
            },
            layers,
        };
        let qmp = match Qmp::new(control.into()).await {
            Ok(qmp) => qmp,
            Err(error) => return Err(machine.failed("start QEMU", error)),
        };
        Ok(Started {
            machine,
            qmp,
            port: port.into(),
        })
    }

    /// Keeps the monitor until the machine's end, of which it tells.
    pub(crate) fn keep(&self, qmp: Qmp) {
        *lock(&self.qmp) = Some(qmp);
    }

    /// What went wrong with it, with what it said itself.
    pub(crate) fn failed(
        &self,
        attempt: &str,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> CreateError {
        let mut text = error.to_string();
        if let Some(source) = error.source() {
            text = format!("{text}: {source}");
        }
        if let Some(words) = self.last_words() {
            text = format!("{text}; {words}");
        }
        internal(attempt)(io::Error::other(text))
    }

    /// What is in force around it.
    pub(crate) fn layers(&self) -> &[LayerReport] {
        &self.layers
    }

    /// Reads what the machine has written, so that it need not wait; only the last of it is kept.
    pub(crate) fn listen(&self) {
        let mut heard = lock(&self.words.heard);
        for stream in [&self.words.console, &self.words.complaints] {
            let mut piece = [0; WORDS_BYTES_MAX];
            while let Ok(count @ 1..) = rustix::io::read(stream.as_fd(), &mut piece) {
                heard.extend(piece.get(..count).unwrap_or_default());
                let surplus = heard.len().saturating_sub(WORDS_BYTES_MAX);
                heard.drain(..surplus);
            }
        }
    }

    /// Why it ended, as far as it has told.
    pub(crate) fn last_words(&self) -> Option<String> {
        self.listen();
        let heard = lock(&self.words.heard);
        let text = String::from_utf8_lossy(&heard);
        let telling = |line: &&str| {
            [
                "Kernel panic",
                "BUG:",
                "Out of memory",
                "qemu-system",
                "atoll-agent",
            ]
            .iter()
            .any(|word| line.contains(word))
        };
        let said = text.lines().find(telling).map(|line| {
            let line: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
            format!("it said: {}", line.trim())
        });
        let mut qmp = lock(&self.qmp);
        let reason = qmp.as_mut().and_then(Qmp::shutdown_reason);
        let reason = reason.map(|reason| match reason.as_str() {
            "guest-reset" => "the guest reset its machine".to_owned(),
            "guest-shutdown" => "the guest switched its machine off".to_owned(),
            "guest-panic" => "the guest's kernel failed".to_owned(),
            other => format!("the machine ended ({other})"),
        });
        match (reason, said) {
            (Some(reason), Some(said)) => Some(format!("{reason}; {said}")),
            (reason, said) => reason.or(said),
        }
    }

    pub(crate) fn set_limits(&self, limits: Limits) -> io::Result<()> {
        let mut jail = lock(&self.jail);
        let jail = jail.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        jail.set_limits(limits)
    }

    pub(crate) fn restart_clock(&self) {
        if let Some(jail) = lock(&self.jail).as_mut() {
            jail.restart_clock();
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        lock(&self.jail)
            .as_ref()
            .map(Jail::usage)
            .unwrap_or_default()
    }

    /// Memory that it takes now. What it has in common with the snapshot is not counted.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let jail = lock(&self.jail);
        jail.as_ref().map(Jail::memory_bytes).unwrap_or_default()
    }

    pub(crate) fn limit_hit(&self) -> Option<LimitName> {
        lock(&self.jail).as_ref().and_then(Jail::limit_hit)
    }

    /// Ends it at once.
    pub(crate) fn kill(&self) {
        if let Some(jail) = lock(&self.jail).as_mut() {
            jail.stop();
        }
    }

    /// Ends it and removes what was around it.
    pub(crate) async fn destroy(&self) -> io::Result<()> {
        let jail = lock(&self.jail).take();
        match jail {
            Some(jail) => jail.destroy().await,
            None => Ok(()),
        }
    }
}

/// The command line. The devices are the same for what boots and what begins as a clone of it.
fn arguments(parts: &Parts<'_>) -> Vec<Vec<u8>> {
    let mut all: Vec<String> = vec!["qemu-system-x86_64".to_owned()];
    let mut add = |words: &[&str]| all.extend(words.iter().map(|word| (*word).to_owned()));
    let size = parts.size;
    let memory = size.memory_mib;
    let processor = parts.accelerator.processor();
    let accelerator = match parts.accelerator {
        Accelerator::Kvm => "kvm".to_owned(),
        Accelerator::Tcg => {
            let thread = if size.processors > 1 {
                "multi"
            } else {
                "single"
            };
            format!("tcg,thread={thread},tb-size={TRANSLATED_MIB}")
        }
    };
    let shared = match parts.origin {
        Origin::Kernel(_) => "on",
        Origin::Snapshot => "off",
    };
    add(&["-nodefaults", "-no-user-config", "-display", "none"]);
    add(&["-no-reboot", "-accel", &accelerator, "-cpu", processor]);
    add(&["-machine", "microvm,acpi=on,memory-backend=memory"]);
    add(&["-smp", &size.processors.to_string()]);
    add(&["-m", &format!("{memory}M")]);
    add(&[
        "-object",
        &format!(
            "memory-backend-file,id=memory,size={memory}M,mem-path=/proc/self/fd/{MEMORY},\
             share={shared},prealloc=off,merge=off,dump=off"
        ),
    ]);
    add(&[
        "-sandbox",
        "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
    ]);
    add(&[
        "-chardev",
        "stdio,id=console,signal=off",
        "-serial",
        "chardev:console",
    ]);
    add(&["-device", "virtio-serial-device"]);
    add(&["-chardev", &format!("socket,id=port,fd={PORT}")]);
    add(&["-device", "virtserialport,chardev=port,name=atoll"]);
    let root = Part::Root.name();
    add(&[
        "-blockdev",
        &format!("driver=file,node-name=file,filename=/{GUEST}/{root},read-only=on,locking=off"),
    ]);
    add(&[
        "-blockdev",
        "driver=raw,node-name=root,file=file,read-only=on",
    ]);
    add(&["-device", "virtio-blk-device,drive=root"]);
    if parts.volume.is_some() {
        // The jail's user could not open it.
        add(&["-add-fd", &format!("fd={VOLUME},set=1")]);
        let set = "filename=/dev/fdset/1,read-only=on,locking=off";
        add(&["-blockdev", &format!("driver=file,node-name=shown,{set}")]);
        add(&[
            "-blockdev",
            "driver=raw,node-name=volume,file=shown,read-only=on",
        ]);
    } else {
        let zeros = format!("size={VOLUME_BYTES},read-zeroes=on,read-only=on");
        add(&[
            "-blockdev",
            &format!("driver=null-co,node-name=volume,{zeros}"),
        ]);
    }
    add(&["-device", "virtio-blk-device,drive=volume"]);
    add(&["-chardev", &format!("socket,id=control,fd={CONTROL}")]);
    add(&["-mon", "chardev=control,mode=control"]);
    match &parts.origin {
        Origin::Kernel(line) => {
            add(&["-kernel", &format!("/{GUEST}/{}", Part::Kernel.name())]);
            add(&["-initrd", &format!("/{GUEST}/{}", Part::Initrd.name())]);
            add(&["-append", line]);
        }
        Origin::Snapshot => add(&["-incoming", "defer"]),
    }
    all.into_iter().map(String::into_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a kernel boots then is another matter: hosts that are virtual machines themselves
    /// often have the device, and run no guests.
    #[tokio::test]
    async fn a_machine_reaches_kvm_from_its_jail() {
        let image = Image::find();
        let (Ok(image), true) = (image, std::path::Path::new("/dev/kvm").exists()) else {
            println!("skipped: there is no guest image, or no /dev/kvm");
            return;
        };
        let limits = Limits {
            memory_bytes: 64 << 20,
            cpu_percent: 100,
            ..Limits::NONE
        };
        let size = Size::of(&limits).unwrap();
        let memory = crate::kept::memory_file("memory", size.memory_bytes()).unwrap();
        let parts = Parts {
            image: &image,
            accelerator: Accelerator::Kvm,
            size,
            memory,
            volume: None,
            origin: Origin::Kernel(String::new()),
        };
        let started = Machine::start("kvm-test", parts, size.booting(), &BTreeSet::new()).await;
        let said = match started {
            Ok(started) => {
                let said = started.machine.last_words().unwrap_or_default();
                started.machine.destroy().await.unwrap();
                said
            }
            Err(CreateError::Internal { attempt, source }) => format!("{attempt}: {source}"),
            Err(other) => other.to_string(),
        };
        println!("{said}");
        for refused in [
            "access KVM",
            "Permission denied",
            "Operation not permitted",
            "No such file",
            "Inappropriate ioctl",
            "failed to initialize",
            "cannot be enforced",
        ] {
            assert!(!said.contains(refused), "{said}");
        }
    }
}
