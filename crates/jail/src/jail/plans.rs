//! Jails that are more than the home of one program: what they are asked for.

use super::{Jail, JailBeginning, JailError, JailSpec};

/// What a jail is to be besides the home of one program.
#[derive(Clone, Copy, Default)]
pub(super) struct Plans {
    pub(super) zygote: bool,
    pub(super) runtime: bool,
    pub(super) renews: bool,
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
