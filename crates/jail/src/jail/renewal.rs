//! A jail that is made as good as new for its next program.
//!
//! Owns the order of it, and when it is not good enough. What is left of the program before is
//! nothing but the kernel's counters: its processes, namespaces and private files are gone, and a
//! jail in which they are not, or that has memory left that nobody accounts for, is not renewed.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use atoll_types::Limits;

use super::{ANSWER_TIMEOUT, Jail, JailError, disk_limits, internal, limits_refused};
use crate::control::Received;
use crate::plan::{Renew, Reply};
use crate::sys;

/// The kernel takes mounts and namespaces apart after their last process has ended. The cgroup is
/// looked at until then, at first after a pause like this and then each time after twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LOOKS: u32 = 9;

impl Jail {
    /// Whether this jail can be renewed at all.
    #[must_use]
    pub const fn renews(&self) -> bool {
        self.renews
    }

    /// Ends everything inside, and prepares the jail for another [`Jail::start`] under such limits:
    /// with a first process, namespaces and private files of its own, and counters that begin anew.
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
        *self.processes_peak.get_mut() = 0;
        self.group
            .set_limits(&self.group_limits(&limits))
            .map_err(limits_refused)?;
        self.limits = limits;
        self.send(&Renew, &[])?;
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

    /// Waits for what is said from inside, or for the end of the first process: its keeper holds the
    /// socket open beyond that.
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
            if self.group.renew(KEEPERS) {
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
