//! Builds jails from Linux namespaces, seccomp, Landlock and cgroups.
//!
//! A [`Jail`] is a place in which one program runs under hard limits and from which nothing gets
//! out: own user, mount, process, network, IPC, host name and cgroup namespaces, a minimal
//! read-only root, private files of limited size, own user ids, no capabilities, a system call
//! allowlist, Landlock, resource limits and cgroups. It is what the levels `process` and
//! `instance` are made of; this crate knows neither of them, nor what a message is.
//!
//! The supervisor's half ([`Jail`]) runs in Atoll's own process and talks to the launcher
//! ([`launch`], the binary `atoll-launcher`), which does everything that needs a process of its
//! own. Whatever cannot be put in force makes the start fail with the layer's name, unless the
//! caller has accepted that this one layer is missing.

mod ablation;
pub mod calls;
mod cgroup;
mod control;
mod counts;
mod helper;
mod host;
mod jail;
mod launcher;
mod leavings;
mod plan;
mod probe;
pub mod seccomp;
pub mod sys;
mod zygote;

pub use counts::parse as parse_io;
pub use helper::{HelperMissing, helper_binary};
pub use jail::{
    Command, Jail, JailBeginning, JailError, JailFile, JailSpec, Root, Running, cpu_time_us,
    memory_limit_bytes,
};
pub use launcher::run as launch;
pub use leavings::{Leaving, Leavings, LeftFile};
pub use plan::{Bind, GUEST_ID, ProgramEnd, WORK_DIRECTORY};
pub use probe::probe;
pub use zygote::{CopySpec, Hooks, Served, Zygote, serve as serve_copies};
