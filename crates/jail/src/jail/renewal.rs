//! A jail that is made as good as new for its next program, and the keeper that it takes.
//!
//! Owns the order of it, and when it is not good enough. What is left of the program before is
//! nothing but the kernel's counters: its processes, namespaces and private files are gone, and a
//! jail in which they are not, or that has memory left that nobody accounts for, is not renewed.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use atoll_types::{Layer, Limits};
use rustix::io::Errno;
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};

use super::plans::Plans;
use super::{
    ANSWER_TIMEOUT, Jail, JailBeginning, JailError, JailSpec, disk_limits, internal, limits_refused,
};
use crate::cgroup;
use crate::control::Received;
use crate::host::host;
use crate::plan::{Renew, Reply};
use crate::sys;

/// The kernel takes mounts and namespaces apart after their last process has ended. The cgroup is
/// looked at until then, at first after a pause like this and then each time after twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LOOKS: u32 = 11;

impl Jail {
    /// Begins to build a jail that can be [renewed](Self::renew), where this host can do so: see
    /// [`Self::is_renewable`].
    ///
    /// # Errors
    /// As for [`Jail::begin`].
    pub fn begin_renewable(spec: &JailSpec) -> Result<JailBeginning, JailError> {
        let plans = Plans {
            renews: Self::is_renewable(),
            ..Plans::default()
        };
        Self::begin_as(spec, plans)
    }

    /// Whether jails can be renewed on this host. Without cgroups nothing would tell one program's
    /// use from another's, and without user ids of its own a jail's keeper would have the
    /// program's.
    #[must_use]
    pub fn is_renewable() -> bool {
        let counted = [Layer::MemoryLimit, Layer::ProcessLimit];
        host().own_users
            && !matches!(host().hierarchies, cgroup::Hierarchies::None(_))
            && !counted.into_iter().any(|layer| host().is_without(layer))
    }

    /// Notes the child of this process that everything inside comes from.
    pub(super) fn spawned(&mut self, descriptors: Vec<OwnedFd>) {
        let child = descriptors.into_iter().next();
        if let Some(child) = &child {
            self.group.entered(child.as_fd());
        }
        if self.renews {
            self.keeper = child;
        } else {
            self.first = child;
        }
    }

    /// Ends everything inside for good.
    pub(super) fn end(&mut self) {
        if let Some(keeper) = &self.keeper {
            // Before its first process is found to have ended, and the next one is asked for.
            let _ = pidfd_send_signal(keeper, Signal::KILL);
        }
        self.stop();
    }

    /// The same, and waits for the end of the keeper, if there is one.
    pub(super) async fn all_ended(&mut self) -> io::Result<()> {
        if let Some(keeper) = &self.keeper {
            // The kernel ends everything below it before it is gone itself.
            ended(keeper).await?;
            self.keeper = None;
            self.first = None;
        }
        self.first_ended().await
    }

    /// Ends everything inside, and prepares the jail for another [`Jail::start`] under such
    /// limits: with a first process, namespaces and private files of its own, and counters that
    /// begin anew.
    ///
    /// # Errors
    /// When anything of the program before is still there, or the jail cannot be renewed; it is
    /// only good for [`Jail::destroy`] then.
    pub async fn renew(&mut self, limits: Limits) -> Result<(), JailError> {
        if !self.renews || self.keeper.is_none() || self.ended.is_none() {
            return Err(internal("renew a jail")(io::ErrorKind::Unsupported.into()));
        }
        self.stop_and_wait()
            .await
            .map_err(internal("end what runs in a jail"))?;
        // This process must not be what keeps the files.
        self.scratch = None;
        self.emptied().await?;
        self.started = None;
        self.ended = None;
        self.supervised = None;
        *self.processes_peak.get_mut() = 0;
        self.group
            .set_limits(&self.group_limits(&limits))
            .map_err(limits_refused)?;
        self.limits = limits;
        self.send(&Renew { word: Renew::WORD }, &[])?;
        self.send(&disk_limits(&limits), &[])?;
        self.built().await
    }

    /// Ends what runs inside, and waits until the kernel has ended all of it.
    pub(super) async fn stop_and_wait(&mut self) -> io::Result<()> {
        if self.first.is_some() {
            self.stop();
        }
        let ended = tokio::time::timeout(ANSWER_TIMEOUT, self.first_ended()).await;
        ended.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Waits for the next thing that is said from inside.
    pub(super) async fn receive(&mut self) -> io::Result<(Reply, Vec<OwnedFd>)> {
        match &self.first {
            Some(first) if self.renews => {
                let first = first.try_clone()?;
                self.receive_until_end_of(&first).await
            }
            _ => self.receive_next().await,
        }
    }

    /// Waits for what is said from inside, or for the end of the first process: its keeper holds
    /// the socket open beyond that.
    pub(super) async fn receive_until_end_of(
        &mut self,
        first: &OwnedFd,
    ) -> io::Result<(Reply, Vec<OwnedFd>)> {
        tokio::select! {
            biased;
            received = self.receive_next() => return received,
            ended = sys::readable(first.as_fd()) => ended?,
        }
        // Whatever it has said was said before its end.
        loop {
            match self.receiver.receive(&self.socket) {
                Ok(Received::Message(reply, descriptors)) => return Ok((reply, descriptors)),
                Ok(Received::Incomplete) => {}
                Ok(Received::Closed) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until nothing but the keeper is left in the cgroup, and lets its counters begin anew.
    async fn emptied(&self) -> Result<(), JailError> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..LOOKS {
            // It may have the kernel look for memory to give back, which takes as long as the
            // program has made it.
            let group = Arc::clone(&self.group);
            let renewed = tokio::task::spawn_blocking(move || group.renew(KEEPERS)).await;
            if renewed.map_err(|error| internal("renew a jail")(error.into()))? {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        let (bytes, processes) = (self.group.memory_bytes(), self.group.processes());
        let what =
            format!("{bytes} bytes and {processes} processes are left of the program before");
        Err(internal("renew a jail")(io::Error::other(what)))
    }
}

/// Processes that stay in the cgroup.
const KEEPERS: u32 = 1;

/// Waits until a process has ended, and collects it if it is a child of this one; otherwise its
/// zygote or its keeper does.
pub(super) async fn ended(process: &OwnedFd) -> io::Result<()> {
    let ended = |options| waitid(WaitId::PidFd(process.as_fd()), options);
    match ended(WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
        Ok(Some(_)) => {}
        Ok(None) => {
            sys::readable(process.as_fd()).await?;
            ended(WaitIdOptions::EXITED)?;
        }
        Err(Errno::CHILD) => sys::readable(process.as_fd()).await?,
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
