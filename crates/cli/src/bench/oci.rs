//! A bundle for OCI runtimes: what bubblewrap is given, in their words.

use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use super::peers::{ISOLATED, PYTHON};

/// Writes a root directory made of /usr, and the configuration (OCI runtime specification 1.0.2).
pub(super) fn write_bundle(bundle: &Path, script: &Path) -> io::Result<()> {
    let root = bundle.join("rootfs");
    for directory in ["usr", "proc", "tmp", "dev", "work"] {
        std::fs::create_dir_all(root.join(directory))?;
    }
    for (link, target) in [
        ("lib", "usr/lib"),
        ("lib64", "usr/lib64"),
        ("bin", "usr/bin"),
    ] {
        symlink(target, root.join(link))?;
    }
    let name = script.file_name().unwrap_or_default().to_string_lossy();
    let directory = script.parent().unwrap_or(Path::new("/"));
    let inside = format!("/work/{name}");
    let arguments: Vec<&str> = std::iter::once(PYTHON)
        .chain(ISOLATED)
        .chain([inside.as_str()])
        .collect();
    let bind = |host: &Path, guest: &str| {
        json!({
            "destination": guest, "type": "bind", "source": host, "options": ["rbind", "ro"],
        })
    };
    let namespaces = ["pid", "mount", "ipc", "uts", "network"].map(|kind| json!({"type": kind}));
    let config = json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": arguments,
            "env": ["PATH=/usr/bin:/bin"],
            "cwd": "/",
            "noNewPrivileges": true,
            "capabilities": {},
        },
        "root": {"path": "rootfs", "readonly": true},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
            bind(Path::new("/usr"), "/usr"),
            bind(directory, "/work"),
        ],
        "linux": {
            "namespaces": namespaces,
            "resources": {"memory": {"limit": 256 << 20}, "pids": {"limit": 64}},
        },
    });
    std::fs::write(bundle.join("config.json"), config.to_string())
}
