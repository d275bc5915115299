//! The supervisor's side: starts a zygote, asks it for copies, hands each one an id of its own.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use atoll_types::{Layer, Limits};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::ablation;
use crate::cgroup::Group;
use crate::control::{Receiver, send};
use crate::host::host;
use crate::jail::{
    Command, Jail, JailError, JailSpec, Running, check_accepted, disk_limits, filter, internal,
    resource_limits, sees_network,
};
use crate::launcher::identity::{COPIES_MAX, FIRST_COPY};
use crate::plan::{Fork, Reply};
use crate::seccomp::Profile;

/// An interpreter starts within tens of milliseconds; importing large modules takes longer.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Groups that are kept for copies to come.
const GROUPS_MAX: usize = 64;

/// An interpreter in a jail of its own that forks confined copies of itself. Dropping it ends it
/// and every copy.
pub struct Zygote {
    socket: OwnedFd,
    /// Ids that no copy has.
    users: Mutex<Vec<u32>>,
    /// Groups that copies have left, as good as new.
    groups: Mutex<Vec<Arc<dyn Group>>>,
    copies: AtomicU64,
    started: Instant,
    /// Nobody writes to or reads from these while it serves.
    _streams: Running,
    /// What ends it when it is dropped.
    _jail: Jail,
}

/// What a copy is made for.
#[derive(Debug)]
pub struct CopySpec {
    /// Names the copy's cgroups: letters, digits and `-`.
    pub name: String,
    /// Bounds for the copy and everything it starts.
    pub limits: Limits,
    /// Which system calls its program may make.
    pub profile: Profile,
    /// Layers that it may lack, where this host cannot enforce them.
    pub accept_missing: BTreeSet<Layer>,
    /// Descriptors the interpreter finds at 3, 4, ...
    pub descriptors: Vec<OwnedFd>,
}

/// An id that a copy has for as long as this lives.
pub(crate) struct Slot {
    zygote: Arc<Zygote>,
    user: u32,
}

impl Drop for Slot {
    fn drop(&mut self) {
        lock(&self.zygote.users).push(self.user);
    }
}

impl Slot {
    /// A group that another copy has left.
    pub(crate) fn group(&self) -> Option<Arc<dyn Group>> {
        lock(&self.zygote.groups).pop()
    }

    /// Keeps a group for another copy; whether there was room for it.
    pub(crate) fn keep(&self, group: &Arc<dyn Group>) -> bool {
        let mut groups = lock(&self.zygote.groups);
        let has_room = groups.len() < GROUPS_MAX;
        if has_room {
            groups.push(Arc::clone(group));
        }
        has_room
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        for group in lock(&self.groups).drain(..) {
            // Nothing is in it; should it stay all the same, the next sweep finds it.
            let _ = group.remove();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Zygote {
    /// Whether this host has what it takes: ids to give, and control groups to put copies in.
    #[must_use]
    pub fn is_possible() -> bool {
        let needed = [Layer::MemoryLimit, Layer::ProcessLimit, Layer::CpuLimit];
        host().copy_users && !needed.into_iter().any(|layer| host().is_without(layer))
    }

    /// Starts an interpreter and waits until it serves. The command finds its end of the control
    /// socket at descriptor 3, before those it brings.
    ///
    /// # Errors
    /// As for [`Jail::create`] and [`Jail::start`]; when the interpreter ends instead, with what it
    /// wrote to standard error.
    pub async fn start(
        spec: &JailSpec,
        limits: Limits,
        mut command: Command,
    ) -> Result<Self, JailError> {
        let (ours, theirs) =
            std::os::unix::net::UnixStream::pair().map_err(internal("make a socket"))?;
        command.descriptors.insert(0, theirs.into());
        command.environment = ablation::variables_of_zygote(command.environment);
        // Whether that is enough is asked for each copy.
        let accepted = Layer::DISPENSABLE.into();
        let mut jail = Jail::begin_zygote(spec)?.finish(limits, &accepted).await?;
        let streams = jail.start(command).await?;
        let ready = tokio::time::timeout(START_TIMEOUT, is_ready(&ours)).await;
        match ready.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(()) => Ok(Self {
                socket: ours.into(),
                users: Mutex::new((0..COPIES_MAX).rev().map(|n| FIRST_COPY + n).collect()),
                groups: Mutex::default(),
                copies: AtomicU64::new(0),
                started: Instant::now(),
                _streams: streams,
                _jail: jail,
            }),
            Err(error) => {
                jail.stop();
                let why = format!("{error}: {}", last_words(&streams));
                let _ = jail.destroy().await;
                let error = io::Error::new(error.kind(), why);
                Err(internal("start an interpreter that forks")(error))
            }
        }
    }

    /// Makes a copy, confined and ready for its program; it finds its descriptors in place.
    ///
    /// # Errors
    /// As for [`Jail::create`]. Nothing is left behind.
    pub async fn copy(self: &Arc<Self>, spec: CopySpec) -> Result<(Jail, Running), JailError> {
        check_accepted(&spec.accept_missing)?;
        let slot = self.slot()?;
        let (running, inner) = Running::pipes()?;
        let (ours, theirs) =
            std::os::unix::net::UnixStream::pair().map_err(internal("make a socket"))?;
        let user = slot.user;
        let jail = Jail::of_copy(&spec.name, spec.limits, ours, slot)?;
        let fork = Fork {
            user,
            own_network: sees_network(spec.profile),
            landlock: host().landlock,
            disk: disk_limits(&spec.limits),
            resource_limits: resource_limits(&spec.limits),
            filter: filter(spec.profile)?,
            descriptors: inner.len() + spec.descriptors.len(),
        };
        let theirs = OwnedFd::from(theirs);
        let descriptors: Vec<_> = [&theirs]
            .into_iter()
            .chain(&inner)
            .chain(&spec.descriptors)
            .chain(jail.own_entrance()?)
            .map(AsFd::as_fd)
            .collect();
        send(self.socket.as_fd(), &fork, &descriptors)
            .map_err(internal("ask the interpreter for a copy"))?;
        drop((theirs, inner));
        self.copies.fetch_add(1, Ordering::Relaxed);
        Ok((jail.ready().await?, running))
    }

    /// Copies made so far.
    #[must_use]
    pub fn copies(&self) -> u64 {
        self.copies.load(Ordering::Relaxed)
    }

    /// How long it has served.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether it still serves.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let mut watched = [PollFd::new(&self.socket, PollFlags::IN | PollFlags::RDHUP)];
        // It says nothing on this socket any more; any event is its end.
        matches!(poll(&mut watched, Some(&Timespec::default())), Ok(0))
    }

    fn slot(self: &Arc<Self>) -> Result<Slot, JailError> {
        let user = lock(&self.users).pop().ok_or_else(|| {
            internal("make a copy")(io::Error::other(format!(
                "the interpreter has {COPIES_MAX} copies, which is the most it may have at once"
            )))
        })?;
        Ok(Slot {
            zygote: Arc::clone(self),
            user,
        })
    }
}

async fn is_ready(socket: &std::os::unix::net::UnixStream) -> io::Result<()> {
    let mut receiver = Receiver::default();
    crate::sys::readable(socket.as_fd()).await?;
    match receiver.receive_blocking::<Reply>(socket.as_fd())? {
        (Reply::Ready, _) => Ok(()),
        (reply, _) => Err(io::Error::other(format!("unexpected answer {reply:?}"))),
    }
}

/// What an interpreter wrote before it gave up.
fn last_words(streams: &Running) -> String {
    let mut words = vec![0; 4096];
    let length = rustix::io::read(&streams.stderr, &mut words).unwrap_or(0);
    words.truncate(length);
    String::from_utf8_lossy(&words).trim().to_owned()
}
