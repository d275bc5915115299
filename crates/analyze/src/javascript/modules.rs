//! The modules of Node.js and a few well-known packages, and what they are good for.
//!
//! Source: the Node.js API documentation, version 22.

use atoll_types::Capability::{
    self, DynamicCode, FilesRead, FilesWrite, Introspection, NativeCode, Network, Processes,
    Randomness, SystemInformation, Threads, Time, UnsafeDeserialization,
};

/// What a module is for.
pub(super) struct Module {
    name: &'static str,
    /// What it is good for as a whole.
    pub(super) capabilities: &'static [Capability],
    /// Whether its members are told apart by [`member`]; else each counts as the whole.
    pub(super) is_divided: bool,
    /// Whether its functions reach out of the program.
    pub(super) is_host: bool,
}

const fn pure(name: &'static str) -> Module {
    Module {
        name,
        capabilities: &[],
        is_divided: false,
        is_host: false,
    }
}

const fn whole(name: &'static str, capabilities: &'static [Capability]) -> Module {
    Module {
        name,
        capabilities,
        is_divided: false,
        is_host: true,
    }
}

const fn divided(name: &'static str, capabilities: &'static [Capability]) -> Module {
    Module {
        name,
        capabilities,
        is_divided: true,
        is_host: true,
    }
}

/// The modules that come with Node.js, by canonical name, sorted.
const BUILT_IN: [Module; 56] = [
    pure("assert"),
    whole("async_hooks", &[Introspection]),
    pure("buffer"),
    whole("child_process", &[Processes]),
    whole("cluster", &[Processes, Network]),
    pure("console"),
    pure("constants"),
    divided("crypto", &[Randomness]),
    whole("dgram", &[Network]),
    pure("diagnostics_channel"),
    whole("dns", &[Network]),
    pure("domain"),
    pure("events"),
    divided("fs", &[FilesRead, FilesWrite]),
    divided("http", &[Network]),
    divided("http2", &[Network]),
    divided("https", &[Network]),
    whole("inspector", &[Introspection, Network]),
    divided("module", &[DynamicCode]),
    divided("net", &[Network]),
    divided("os", &[SystemInformation]),
    pure("path"),
    whole("perf_hooks", &[Time]),
    // `process` is the global of that name.
    divided("process", &[]),
    pure("punycode"),
    pure("querystring"),
    pure("readline"),
    whole("repl", &[DynamicCode]),
    whole("sea", &[FilesRead]),
    whole("sqlite", &[FilesRead, FilesWrite]),
    pure("stream"),
    pure("string_decoder"),
    pure("sys"),
    whole("test", &[Processes]),
    divided("timers", &[Time]),
    divided("tls", &[Network]),
    whole("trace_events", &[Introspection]),
    pure("tty"),
    pure("url"),
    pure("util"),
    divided("v8", &[Introspection, UnsafeDeserialization, FilesWrite]),
    divided("vm", &[DynamicCode]),
    whole("wasi", &[FilesRead, FilesWrite, DynamicCode]),
    whole("worker_threads", &[Threads]),
    pure("zlib"),
    // Kept below the others: the internals behind them.
    whole("_http_agent", &[Network]),
    whole("_http_client", &[Network]),
    whole("_http_common", &[Network]),
    whole("_http_incoming", &[Network]),
    whole("_http_outgoing", &[Network]),
    whole("_http_server", &[Network]),
    pure("_stream_duplex"),
    pure("_stream_passthrough"),
    pure("_stream_readable"),
    pure("_stream_transform"),
    pure("_stream_writable"),
];

/// Packages whose name alone says what they are good for.
const PACKAGES: &[(&str, &[Capability])] = &[
    ("@grpc/grpc-js", &[Network]),
    ("axios", &[Network]),
    ("bindings", &[NativeCode]),
    ("cross-spawn", &[Processes]),
    ("execa", &[Processes]),
    ("express", &[Network]),
    ("fastify", &[Network]),
    ("ffi", &[NativeCode]),
    ("ffi-napi", &[NativeCode]),
    ("fs-extra", &[FilesRead, FilesWrite]),
    ("glob", &[FilesRead]),
    ("got", &[Network]),
    ("graceful-fs", &[FilesRead, FilesWrite]),
    ("koa", &[Network]),
    ("koffi", &[NativeCode]),
    ("mongodb", &[Network]),
    ("mysql2", &[Network]),
    ("node-addon-api", &[NativeCode]),
    ("node-fetch", &[Network]),
    ("node-gyp-build", &[NativeCode]),
    ("node-pty", &[Processes]),
    ("node-serialize", &[UnsafeDeserialization]),
    ("pg", &[Network]),
    ("playwright", &[Network, Processes]),
    ("puppeteer", &[Network, Processes]),
    ("redis", &[Network]),
    ("ref-napi", &[NativeCode]),
    ("request", &[Network]),
    ("rimraf", &[FilesWrite]),
    ("shelljs", &[FilesRead, FilesWrite, Processes]),
    ("socket.io", &[Network]),
    ("superagent", &[Network]),
    ("undici", &[Network]),
    ("vm2", &[DynamicCode]),
    ("ws", &[Network]),
];

/// The built-in module of this canonical name.
pub(super) fn built_in(name: &str) -> Option<&'static Module> {
    BUILT_IN.iter().find(|module| module.name == name)
}

/// What a package is good for, as far as its name says.
pub(super) fn package(name: &str) -> &'static [Capability] {
    let known = PACKAGES.iter().find(|(package, _)| *package == name);
    known.map_or(&[], |(_, capabilities)| capabilities)
}

/// A module's name in the one form the tables know: without `node:`, with a member for what is
/// below it, so that `node:fs/promises` becomes `fs.promises`.
pub(super) fn canonical(specifier: &str) -> String {
    let bare = specifier.strip_prefix("node:").unwrap_or(specifier);
    match bare.split_once('/') {
        Some((top, below)) if built_in(top).is_some() => format!("{top}.{below}"),
        _ => bare.to_owned(),
    }
}

/// What a member of a divided module is good for.
pub(super) fn member(module: &str, path: &[&str]) -> &'static [Capability] {
    let path = match path {
        // The same functions, returning promises.
        ["promises", rest @ ..] => rest,
        path => path,
    };
    let Some(name) = path.first() else {
        return built_in(module).map_or(&[], |module| module.capabilities);
    };
    let plain = name.strip_suffix("Sync").unwrap_or(name);
    match module {
        "fs" => file(plain),
        "crypto" => crypto(plain),
        "process" => process(plain),
        "os" => match plain {
            "EOL" | "constants" | "devNull" | "tmpdir" => &[],
            _ => &[SystemInformation],
        },
        "module" => match plain {
            "builtinModules" | "isBuiltin" => &[],
            _ => &[DynamicCode],
        },
        "vm" => match plain {
            "isContext" | "createContext" | "constants" | "measureMemory" => &[],
            _ => &[DynamicCode],
        },
        "v8" => match plain {
            "deserialize" | "Deserializer" | "DefaultDeserializer" => &[UnsafeDeserialization],
            "serialize" | "Serializer" | "DefaultSerializer" => &[],
            "writeHeapSnapshot" => &[FilesWrite, Introspection],
            "getHeapStatistics" | "getHeapSpaceStatistics" => &[SystemInformation],
            _ => &[Introspection],
        },
        "http" | "http2" | "https" | "net" | "tls" => match plain {
            "STATUS_CODES"
            | "METHODS"
            | "constants"
            | "isIP"
            | "isIPv4"
            | "isIPv6"
            | "maxHeaderSize"
            | "getCiphers"
            | "rootCertificates"
            | "validateHeaderName"
            | "validateHeaderValue" => &[],
            _ => &[Network],
        },
        "timers" => match plain {
            "setImmediate" | "clearImmediate" | "clearTimeout" | "clearInterval" => &[],
            _ => &[Time],
        },
        _ => built_in(module).map_or(&[], |module| module.capabilities),
    }
}

/// Functions of `fs`, without `Sync`.
fn file(name: &str) -> &'static [Capability] {
    match name {
        "constants" | "close" | "fsync" | "fdatasync" | "Stats" | "Dirent" => &[],
        "access" | "createReadStream" | "exists" | "fstat" | "glob" | "lstat" | "openAsBlob"
        | "opendir" | "read" | "readFile" | "readdir" | "readlink" | "readv" | "realpath"
        | "stat" | "statfs" | "unwatchFile" | "watch" | "watchFile" | "ReadStream" => &[FilesRead],
        "appendFile" | "chmod" | "chown" | "createWriteStream" | "fchmod" | "fchown"
        | "ftruncate" | "futimes" | "lchmod" | "lchown" | "link" | "lutimes" | "mkdir"
        | "mkdtemp" | "rename" | "rm" | "rmdir" | "symlink" | "truncate" | "unlink" | "utimes"
        | "write" | "writeFile" | "writev" | "WriteStream" => &[FilesWrite],
        _ => &[FilesRead, FilesWrite],
    }
}

/// Functions of `crypto`, without `Sync`.
fn crypto(name: &str) -> &'static [Capability] {
    let is_random = name.starts_with("random")
        || name.starts_with("generate")
        || matches!(
            name,
            "getRandomValues" | "webcrypto" | "createDiffieHellman" | "subtle"
        );
    if is_random { &[Randomness] } else { &[] }
}

/// Members of `process`.
fn process(name: &str) -> &'static [Capability] {
    match name {
        "env" | "loadEnvFile" => &[Capability::Environment],
        "kill" | "_kill" | "execve" | "abort" | "_debugProcess" => &[Processes],
        "binding" | "_linkedBinding" | "dlopen" => &[NativeCode],
        "hrtime" | "uptime" => &[Time],
        "arch"
        | "availableMemory"
        | "config"
        | "constrainedMemory"
        | "cpuUsage"
        | "execPath"
        | "features"
        | "getActiveResourcesInfo"
        | "getegid"
        | "geteuid"
        | "getgid"
        | "getgroups"
        | "getuid"
        | "memoryUsage"
        | "pid"
        | "platform"
        | "ppid"
        | "release"
        | "resourceUsage"
        | "version"
        | "versions" => &[SystemInformation],
        "initgroups" | "setegid" | "seteuid" | "setgid" | "setgroups" | "setuid" | "umask" => {
            &[Capability::SystemChange]
        }
        "report" => &[SystemInformation, FilesWrite],
        _ => &[],
    }
}

/// What can be done with `process` when it is handed around.
pub(super) const PROCESS_WHOLE: [Capability; 4] = [
    Capability::Environment,
    Processes,
    NativeCode,
    SystemInformation,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_known_by_any_of_their_names() {
        for specifier in ["fs", "node:fs", "fs/promises", "node:fs/promises"] {
            let canonical = canonical(specifier);
            let top = canonical.split('.').next().unwrap();
            assert!(built_in(top).is_some(), "{specifier}");
        }
        assert_eq!(canonical("./fs"), "./fs");
        assert_eq!(canonical("@acme/fs"), "@acme/fs");
        assert!(built_in("left-pad").is_none());
    }

    #[test]
    fn reading_writing_and_neither_are_told_apart() {
        assert_eq!(member("fs", &["readFileSync"]), [FilesRead]);
        assert_eq!(member("fs", &["promises", "writeFile"]), [FilesWrite]);
        assert_eq!(member("fs", &["open"]), [FilesRead, FilesWrite]);
        assert_eq!(member("fs", &["constants", "R_OK"]), []);
        assert_eq!(member("fs", &[]), [FilesRead, FilesWrite]);
        assert_eq!(member("crypto", &["createHash"]), []);
        assert_eq!(member("crypto", &["randomBytes"]), [Randomness]);
    }
}
