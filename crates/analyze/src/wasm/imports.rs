//! What the imports of a WebAssembly program let it do, and which of them Atoll offers.
//!
//! Sources: the WASI preview 1 functions of `wasi_snapshot_preview1.witx`, and the interfaces of
//! `wasi:cli/command` 0.2, both from the WebAssembly/WASI repository.

use atoll_types::Capability::{
    self, Environment, FilesRead, FilesWrite, Network, Randomness, Time,
};

/// The module name of WASI preview 1.
const PREVIEW1: &str = "wasi_snapshot_preview1";

/// What a function of WASI preview 1 is good for; `None` for what is not part of it.
///
/// Descriptors alone give no files: without a `path_` function a program only has its standard
/// streams. `path_open` can create and truncate.
pub(super) fn preview1(module: &str, name: &str) -> Option<&'static [Capability]> {
    if module != PREVIEW1 {
        return None;
    }
    Some(match name {
        "args_get"
        | "args_sizes_get"
        | "fd_advise"
        | "fd_allocate"
        | "fd_close"
        | "fd_datasync"
        | "fd_fdstat_get"
        | "fd_fdstat_set_flags"
        | "fd_fdstat_set_rights"
        | "fd_filestat_get"
        | "fd_filestat_set_size"
        | "fd_filestat_set_times"
        | "fd_pread"
        | "fd_prestat_dir_name"
        | "fd_prestat_get"
        | "fd_pwrite"
        | "fd_read"
        | "fd_renumber"
        | "fd_seek"
        | "fd_sync"
        | "fd_tell"
        | "fd_write"
        | "proc_exit"
        | "proc_raise"
        | "sched_yield" => &[],
        "fd_readdir" | "path_filestat_get" | "path_readlink" => &[FilesRead],
        "path_open" => &[FilesRead, FilesWrite],
        "path_create_directory"
        | "path_filestat_set_times"
        | "path_link"
        | "path_remove_directory"
        | "path_rename"
        | "path_symlink"
        | "path_unlink_file" => &[FilesWrite],
        "environ_get" | "environ_sizes_get" => &[Environment],
        "clock_res_get" | "clock_time_get" | "poll_oneoff" => &[Time],
        "random_get" => &[Randomness],
        "sock_accept" | "sock_recv" | "sock_send" | "sock_shutdown" => &[Network],
        _ => return None,
    })
}

/// The name of an interface, taken apart: `wasi:filesystem/types@0.2.3`.
pub(super) struct Interface<'a> {
    /// `wasi:filesystem`, or the whole name when it has no interface.
    package: &'a str,
    /// `types`
    interface: &'a str,
    /// `0.2.3`
    version: &'a str,
}

impl<'a> Interface<'a> {
    pub(super) fn named(name: &'a str) -> Self {
        let (path, version) = name.split_once('@').unwrap_or((name, ""));
        let (package, interface) = path.split_once('/').unwrap_or((path, ""));
        Self {
            package,
            interface,
            version,
        }
    }

    pub(super) fn package(&self) -> &'a str {
        self.package
    }

    /// Whether it is part of what a command of WASI 0.2 is given.
    pub(super) fn is_offered(&self) -> bool {
        let is_preview2 = self.version == "0.2" || self.version.starts_with("0.2.");
        let is_known = match self.package {
            "wasi:cli" => {
                matches!(
                    self.interface,
                    "environment" | "exit" | "stdin" | "stdout" | "stderr"
                ) || self.interface.starts_with("terminal-")
            }
            "wasi:clocks" => matches!(self.interface, "monotonic-clock" | "wall-clock"),
            "wasi:filesystem" => matches!(self.interface, "types" | "preopens"),
            "wasi:io" => matches!(self.interface, "error" | "poll" | "streams"),
            "wasi:random" => {
                matches!(self.interface, "random" | "insecure" | "insecure-seed")
            }
            "wasi:sockets" => matches!(
                self.interface,
                "network"
                    | "instance-network"
                    | "ip-name-lookup"
                    | "tcp"
                    | "tcp-create-socket"
                    | "udp"
                    | "udp-create-socket"
            ),
            _ => false,
        };
        is_preview2 && is_known
    }

    /// What the interface as a whole is good for.
    pub(super) fn capabilities(&self) -> &'static [Capability] {
        match (self.package, self.interface) {
            ("wasi:cli", "environment") => &[Environment],
            ("wasi:clocks", _) => &[Time],
            ("wasi:filesystem", _) => &[FilesRead, FilesWrite],
            ("wasi:random", _) => &[Randomness],
            ("wasi:sockets" | "wasi:http", _) => &[Network],
            _ => &[],
        }
    }

    /// What one function of it is good for.
    pub(super) fn function_capabilities(&self, function: &str) -> &'static [Capability] {
        match (self.package, self.interface) {
            ("wasi:cli", "environment") if function != "get-environment" => &[],
            // Handing over the directories does nothing by itself.
            ("wasi:filesystem", "preopens") => &[],
            ("wasi:filesystem", "types") => {
                descriptor_capabilities(function.rsplit('.').next().unwrap_or(function))
            }
            _ => self.capabilities(),
        }
    }
}

/// What a method of a file descriptor is good for.
fn descriptor_capabilities(method: &str) -> &'static [Capability] {
    match method {
        "read"
        | "read-via-stream"
        | "read-directory"
        | "read-directory-entry"
        | "readlink-at"
        | "stat"
        | "stat-at"
        | "metadata-hash"
        | "metadata-hash-at" => &[FilesRead],
        "write"
        | "write-via-stream"
        | "append-via-stream"
        | "set-size"
        | "set-times"
        | "set-times-at"
        | "create-directory-at"
        | "link-at"
        | "remove-directory-at"
        | "rename-at"
        | "symlink-at"
        | "unlink-file-at" => &[FilesWrite],
        "advise"
        | "sync"
        | "sync-data"
        | "get-flags"
        | "get-type"
        | "is-same-object"
        | "filesystem-error-code" => &[],
        // `open-at` can create and truncate.
        _ => &[FilesRead, FilesWrite],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_offered_by_package_interface_and_version() {
        for name in [
            "wasi:cli/stdout@0.2.0",
            "wasi:filesystem/types@0.2.6",
            "wasi:sockets/tcp@0.2.3",
            "wasi:cli/terminal-input@0.2.0",
        ] {
            assert!(Interface::named(name).is_offered(), "{name}");
        }
        for name in [
            "wasi:cli/stdout@0.3.0",
            "wasi:cli/stdout@0.20.0",
            "wasi:cli/stdout",
            "wasi:http/types@0.2.0",
            "acme:db/query@0.2.0",
            "print",
            "",
        ] {
            assert!(!Interface::named(name).is_offered(), "{name}");
        }
    }

    #[test]
    fn file_methods_are_told_apart() {
        let types = Interface::named("wasi:filesystem/types@0.2.0");
        let of = |function| types.function_capabilities(function);
        assert_eq!(of("[method]descriptor.read"), [FilesRead]);
        assert_eq!(of("[method]descriptor.rename-at"), [FilesWrite]);
        assert_eq!(of("[method]descriptor.open-at"), [FilesRead, FilesWrite]);
        assert_eq!(of("[method]descriptor.get-type"), []);
    }

    #[test]
    fn preview1_knows_no_other_module() {
        assert_eq!(preview1("wasi_unstable", "fd_write"), None);
        assert_eq!(preview1(PREVIEW1, "fd_write"), Some([].as_slice()));
        assert_eq!(preview1(PREVIEW1, "thread-spawn"), None);
    }
}
