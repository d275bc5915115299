//! QEMU as it is on this host, and the root directory of its jail.
//!
//! Owns which files QEMU needs to run: its program, the libraries it is linked with, the module of
//! its accelerator, and the firmware of the machine. Nothing else is in its jail.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use atoll_jail::{Bind, Root};

use crate::accelerator::{Accelerator, find_qemu};
use crate::image::{Identity, LastingIdentity};

/// Where distributions put QEMU's modules.
const MODULES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/qemu",
    "/usr/lib64/qemu",
    "/usr/lib/qemu",
    "/usr/local/lib/qemu",
];

/// Where they put its firmware.
const FIRMWARE: [&str; 3] = [
    "/usr/share/qemu",
    "/usr/share/qemu-kvm",
    "/usr/local/share/qemu",
];

/// The firmware of the machine, and what starts a kernel that is its own boot loader.
const FIRMWARE_FILES: [&str; 3] = ["bios-microvm.bin", "pvh.bin", "linuxboot_dma.bin"];

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

/// QEMU, as it is found on this host.
#[derive(Debug, Clone)]
pub(crate) struct Emulator {
    /// Where it is, on the host and in its jail.
    pub(crate) program: PathBuf,
    /// The first line that it says of itself.
    pub(crate) version: String,
    files: Vec<PathBuf>,
}

impl Emulator {
    /// Looks once.
    ///
    /// # Errors
    /// What is missing and what helps.
    pub(crate) fn find(accelerator: Accelerator) -> Result<&'static Self, String> {
        static KVM: OnceLock<Result<Emulator, String>> = OnceLock::new();
        static TCG: OnceLock<Result<Emulator, String>> = OnceLock::new();
        let found = match accelerator {
            Accelerator::Kvm => &KVM,
            Accelerator::Tcg => &TCG,
        };
        let found = found.get_or_init(|| Self::look(accelerator));
        found.as_ref().map_err(Clone::clone)
    }

    fn look(accelerator: Accelerator) -> Result<Self, String> {
        let program = find_qemu().ok_or_else(|| {
            "qemu-system-x86_64 was not found on this host; install qemu-system-x86".to_owned()
        })?;
        let version = run(Command::new(&program).arg("--version"))?;
        let version = version.lines().next().unwrap_or_default();
        let module = format!("accel-{}-x86_64.so", accelerator.name());
        let modules = MODULES.map(|directory| Path::new(directory).join(&module));
        // Where there is none, it is part of the program.
        let module = modules.into_iter().find(|path| path.is_file());
        let mut files: BTreeSet<PathBuf> = libraries(&program)?.into_iter().collect();
        if let Some(module) = &module {
            files.extend(libraries(module)?);
            files.insert(module.clone());
        }
        files.insert(program.clone());
        for name in FIRMWARE_FILES {
            let places = FIRMWARE.map(|directory| Path::new(directory).join(name));
            let found = places.into_iter().find(|path| path.is_file());
            files.insert(found.ok_or_else(|| {
                format!("QEMU's firmware {name} was not found; install qemu-system-data")
            })?);
        }
        Ok(Self {
            program,
            version: version.chars().take(80).collect(),
            files: files.into_iter().collect(),
        })
    }

    /// Its files as they are now: a snapshot of one QEMU is not for another.
    pub(crate) fn identity(&self) -> Vec<Option<LastingIdentity>> {
        let identities = self.files.iter().map(|path| Identity::of(path).ok());
        identities.map(|it| it.map(Identity::lasting)).collect()
    }

    /// The root directory of a machine's jail, with further files of the host.
    pub(crate) fn root(&self, further: impl IntoIterator<Item = Bind>) -> Root {
        let own = self.files.iter().map(|path| Bind {
            host: path.clone(),
            guest: path.strip_prefix("/").unwrap_or(path).to_owned(),
        });
        Root {
            binds: own.chain(further).collect(),
            proc: true,
            devices: true,
            ..Root::default()
        }
    }
}

/// The libraries that the dynamic loader would load for a file, and the loader; none for a program
/// that is linked statically.
fn libraries(file: &Path) -> Result<Vec<PathBuf>, String> {
    let Ok(listed) = run(Command::new(LOADER).arg("--list").arg(file)) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for line in listed.lines() {
        if line.contains("not found") {
            return Err(format!("a library of QEMU is missing: {}", line.trim()));
        }
        let path = line.split_whitespace().find(|word| word.starts_with('/'));
        found.extend(path.map(PathBuf::from));
    }
    Ok(found)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("failed to run {command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?} ended with {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
