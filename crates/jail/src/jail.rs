//! The supervisor's half: makes a jail, starts one program in it, watches, removes everything.

mod layers;
mod plans;
mod renewal;
mod spec;
mod supervision;
mod usage;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use atoll_types::{Layer, LayerReport, LayerState, LimitName, Limits};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::MemfdFlags;
use rustix::io::Errno;
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::ablation;
use crate::calls::Supervised;
use crate::cgroup::{self, Group};
use crate::control::{Received, Receiver, send};
use crate::helper::helper_binary;
use crate::host::host;
use crate::leavings::Leavings;
use crate::plan::{
    DiskLimits, Failure, PlacedFile, Plan, ProgramEnd, Reply, ResourceLimits, Start,
};
use crate::seccomp::{Filter, Profile};
use crate::zygote::Slot;

pub(crate) use layers::{LAYERS, layers, sees_network};
use layers::{ONE_PORT, ONE_PORT_FILES, SHARED, SHARED_NETWORK, in_force};
use plans::Plans;
use renewal::ended;
pub use spec::{Command, JailError, JailFile, JailSpec, Root, Running};

/// The launcher answers within microseconds; a host that takes longer than this is broken.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// One jail. Dropping it ends everything inside and removes it; [`Jail::destroy`] also tells
/// whether that worked.
pub struct Jail {
    limits: Limits,
    group: Arc<dyn Group>,
    socket: UnixStream,
    receiver: Receiver,
    /// The program's first process: a child of this process, unless this is a copy or is kept.
    first: Option<OwnedFd>,
    /// Whether a keeper, and not this process, has the first process as its child.
    renews: bool,
    /// The keeper: a child of this process. Its end is the end of everything inside.
    keeper: Option<OwnedFd>,
    /// The working directory, for looking at what is in it and how full it is.
    scratch: Option<OwnedFd>,
    /// The listening socket of the only way out, if there is one.
    way_out: Option<OwnedFd>,
    started: Option<Started>,
    ended: Option<ProgramEnd>,
    removed: bool,
    processes_peak: AtomicU32,
    /// Whether there is a `/proc` inside, which reads and writes are counted by.
    counts: bool,
    done: usage::Done,
    /// The zygote that this is a copy of, and not a child of this process then.
    copy: Option<Slot>,
    /// Who judges the program's calls, if there are rules for them.
    supervised: Option<Supervised>,
}

/// A jail that is being built by other processes. Dropping it undoes what was built.
pub struct JailBeginning {
    /// Taken when it is waited for.
    launcher: Option<Starting>,
    /// Taken when it is finished.
    jail: Option<Jail>,
}

impl JailBeginning {
    /// Puts the limits in force and waits until everything is built. The jail may lack the layers
    /// of `accept_missing`; [`Jail::layers`] names those it lacks.
    ///
    /// # Errors
    /// As for [`Jail::create`].
    pub async fn finish(
        mut self,
        limits: Limits,
        accept_missing: &BTreeSet<Layer>,
    ) -> Result<Jail, JailError> {
        check_accepted(accept_missing)?;
        let gone = io::ErrorKind::NotConnected;
        let jail = self.jail.as_mut();
        let jail = jail.ok_or_else(|| internal("finish a jail")(gone.into()))?;
        jail.group
            .set_limits(&jail.group_limits(&limits))
            .map_err(limits_refused)?;
        jail.limits = limits;
        let disk = disk_limits(&limits);
        // When nobody listens any more, the answers that have come say why.
        let _ = jail.send(&disk, &[]);
        let built = jail.built().await;
        // Without a launcher nobody answers; why there is none says more than that.
        self.launcher.take().map_or(Ok(()), wait_for_launcher)?;
        built?;
        let jail = self.jail.take();
        jail.ok_or_else(|| internal("finish a jail")(gone.into()))
    }
}

impl Drop for JailBeginning {
    fn drop(&mut self) {
        if let Some(jail) = &self.jail {
            // Whoever waits for a message from here ends; what they have said can still be read.
            let _ = rustix::net::shutdown(&jail.socket, rustix::net::Shutdown::Write);
        }
        let _ = self.launcher.take().map(wait_for_launcher);
        if let Some(mut jail) = self.jail.take() {
            jail.find_first();
        }
    }
}

/// CPU time of all jails of this host, zygotes included, in microseconds. It counts from the last
/// time at which there was no jail; `None` where there is no group that counts it.
#[must_use]
pub fn cpu_time_us() -> Option<u64> {
    host().hierarchies.cpu_time_us()
}

/// What the groups around those of all jails leave them of memory, in bytes; `None` where nothing
/// is limited.
#[must_use]
pub fn memory_limit_bytes() -> Option<u64> {
    host().hierarchies.memory_limit_bytes()
}

/// Whether all that this host lacks is accepted to be missing.
pub(crate) fn check_accepted(accept_missing: &BTreeSet<Layer>) -> Result<(), JailError> {
    let refused = host().lacks.iter();
    let refused = refused.filter(|report| !accept_missing.contains(&report.layer));
    let refused: Vec<_> = refused.cloned().collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(JailError::NotEnforceable(refused))
    }
}

/// The limits of private files. They are memory, which nobody else bounds on some hosts.
pub(crate) fn disk_limits(limits: &Limits) -> DiskLimits {
    DiskLimits {
        bytes: if host().is_without(Layer::MemoryLimit) {
            limits.disk_bytes.min(limits.memory_bytes)
        } else {
            limits.disk_bytes
        },
        files: limits.disk_files,
    }
}

/// A launcher that another thread starts: until it executes its program, whoever starts it waits.
type Starting = JoinHandle<io::Result<Child>>;

struct Started {
    at: Instant,
    cpu_time_us: u64,
}

impl Jail {
    /// Builds a jail that lacks nothing, ready for [`Jail::start`].
    ///
    /// # Errors
    /// [`JailError::NotEnforceable`] names what this host lacks. Nothing is left behind.
    pub async fn create(spec: &JailSpec, limits: Limits) -> Result<Self, JailError> {
        Self::begin(spec)?.finish(limits, &BTreeSet::new()).await
    }

    /// Begins to build a jail, as complete as this host allows: whether that is enough is asked
    /// when it is finished. Other processes do the work, so this returns before it is done; it has
    /// to be called inside a Tokio runtime.
    ///
    /// # Errors
    /// As for [`Jail::create`], where the host's lack is known this early.
    pub fn begin(spec: &JailSpec) -> Result<JailBeginning, JailError> {
        Self::begin_as(spec, Plans::default())
    }

    fn begin_as(spec: &JailSpec, plans: Plans) -> Result<JailBeginning, JailError> {
        // Before there is another process in this one's group, from which it may have to move.
        host();
        // Early, because it takes a while to start.
        let (launcher, socket) = start_launcher()?;
        let mut beginning = JailBeginning {
            launcher: Some(launcher),
            jail: None,
        };
        let group = match make_group(&spec.name) {
            Ok(group) => group,
            Err(error) => {
                // Without its socket the launcher ends, which is waited for.
                drop(socket);
                return Err(error);
            }
        };
        let jail = beginning.jail.insert(Self::new(group, socket, None));
        jail.renews = plans.renews;
        jail.counts = spec.root.proc;
        let (cgroups, entrances) = jail
            .group
            .entrance()
            .map_err(internal("open the cgroup's entrance"))?;
        let entrances: Vec<_> = entrances.iter().map(AsFd::as_fd).collect();
        let plan = Plan {
            zygote: plans.zygote,
            runtime: plans.runtime,
            renews: plans.renews,
            way_out: plans.way_out,
            ..plan(spec, cgroups)
        };
        jail.send(&plan, &entrances)?;
        Ok(beginning)
    }

    fn new(group: Arc<dyn Group>, socket: UnixStream, copy: Option<Slot>) -> Self {
        Self {
            limits: Limits::NONE,
            group,
            socket,
            receiver: Receiver::default(),
            first: None,
            renews: false,
            keeper: None,
            scratch: None,
            way_out: None,
            started: None,
            ended: None,
            removed: false,
            processes_peak: AtomicU32::new(0),
            counts: true,
            done: usage::Done::default(),
            copy,
            supervised: None,
        }
    }

    /// The jail that a copy of a zygote is going to be, with its limits in force.
    pub(crate) fn of_copy(
        name: &str,
        limits: Limits,
        socket: std::os::unix::net::UnixStream,
        slot: Slot,
    ) -> Result<Self, JailError> {
        let socket = socket
            .set_nonblocking(true)
            .and_then(|()| UnixStream::from_std(socket))
            .map_err(internal("make a socket"))?;
        let group = slot.group().map_or_else(|| make_group(name), Ok)?;
        let mut jail = Self::new(group, socket, Some(slot));
        jail.group
            .set_limits(&jail.group_limits(&limits))
            .map_err(limits_refused)?;
        jail.limits = limits;
        Ok(jail)
    }

    /// What a copy has to write "0" to.
    pub(crate) fn own_entrance(&self) -> Result<&[OwnedFd], JailError> {
        let entrances = self.group.own_entrance();
        entrances.map_err(internal("open the cgroup's entrance"))
    }

    /// Waits until the copy is what [`Self::of_copy`] began.
    pub(crate) async fn ready(mut self) -> Result<Self, JailError> {
        self.built().await?;
        self.restart_clock();
        Ok(self)
    }

    /// Waits for what [`Self::begin`] has set to work, in whichever order it is reported: a copy
    /// may be ready before the interpreter that forked it tells of its first process.
    async fn built(&mut self) -> Result<(), JailError> {
        while self.first.is_none() || self.scratch.is_none() {
            match self.answer().await? {
                (Reply::Spawned, descriptors) => self.spawned(descriptors),
                (Reply::Began, descriptors) => self.first = descriptors.into_iter().next(),
                (Reply::Ready, descriptors) => {
                    let mut descriptors = descriptors.into_iter();
                    self.scratch = descriptors.next();
                    self.way_out = descriptors.next();
                }
                (Reply::Failed(failure), _) => return Err(failed(failure)),
                (reply, _) => return Err(unexpected(&reply)),
            }
        }
        self.io_is_not_its_own();
        Ok(())
    }

    /// Looks for the first process among the answers that have come, so that its end can be waited
    /// for.
    fn find_first(&mut self) {
        while let Ok(received) = self.receiver.receive(&self.socket) {
            match received {
                Received::Message(Reply::Spawned, descriptors) => self.spawned(descriptors),
                Received::Message(_, _) | Received::Incomplete => {}
                Received::Closed => return,
            }
        }
    }

    /// What is in force in this jail once it is started, and what it lacks.
    #[must_use]
    pub fn layers(&self, profile: Profile) -> Vec<LayerReport> {
        let mut layers = layers(profile);
        if profile == Profile::Client {
            let enforced = |report: &&mut LayerReport| report.state == LayerState::Enforced;
            for report in layers.iter_mut().filter(enforced) {
                match report.layer {
                    Layer::NetworkNamespace => report.detail = ONE_PORT.to_owned(),
                    Layer::Landlock => report.detail = ONE_PORT_FILES.to_owned(),
                    _ => {}
                }
            }
        }
        if self.copy.is_some() {
            let own_network = sees_network(profile);
            for report in &mut layers {
                match report.layer {
                    Layer::IpcNamespace | Layer::UtsNamespace => {
                        report.detail = SHARED.to_owned();
                    }
                    Layer::NetworkNamespace if !own_network => {
                        report.detail = SHARED_NETWORK.to_owned();
                    }
                    _ => {}
                }
            }
        }
        layers
    }

    /// Places the files and starts the program.
    ///
    /// # Errors
    /// When a layer cannot be put in force or the program cannot be executed; it has not run then,
    /// and the jail is only good for [`Jail::destroy`].
    pub async fn start(&mut self, command: Command) -> Result<Running, JailError> {
        self.check_fits(&command)?;
        let bundle = bundle(&command.files).map_err(internal("bundle the files"))?;
        let (running, inner) = Running::pipes()?;
        let start = Start {
            path: command.path,
            arguments: command.arguments,
            environment: ablation::variables(command.environment),
            files: command.files.iter().map(placed_file).collect(),
            resource_limits: self.resource_limits(&command.calls),
            filter: filter(command.profile)?,
            execute_low: in_force(command.profile) == Profile::Strict,
            calls: self.calls_filter(&command.calls)?,
        };
        let calls = self.supervise(&command.calls)?;
        let descriptors: Vec<_> = [&bundle]
            .into_iter()
            .chain(&calls)
            .chain(&inner)
            .chain(&command.descriptors)
            .map(AsFd::as_fd)
            .collect();
        let cpu_time_us = self.group.cpu_time_us();
        // The confirmation may come after the program has already run: the clock starts here.
        let at = Instant::now();
        self.send(&start, &descriptors)?;
        match self.answer().await {
            Ok((Reply::Started(before), _)) => self.done.begun(before),
            Ok((Reply::Failed(failure), _)) => return Err(failed(failure)),
            Ok((reply, _)) => return Err(unexpected(&reply)),
            // It was ended for what it called before anybody could say that it runs.
            Err(_) if self.is_trapped() => {}
            Err(error) => return Err(self.start_unknown(error)),
        }
        self.started = Some(Started { at, cpu_time_us });
        Ok(running)
    }

    /// Nobody has said that the program started. It may have: nothing must take its place.
    fn start_unknown(&self, error: JailError) -> JailError {
        match (self.limit_hit(), error) {
            (Some(limit), _) => JailError::Limit(limit),
            (None, JailError::Internal(_, source)) => {
                JailError::Program("hear from the program's start".to_owned(), source)
            }
            (None, error) => error,
        }
    }

    /// Whether the files of a command fit into the private files.
    ///
    /// # Errors
    /// [`JailError::Limit`] when they do not.
    pub fn check_fits(&self, command: &Command) -> Result<(), JailError> {
        let files = command.files.iter();
        let bytes: u64 = files.map(|file| file.content.len() as u64).sum();
        if bytes > self.limits.disk_bytes {
            return Err(JailError::Limit(LimitName::Disk));
        }
        Ok(())
    }

    /// Whether the files of a command, however the kernel stores them, leave most of the private
    /// files free.
    #[must_use]
    pub fn has_ample_room(&self, command: &Command) -> bool {
        const PAGE_BYTES: u64 = 4096;
        let pages = |file: &JailFile| (file.content.len() as u64).div_ceil(PAGE_BYTES) + 1;
        let bytes = command.files.iter().map(pages).sum::<u64>() * PAGE_BYTES;
        let files = command.files.len() as u64;
        let limits = disk_limits(&self.limits);
        bytes <= limits.bytes / 2 && files <= limits.files / 2
    }

    /// Lets usage count from now on, for a program that waited for its job until now.
    pub fn restart_clock(&mut self) {
        self.started = Some(Started {
            at: Instant::now(),
            cpu_time_us: self.group.cpu_time_us(),
        });
    }

    /// Waits for the program's end. `None` when the jail's own first process ended instead.
    /// Cancelling loses nothing.
    pub async fn wait(&mut self) -> Option<ProgramEnd> {
        if self.ended.is_none()
            && let Ok((Reply::Ended(end, done), _)) = self.receive().await
        {
            self.done.ended(done);
            self.ended = Some(end);
        }
        self.ended
    }

    /// Memory in use now, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.group.memory_bytes()
    }

    /// A limit that the kernel reports as hit. Running out of files or processes is for the
    /// program to handle; it counts only once the program has failed.
    #[must_use]
    pub fn limit_hit(&self) -> Option<LimitName> {
        let hit = cgroup::limit_hit(self.group.as_ref(), &self.limits);
        match self.ended {
            None | Some(ProgramEnd::Exited(0)) => hit,
            Some(_) if hit.is_some() => hit,
            Some(ProgramEnd::Signalled(libc::SIGXFSZ)) => Some(LimitName::Disk),
            Some(ProgramEnd::Signalled(libc::SIGXCPU)) => Some(LimitName::CpuTime),
            Some(_) if self.group.process_refusals() > 0 => Some(LimitName::Processes),
            Some(_) if self.disk().is_some_and(|disk| disk.full) => Some(LimitName::Disk),
            Some(_) => None,
        }
    }

    /// Changes CPU, memory and process limits of what runs.
    ///
    /// # Errors
    /// When the kernel refuses, for instance a memory limit below what is in use.
    pub fn set_limits(&mut self, limits: Limits) -> io::Result<()> {
        let held = |limits: &Limits| (limits.memory_bytes, limits.processes, limits.cpu_percent);
        if held(&self.limits) != held(&limits) {
            self.group.set_limits(&self.group_limits(&limits))?;
        }
        self.limits = limits;
        Ok(())
    }

    /// Processes in the cgroup that are not the program's. The first process of a copy is in its
    /// zygote's.
    fn own_processes(&self) -> u32 {
        let hand = u32::from(self.supervised.is_some());
        u32::from(self.copy.is_none()) + u32::from(self.renews) + hand
    }

    fn group_limits(&self, limits: &Limits) -> Limits {
        let held = ablation::group_limits(limits);
        Limits {
            processes: held.processes.saturating_add(self.own_processes()),
            ..held
        }
    }

    /// Ends everything inside, at once; a keeper stays.
    pub fn stop(&mut self) {
        if let Some(first) = self.first.as_ref().or(self.keeper.as_ref()) {
            // It may have ended already, which is what is wanted.
            let _ = pidfd_send_signal(first, Signal::KILL);
        }
    }

    /// Ends everything inside, and then tells what lies in the working directory.
    ///
    /// # Errors
    /// When the end takes too long, or the directory cannot be read.
    pub async fn leavings(&mut self) -> io::Result<Leavings> {
        // The first process is only gone once every other process of its namespace is.
        self.stop_and_wait().await?;
        let work = self.scratch.as_ref().ok_or(io::ErrorKind::NotFound)?;
        Leavings::below(work.as_fd(), self.limits.disk_files)
    }

    /// Ends everything inside and removes the jail.
    ///
    /// # Errors
    /// When something could not be removed; the error names it.
    pub async fn destroy(mut self) -> io::Result<()> {
        self.end();
        // Nearly always everything ends at once, and removing what held it is quick.
        if self.all_ended().await.is_ok() && (self.keep_group() || self.group.try_remove()) {
            self.removed = true;
            return Ok(());
        }
        match tokio::task::spawn_blocking(move || self.remove()).await {
            Ok(removed) => removed,
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// Leaves the group to the next copy of the zygote; whether it did.
    fn keep_group(&self) -> bool {
        let copy = self.copy.as_ref();
        copy.is_some_and(|slot| self.group.reset() && slot.keep(&self.group))
    }

    /// Waits until the first process has ended, and with it everything inside.
    async fn first_ended(&mut self) -> io::Result<()> {
        if let Some(first) = &self.first {
            ended(first).await?;
        }
        self.first = None;
        Ok(())
    }

    /// Waits for the processes that [`Self::stop`] ended, then removes what held them.
    fn remove(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.removed, true) {
            return Ok(());
        }
        self.scratch = None;
        if let Some(first) = self.keeper.take().or(self.first.take()) {
            poll(&mut [PollFd::new(&first, PollFlags::IN)], None)?;
            match waitid(WaitId::PidFd(first.as_fd()), WaitIdOptions::EXITED) {
                // Of what is no child of this process, its zygote is told.
                Ok(_) | Err(Errno::CHILD) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.group.remove().map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("{}: {error}", self.group.path().display()),
            )
        })
    }

    fn disk(&self) -> Option<Disk> {
        let files = rustix::fs::fstatfs(self.scratch.as_ref()?).ok()?;
        let block_bytes = u64::try_from(files.f_bsize).ok()?;
        let used = files.f_blocks.saturating_sub(files.f_bfree);
        Some(Disk {
            used_bytes: used.saturating_mul(block_bytes),
            full: files.f_bfree == 0 || files.f_ffree == 0,
        })
    }

    fn send<T: serde::Serialize>(
        &self,
        message: &T,
        descriptors: &[std::os::fd::BorrowedFd<'_>],
    ) -> Result<(), JailError> {
        // The other end reads at once, so waiting for it here is short; bounded all the same.
        let socket = self.socket.as_fd();
        let patient = |on: bool| rustix::io::ioctl_fionbio(socket, !on).map_err(io::Error::from);
        patient(true)
            .and_then(|()| {
                let sent = send(socket, message, descriptors);
                patient(false)?;
                sent
            })
            .map_err(internal("talk to the launcher"))
    }

    async fn answer(&mut self) -> Result<(Reply, Vec<OwnedFd>), JailError> {
        match tokio::time::timeout(ANSWER_TIMEOUT, self.receive()).await {
            Ok(answer) => answer.map_err(internal("hear from the launcher")),
            Err(_) => Err(internal("hear from the launcher")(
                io::ErrorKind::TimedOut.into(),
            )),
        }
    }

    async fn receive_next(&mut self) -> io::Result<(Reply, Vec<OwnedFd>)> {
        loop {
            self.socket.readable().await?;
            let (socket, receiver) = (&self.socket, &mut self.receiver);
            match socket.try_io(Interest::READABLE, || receiver.receive(socket)) {
                Ok(Received::Message(reply, descriptors)) => return Ok((reply, descriptors)),
                Ok(Received::Incomplete) => {}
                Ok(Received::Closed) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Jail {
    fn drop(&mut self) {
        if !self.removed {
            self.end();
            let _ = self.remove();
        }
    }
}

struct Disk {
    used_bytes: u64,
    full: bool,
}

fn make_group(name: &str) -> Result<Arc<dyn Group>, JailError> {
    let made = host().hierarchies.create(name);
    made.map(Arc::from).map_err(limits_refused)
}

fn plan(spec: &JailSpec, cgroups: crate::plan::CgroupJoin) -> Plan {
    Plan {
        binds: ablation::binds(spec.root.binds.clone()),
        links: spec.root.links.clone(),
        texts: spec.root.texts.clone(),
        proc: spec.root.proc,
        devices: spec.root.devices,
        kvm: spec.root.kvm,
        landlock: host().landlock,
        cgroups,
        own_users: host().own_users,
        directories: spec.root.directories.clone(),
        zygote: false,
        runtime: false,
        renews: false,
        way_out: None,
    }
}

pub(crate) fn filter(profile: Profile) -> Result<Filter, JailError> {
    Filter::of(in_force(profile))
        .map_err(|error| internal("compile the system call filter")(io::Error::other(error)))
}

pub(crate) fn resource_limits(limits: &Limits) -> ResourceLimits {
    let processes = u64::from(limits.processes);
    ResourceLimits {
        open_files: limits.open_files.into(),
        // The cgroup holds the limit. This one also counts processes that have ended and wait to be
        // waited for, and is there to bound those; it is all there is without a cgroup.
        processes: if host().is_without(Layer::ProcessLimit) {
            // An ordinary user's first process counts, too.
            processes + 1
        } else {
            processes * 4 + 64
        },
        data_bytes: host()
            .is_without(Layer::MemoryLimit)
            .then_some(limits.memory_bytes),
        cpu_time_s: limits.cpu_time_ms.div_ceil(1000) + 1,
        file_bytes: limits.disk_bytes,
    }
}

/// A launcher that waits for its plan, and the socket to send it through.
fn start_launcher() -> Result<(Starting, UnixStream), JailError> {
    let path = helper_binary("atoll-launcher")?;
    ablation::check().map_err(internal("leave out a layer"))?;
    let (ours, theirs) =
        std::os::unix::net::UnixStream::pair().map_err(internal("make a socket"))?;
    let ours = ours
        .set_nonblocking(true)
        .and_then(|()| UnixStream::from_std(ours))
        .map_err(internal("make a socket"))?;
    let mut command = std::process::Command::new(path);
    command
        .env_clear()
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    ablation::tell(&mut command);
    let launcher = std::thread::Builder::new()
        .name("start launcher".to_owned())
        .spawn(move || {
            let launcher = command.spawn();
            // While the launcher does its work.
            Filter::prepare();
            launcher
        })
        .map_err(internal("start a thread"))?;
    Ok((launcher, ours))
}

/// Waits until the launcher has ended, which it does once the first process is on its own.
fn wait_for_launcher(starting: Starting) -> Result<(), JailError> {
    let started = starting
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the thread that started it panicked")));
    started
        .and_then(|mut launcher| launcher.wait())
        .map(drop)
        .map_err(internal("start atoll-launcher"))
}

/// All files one after the other, in memory.
fn bundle(files: &[JailFile]) -> io::Result<OwnedFd> {
    let mut bundle = fs::File::from(rustix::fs::memfd_create("files", MemfdFlags::CLOEXEC)?);
    for file in files {
        bundle.write_all(&file.content)?;
    }
    bundle.rewind()?;
    Ok(bundle.into())
}

fn placed_file(file: &JailFile) -> PlacedFile {
    PlacedFile {
        name: file.name.clone(),
        length: file.content.len() as u64,
        executable: file.executable,
    }
}

fn failed(failure: Failure) -> JailError {
    let error = failure.error();
    match failure.layer {
        Some(Layer::PrivateFiles) if error.raw_os_error() == Some(libc::ENOSPC) => {
            JailError::Limit(LimitName::Disk)
        }
        Some(layer) => missing(layer, &format!("failed to {}: {error}", failure.attempt)),
        None if failure.attempt.starts_with("execute ") => {
            JailError::Program(failure.attempt, error)
        }
        None => JailError::Internal(failure.attempt, error),
    }
}

fn missing(layer: Layer, detail: &str) -> JailError {
    JailError::NotEnforceable(vec![report_missing(layer, detail)])
}

/// A limit below what the jail itself uses is too small; other errors are the host's.
fn limits_refused(error: io::Error) -> JailError {
    if error.kind() == io::ErrorKind::ResourceBusy {
        return JailError::Limit(LimitName::Memory);
    }
    let detail = format!("{} is not usable: {error}", host().hierarchies.describe());
    missing(Layer::MemoryLimit, &detail)
}

fn report_missing(layer: Layer, detail: &str) -> LayerReport {
    LayerReport {
        layer,
        state: LayerState::Missing,
        detail: detail.to_owned(),
    }
}

fn unexpected(reply: &Reply) -> JailError {
    let error = io::Error::other(format!("unexpected answer {reply:?}"));
    JailError::Internal("understand the launcher".to_owned(), error)
}

pub(crate) fn internal(attempt: &str) -> impl FnOnce(io::Error) -> JailError {
    let attempt = attempt.to_owned();
    move |error| JailError::Internal(attempt, error)
}
