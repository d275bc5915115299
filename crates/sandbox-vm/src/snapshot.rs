//! A machine that has booted and was made ready once, as what clones begin with.
//!
//! Owns the boot and its watchdog, the snapshot, and clones. The guest's memory lies in a memory
//! file that the booting machine writes to; the state of its devices goes to another. Both are
//! sealed once that machine is gone, and clones map the memory copy-on-write: a page costs memory
//! when a clone writes to it, and time when it is first touched.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use atoll_remote::protocol::{Hello, Stays, Surroundings};
use atoll_remote::{Agent, AgentError};
use atoll_sandbox::CreateError;
use atoll_types::{Layer, Limits};
use blake3::Hash;
use rustix::fs::{Mode, OFlags, SealFlags};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::accelerator::Accelerator;
use crate::error::internal;
use crate::image::Image;
use crate::kept::{Taken, memory_file};
use crate::machine::{Machine, Origin, Parts, Started};
use crate::outside::PATIENCE;
use crate::qmp::{Qmp, QmpError};
use crate::size::Size;
use crate::ticks;

/// A guest that has not greeted by then hangs, as emulated ones sometimes do on a busy host.
const BOOT_TIME: Duration = Duration::from_secs(60);

/// What clones of one snapshot share is good for this long.
const SHARED_TIME_MAX: Duration = Duration::from_secs(600);

/// And for as many clones.
const SHARED_COPIES_MAX: u64 = 20_000;

/// How often it is tried.
const BOOT_ATTEMPTS: u32 = 3;

/// How long writing a snapshot may take.
const SNAPSHOT_TIME: Duration = Duration::from_secs(60);

/// What a snapshot is made of.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) image: Image,
    pub(crate) accelerator: Accelerator,
    pub(crate) size: Size,
    pub(crate) surroundings: Surroundings,
    /// What the sandboxes are built for that stay, with interpreters that wait. Clones share what
    /// those have chosen at random, as copies at the level `process` do.
    pub(crate) stays: Option<Stays>,
}

/// What clones begin with.
pub(crate) struct Snapshot {
    wanted: Wanted,
    memory: OwnedFd,
    state: OwnedFd,
    hello: Hello,
    /// Since when there are clones of it.
    since: Instant,
    copies: AtomicU64,
    /// How often the machine was booted until it came up.
    boots: u32,
    /// Under which name it was kept by another process, and no clone of it has come up here yet.
    untried: Mutex<Option<Hash>>,
    /// Set when clones of it do not come up.
    is_useless: AtomicBool,
}

/// A clone whose agent has not begun yet.
pub(crate) struct Clone {
    pub(crate) machine: Machine,
    pub(crate) agent: Agent,
}

impl Snapshot {
    /// One that was taken, of which nothing changes from now on.
    pub(crate) fn new(wanted: Wanted, taken: Taken) -> Result<Self, CreateError> {
        let Taken {
            memory,
            state,
            hello,
            boots,
        } = taken;
        for file in [&memory, &state] {
            seal(file).map_err(internal("seal a snapshot"))?;
        }
        Ok(Self {
            wanted,
            memory,
            state,
            hello,
            since: Instant::now(),
            copies: AtomicU64::new(0),
            boots,
            untried: Mutex::new(None),
            is_useless: AtomicBool::new(false),
        })
    }

    /// The same, which another process has kept under a name.
    pub(crate) fn kept(wanted: Wanted, taken: Taken, name: Hash) -> Result<Self, CreateError> {
        let mut snapshot = Self::new(wanted, taken)?;
        snapshot.untried = Mutex::new(Some(name));
        Ok(snapshot)
    }

    /// The name, if no clone has come up yet of what another process has kept. Asked once: then it
    /// is known whether it is of use.
    pub(crate) fn take_untried(&self) -> Option<Hash> {
        let mut untried = self.untried.lock().unwrap_or_else(PoisonError::into_inner);
        untried.take()
    }

    /// No clone of it comes up: whoever asks next gets another one.
    pub(crate) fn give_up(&self) {
        self.is_useless.store(true, Ordering::Relaxed);
    }

    /// Boots a machine, makes it ready, and keeps what it is then.
    pub(crate) async fn take(
        wanted: &Wanted,
        accept_missing: &BTreeSet<Layer>,
    ) -> Result<Taken, CreateError> {
        // A machine boots meanwhile, in its jail; what it is made of counts before it is used.
        let image = wanted.image.clone();
        let checking = tokio::task::spawn_blocking(move || image.check());
        let booted = boot_patiently(wanted, accept_missing).await;
        let checked = checking
            .await
            .map_err(|error| internal("check the guest image")(io::Error::other(error)))
            .and_then(|checked| checked.map_err(CreateError::Environment));
        match (checked, booted) {
            (Ok(()), Ok((booted, boots))) => finish(wanted, booted, boots).await,
            // Why it did not boot, if it did not, too.
            (Err(damaged), booted) => {
                if let Ok((booted, _)) = booted {
                    // The first error says more.
                    let _ = booted.machine.destroy().await;
                }
                Err(damaged)
            }
            (Ok(()), Err(error)) => Err(error),
        }
    }

    /// Whether it is still made of the files that it says, and what its clones share has not been
    /// shared for too long.
    pub(crate) fn is_current(&self) -> bool {
        let is_worn = self.wanted.stays.is_some()
            && (self.since.elapsed() > SHARED_TIME_MAX
                || self.copies.load(Ordering::Relaxed) >= SHARED_COPIES_MAX);
        let is_useless = self.is_useless.load(Ordering::Relaxed);
        !is_worn && !is_useless && self.wanted.image.is_same()
    }

    /// What runs its clones' instructions.
    pub(crate) const fn accelerator(&self) -> Accelerator {
        self.wanted.accelerator
    }

    /// What it says of itself, for reports.
    pub(crate) fn describe(&self) -> String {
        let Self { hello, boots, .. } = self;
        let retried = match boots {
            1 => String::new(),
            boots => format!("; it came up at boot {boots}, the others hung"),
        };
        format!(
            "{}, {} processor(s){retried}",
            hello.kernel, hello.processors
        )
    }

    /// Starts a machine that goes on where the snapshot was taken, with something on its second
    /// disk or nothing.
    pub(crate) async fn copy(
        &self,
        id: &str,
        limits: Limits,
        volume: Option<OwnedFd>,
        accept_missing: &BTreeSet<Layer>,
    ) -> Result<Clone, CreateError> {
        self.copies.fetch_add(1, Ordering::Relaxed);
        let memory = self
            .memory
            .try_clone()
            .map_err(internal("hand over the memory of a snapshot"))?;
        let parts = Parts {
            image: &self.wanted.image,
            accelerator: self.wanted.accelerator,
            size: self.wanted.size,
            memory,
            volume,
            origin: Origin::Snapshot,
        };
        let Started {
            machine,
            mut qmp,
            port,
        } = Machine::start(id, parts, limits, accept_missing).await?;
        // A description of its own, so that each clone reads from the beginning.
        let path = format!("/proc/self/fd/{}", self.state.as_raw_fd());
        let state = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(io::Error::from)
            .map_err(internal("open the state of a snapshot"))?;
        if let Err(error) = restore(&mut qmp, &state).await {
            let failed = machine.failed("restore a snapshot", error);
            // The first error says more.
            let _ = machine.destroy().await;
            return Err(failed);
        }
        machine.keep(qmp);
        let output = port.try_clone().map_err(internal("copy a descriptor"))?;
        let agent = Agent::clone_of(self.hello.clone(), port, output, PATIENCE);
        match agent {
            Ok(agent) => Ok(Clone { machine, agent }),
            Err(error) => Err(machine.failed("speak with a clone", error)),
        }
    }
}

struct Booted {
    machine: Machine,
    qmp: Qmp,
    agent: Agent,
    memory: OwnedFd,
}

enum NotBooted {
    /// Another attempt may help.
    Hangs(CreateError),
    Refused(CreateError),
}

/// Boots one that comes up, and tells at which attempt.
async fn boot_patiently(
    wanted: &Wanted,
    accept_missing: &BTreeSet<Layer>,
) -> Result<(Booted, u32), CreateError> {
    let mut attempt = 1;
    loop {
        match boot(wanted, accept_missing).await {
            Ok(booted) => return Ok((booted, attempt)),
            Err(NotBooted::Refused(error)) => return Err(error),
            Err(NotBooted::Hangs(error)) if attempt >= BOOT_ATTEMPTS => return Err(error),
            Err(NotBooted::Hangs(_)) => attempt = attempt.saturating_add(1),
        }
    }
}

async fn boot(wanted: &Wanted, accept_missing: &BTreeSet<Layer>) -> Result<Booted, NotBooted> {
    let memory = memory_file("memory", wanted.size.memory_bytes());
    let memory = memory
        .map_err(internal("make memory for a virtual machine"))
        .map_err(NotBooted::Refused)?;
    let handed = memory.try_clone();
    let handed = handed
        .map_err(internal("copy a descriptor"))
        .map_err(NotBooted::Refused)?;
    let parts = Parts {
        image: &wanted.image,
        accelerator: wanted.accelerator,
        size: wanted.size,
        memory: handed,
        // Nothing is read of it: what clones have there is never what the snapshot has seen.
        volume: None,
        origin: Origin::Kernel(kernel_command_line(wanted.accelerator)),
    };
    let limits = wanted.size.booting();
    let started = Machine::start("vm-boot", parts, limits, accept_missing).await;
    let Started { machine, qmp, port } = started.map_err(NotBooted::Refused)?;
    let output = port.try_clone();
    let output = output
        .map_err(internal("copy a descriptor"))
        .map_err(NotBooted::Refused)?;
    match Agent::meet(port, output, BOOT_TIME).await {
        Ok(agent) => Ok(Booted {
            machine,
            qmp,
            agent,
            memory,
        }),
        Err(error) => {
            let hangs = matches!(error, AgentError::Silent(_) | AgentError::Gone(_));
            machine.keep(qmp);
            let failed = machine.failed("boot a virtual machine", error);
            // The first error says more.
            let _ = machine.destroy().await;
            Err(if hangs {
                NotBooted::Hangs(failed)
            } else {
                NotBooted::Refused(failed)
            })
        }
    }
}

/// Makes a booted machine ready and takes the snapshot.
async fn finish(wanted: &Wanted, booted: Booted, boots: u32) -> Result<Taken, CreateError> {
    let Booted {
        machine,
        mut qmp,
        mut agent,
        memory,
    } = booted;
    let hello = agent.hello().clone();
    let prepared = agent
        .prepare(&wanted.surroundings, wanted.stays.as_ref())
        .await;
    let saved = match prepared {
        Ok(()) => match memory_file("state", 0) {
            Ok(state) => match save(&mut qmp, &state).await {
                Ok(()) => Ok(state),
                Err(error) => Err(machine.failed("take a snapshot", error)),
            },
            Err(error) => Err(internal("make memory for a virtual machine")(error)),
        },
        Err(error @ AgentError::Refused(_)) => Err(error.into_create_error(atoll_types::Level::Vm)),
        Err(error) => Err(machine.failed("make a virtual machine ready", error)),
    };
    let destroyed = machine.destroy().await;
    drop(agent);
    let state = saved?;
    destroyed.map_err(internal("end the machine of a snapshot"))?;
    Ok(Taken {
        memory,
        state,
        hello,
        boots,
    })
}

/// What the kernel is told.
pub(crate) fn kernel_command_line(accelerator: Accelerator) -> String {
    let mut words = [
        "console=ttyS0",
        "quiet",
        // A guest that fails ends its machine, which is seen at once.
        "panic=-1",
        "reboot=t",
        // Nothing of the following is there; looking for it takes time.
        "pci=off",
        "i8042.noaux",
        "i8042.nomux",
        "i8042.nopnp",
        "i8042.dumbkbd",
        "cryptomgr.notests",
    ]
    .join(" ");
    if accelerator == Accelerator::Tcg {
        // Translated code does not speculate, and what works around that is slow when it is
        // emulated.
        words.push_str(" mitigations=off");
        if let Some(rate) = ticks::kilohertz() {
            // Nothing here counts more evenly, least of all the ticks that it would be watched by.
            words.push_str(&format!(" tsc_early_khz={rate} tsc=reliable"));
        }
    }
    words
}

/// Memory stays in its file, and is no part of what is written or read.
async fn ignore_memory(qmp: &mut Qmp) -> Result<(), QmpError> {
    let capability = json!({ "capability": "x-ignore-shared", "state": true });
    let arguments = json!({ "capabilities": [capability] });
    let set = qmp.execute("migrate-set-capabilities", arguments, None);
    set.await.map(drop)
}

async fn hand_over(qmp: &mut Qmp, state: &OwnedFd) -> Result<(), QmpError> {
    let arguments = json!({ "fdname": "state" });
    let handed = qmp.execute("getfd", arguments, Some(state.as_fd()));
    handed.await.map(drop)
}

/// Writes the state of the devices to a file; the memory is in its own.
async fn save(qmp: &mut Qmp, state: &OwnedFd) -> Result<(), QmpError> {
    ignore_memory(qmp).await?;
    hand_over(qmp, state).await?;
    // The machine is not stopped before: clones would wake up stopped.
    qmp.execute("migrate", json!({ "uri": "fd:state" }), None)
        .await?;
    let begun = Instant::now();
    let completed = async {
        loop {
            let status = qmp.execute("query-migrate", Value::Null, None).await?;
            match status.get("status").and_then(Value::as_str) {
                Some("completed") => return Ok(()),
                Some("failed" | "cancelled") => {
                    let why = status.get("error-desc").and_then(Value::as_str);
                    let why = why.unwrap_or("it does not say why").to_owned();
                    return Err(QmpError::Refused("migrate", why));
                }
                _ => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    };
    let left = SNAPSHOT_TIME.saturating_sub(begun.elapsed());
    timeout(left, completed)
        .await
        .map_err(|_| QmpError::Silent)?
}

/// Lets a machine that has not begun go on from a state. What comes of it, its agent tells.
async fn restore(qmp: &mut Qmp, state: &OwnedFd) -> Result<(), QmpError> {
    ignore_memory(qmp).await?;
    hand_over(qmp, state).await?;
    let incoming = qmp.execute("migrate-incoming", json!({ "uri": "fd:state" }), None);
    incoming.await.map(drop)
}

/// From now on nobody changes it, not even who has it open.
fn seal(file: &OwnedFd) -> io::Result<()> {
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    Ok(rustix::fs::fcntl_add_seals(file, seals)?)
}
