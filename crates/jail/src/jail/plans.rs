//! Jails that are more than the home of one program: what they are asked for.

use std::os::fd::OwnedFd;

use super::{Jail, JailBeginning, JailError, JailSpec};

/// What a jail is to be besides the home of one program.
#[derive(Clone, Copy, Default)]
pub(super) struct Plans {
    pub(super) zygote: bool,
    pub(super) runtime: bool,
    pub(super) renews: bool,
    pub(super) way_out: Option<u16>,
}

impl Jail {
    /// Begins to build a jail for an interpreter that forks confined copies of itself.
    pub(crate) fn begin_zygote(spec: &JailSpec) -> Result<JailBeginning, JailError> {
        let plans = Plans {
            zygote: true,
            ..Plans::default()
        };
        Self::begin_as(spec, plans)
    }

    /// Begins to build a jail with one way out: in its own network namespace the loopback interface
    /// is up, and a socket listens at `port` of 127.0.0.1, which [`Jail::take_way_out`] has. What
    /// connects to it speaks with whoever holds that socket, and there is nothing else to connect
    /// to. Programs are started with [`Profile::Client`](crate::seccomp::Profile::Client).
    ///
    /// # Errors
    /// As for [`Jail::begin`].
    pub fn begin_with_way_out(spec: &JailSpec, port: u16) -> Result<JailBeginning, JailError> {
        let plans = Plans {
            way_out: Some(port),
            ..Plans::default()
        };
        Self::begin_as(spec, plans)
    }

    /// The listening socket of a jail with a way out, in the jail's network namespace; `None`
    /// where there is none, or it was taken.
    pub fn take_way_out(&mut self) -> Option<OwnedFd> {
        self.way_out.take()
    }

    /// Begins to build a jail for a container runtime. What runs there is started with
    /// [`Profile::Runtime`](crate::seccomp::Profile::Runtime), stays the user 0 of the jail's user
    /// namespace, and has no resource limits of its own but those it sets itself.
    ///
    /// # Errors
    /// As for [`Jail::begin`].
    pub fn begin_runtime(spec: &JailSpec) -> Result<JailBeginning, JailError> {
        let plans = Plans {
            runtime: true,
            ..Plans::default()
        };
        Self::begin_as(spec, plans)
    }
}
