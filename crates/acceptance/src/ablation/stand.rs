//! What the attacks are aimed at: everything here was made for them.

use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The host's ids of every program while ids are not its own: the second of the first pair.
const SHARED_USER: u32 = 0x6000_0001;

/// What the canary holds.
pub(super) const SECRET: &str = "nobody may read this";

/// Canaries of every kind.
pub(super) struct Stand {
    directory: tempfile::TempDir,
    tcp: TcpListener,
    by_path: UnixListener,
    by_name: UnixListener,
    abstract_name: String,
    segment: String,
    sacrifice: Child,
}

impl Stand {
    /// Puts them up.
    pub(super) fn new() -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("failed to put up the canaries: {error}");
        let directory = tempfile::Builder::new()
            .prefix("canary-")
            .tempdir()
            .map_err(failed)?;
        let path = |name: &str| directory.path().join(name);
        let open = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(failed)
        };
        fs::write(path("canary"), SECRET).map_err(failed)?;
        fs::write(path("owned"), SECRET).map_err(failed)?;
        chown(path("owned"), Some(SHARED_USER), Some(SHARED_USER)).map_err(failed)?;
        let by_path = UnixListener::bind(path("socket")).map_err(failed)?;
        // Readable for everybody: only the sandbox is in the way.
        open(&path("canary"), 0o666)?;
        open(&path("owned"), 0o600)?;
        open(&path("socket"), 0o777)?;
        open(directory.path(), 0o777)?;
        let abstract_name = directory.path().file_name().unwrap_or_default();
        let abstract_name = abstract_name.to_string_lossy().into_owned();
        let name = SocketAddr::from_abstract_name(&abstract_name).map_err(failed)?;
        Ok(Self {
            tcp: TcpListener::bind("127.0.0.1:0").map_err(failed)?,
            by_name: UnixListener::bind_addr(&name).map_err(failed)?,
            by_path,
            abstract_name,
            segment: segment()?,
            sacrifice: sacrifice()?,
            directory,
        })
    }

    /// What every program is told after its mark.
    pub(super) fn arguments(&self) -> Result<[String; 4], String> {
        let port = self.tcp.local_addr().map_err(|error| error.to_string())?;
        Ok([
            self.canary().display().to_string(),
            port.port().to_string(),
            self.abstract_name.clone(),
            self.sacrifice.id().to_string(),
        ])
    }

    /// The directory of the canaries.
    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The shared memory segment.
    pub(super) fn segment(&self) -> &str {
        &self.segment
    }

    fn canary(&self) -> PathBuf {
        self.directory.path().join("canary")
    }

    /// Puts back what an attack that worked has changed; tells when it was the canary itself.
    pub(super) fn restore(&mut self) -> Result<(), String> {
        drop(fs::remove_file(self.directory.path().join("planted")));
        if self.sacrifice.try_wait().is_ok_and(|ended| ended.is_some()) {
            self.sacrifice = sacrifice()?;
        }
        let text = fs::read_to_string(self.canary()).unwrap_or_default();
        if text == SECRET {
            Ok(())
        } else {
            Err(format!("the canary was changed: {text:?}"))
        }
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        let _ = (&self.by_path, &self.by_name);
        drop(self.sacrifice.kill());
        drop(self.sacrifice.wait());
        let remove = Command::new("ipcrm")
            .args(["--shmem-id", &self.segment])
            .status();
        drop(remove);
    }
}

/// A process that may be killed.
fn sacrifice() -> Result<Child, String> {
    Command::new("sleep")
        .arg("3600")
        .uid(SHARED_USER)
        .gid(SHARED_USER)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("failed to start a process to be killed: {error}"))
}

/// A segment of shared memory that everybody may look at.
fn segment() -> Result<String, String> {
    let made = Command::new("ipcmk")
        .args(["--shmem", "4096", "--mode", "0666"])
        .output()
        .map_err(|error| format!("failed to run ipcmk, of util-linux: {error}"))?;
    let said = String::from_utf8_lossy(&made.stdout).into_owned();
    let id = said.rsplit(' ').next().unwrap_or_default().trim();
    if made.status.success() && id.parse::<u32>().is_ok() {
        Ok(id.to_owned())
    } else {
        Err(format!("failed to make a shared memory segment: {said}"))
    }
}
