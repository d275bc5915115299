//! What the names of Node.js mean: modules, functions and globals. Knows nothing about syntax.

use atoll_types::{Capability, DependencySource};

use crate::findings::Findings;

/// Methods that call their argument once for each element.
pub(super) const ITERATORS: [&str; 7] = [
    "map", "forEach", "filter", "reduce", "flatMap", "some", "every",
];

/// The modules that come with Node.js.
const BUILTINS: &[&str] = &[
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

/// Notes a module that is required or imported.
pub(super) fn module(specifier: &str, findings: &mut Findings) {
    let bare = specifier.strip_prefix("node:").unwrap_or(specifier);
    let top = bare.split('/').next().unwrap_or_default();
    if specifier.ends_with(".node") || bare.contains("ffi") {
        findings.capability(Capability::NativeCode);
    }
    if specifier.starts_with(['.', '/']) {
        findings.dependency(specifier, DependencySource::Local);
    } else if specifier.starts_with("node:") || BUILTINS.contains(&top) {
        findings.dependency(top, DependencySource::StandardLibrary);
        of_module(top, findings);
    } else {
        let parts = if bare.starts_with('@') { 2 } else { 1 };
        let package: Vec<_> = bare.split('/').take(parts).collect();
        findings.dependency(&package.join("/"), DependencySource::ThirdParty);
    }
}

/// What a module is for as a whole. `fs` is judged by the methods that are called.
fn of_module(top: &str, findings: &mut Findings) {
    let capability = match top {
        "net" | "http" | "https" | "http2" | "dgram" | "tls" | "dns" => Capability::Network,
        "child_process" | "cluster" => Capability::Processes,
        "worker_threads" => Capability::Threads,
        "vm" | "module" | "repl" => Capability::DynamicCode,
        "os" => Capability::SystemInformation,
        "crypto" => Capability::Randomness,
        "timers" | "perf_hooks" => Capability::Time,
        "inspector" | "async_hooks" => Capability::Introspection,
        _ => return,
    };
    findings.capability(capability);
}

/// Notes a call of a dotted path.
pub(super) fn call(path: &str, findings: &mut Findings) {
    let top = path.split(['.', '/']).next().unwrap_or_default();
    let method = path.rsplit('.').next().unwrap_or_default();
    let is_host = BUILTINS.contains(&top) && !matches!(top, "console" | "assert");
    if is_host && path.contains('.') || matches!(path, "fetch" | "WebSocket") {
        findings.host_call(path);
    }
    if top == "fs" {
        file(method, findings);
    }
    match path {
        "fetch" | "WebSocket" | "XMLHttpRequest" | "EventSource" => {
            findings.capability(Capability::Network);
        }
        "Worker" => findings.capability(Capability::Threads),
        "v8.deserialize" => findings.capability(Capability::UnsafeDeserialization),
        "process.kill" => findings.capability(Capability::Processes),
        _ => {}
    }
}

fn file(method: &str, findings: &mut Findings) {
    const WRITES: [&str; 15] = [
        "write",
        "append",
        "unlink",
        "rm",
        "mkdir",
        "rename",
        "chmod",
        "createWrite",
        "chown",
        "truncate",
        "copy",
        "symlink",
        "link",
        "utimes",
        "cp",
    ];
    const READS: [&str; 10] = [
        "read",
        "createRead",
        "stat",
        "lstat",
        "exists",
        "access",
        "realpath",
        "watch",
        "opendir",
        "fstat",
    ];
    let writes = WRITES.iter().any(|name| method.starts_with(name));
    let reads = READS.iter().any(|name| method.starts_with(name));
    if writes || !reads {
        findings.capability(Capability::FilesWrite);
    }
    if reads || !writes {
        findings.capability(Capability::FilesRead);
    }
}

/// Notes a name or a dotted path that is used, called or not.
pub(super) fn member(path: &str, findings: &mut Findings) {
    let top = path.split('.').next().unwrap_or_default();
    let capability = match top {
        "Date" | "performance" | "setTimeout" | "setInterval" => Capability::Time,
        "Proxy" | "Reflect" | "__proto__" => Capability::Introspection,
        "WebAssembly" => Capability::DynamicCode,
        _ => match path {
            "Math.random" => Capability::Randomness,
            "process.platform" | "process.arch" | "process.versions" => {
                Capability::SystemInformation
            }
            "process.binding" | "process.dlopen" => Capability::NativeCode,
            _ if path.starts_with("process.env") => Capability::Environment,
            _ if path.contains("__proto__") || path.ends_with("constructor.constructor") => {
                Capability::Introspection
            }
            _ => return,
        },
    };
    findings.capability(capability);
}
