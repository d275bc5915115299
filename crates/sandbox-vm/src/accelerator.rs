//! Whether hardware virtualization works, told by a guest that really ran.
//!
//! That /dev/kvm opens, and even that it makes a virtual machine, says little: nested and
//! paravirtual hosts answer both and then run no ordinary kernel. So a tiny guest is started under
//! QEMU that does what a kernel does first: it turns on paging, enters 64-bit mode, computes, and
//! writes a word and an exit code. Nothing else counts as usable.

mod guest;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::fs::MemfdFlags;

const QEMU: &str = "qemu-system-x86_64";
const DEVICE: &str = "/dev/kvm";

/// How long QEMU may take. A guest that works needs a fraction of a second.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Whether hardware virtualization can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KvmDiagnosis {
    /// A guest ran.
    Usable {
        /// How it was seen.
        detail: String,
    },
    /// There is no KVM, or a guest did not run on it.
    Unusable {
        /// What was seen instead.
        detail: String,
        /// What would help.
        advice: &'static str,
    },
    /// It could not be tried.
    NotChecked {
        /// What is there, and what is missing for the try.
        detail: String,
        /// What would help.
        advice: &'static str,
    },
}

/// What runs the guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accelerator {
    /// The processor itself.
    Kvm,
    /// QEMU's translator.
    Tcg,
}

impl Accelerator {
    /// The best that works here, told by guests that ran, with how that was seen. Looks once.
    ///
    /// # Errors
    /// Why no guest runs at all.
    pub(crate) fn choose() -> Result<(Self, String), String> {
        static KVM: OnceLock<Result<String, String>> = OnceLock::new();
        static TCG: OnceLock<Result<(), String>> = OnceLock::new();
        let kvm = KVM.get_or_init(|| match diagnose() {
            KvmDiagnosis::Usable { detail } => Ok(detail),
            KvmDiagnosis::Unusable { detail, .. } | KvmDiagnosis::NotChecked { detail, .. } => {
                Err(detail)
            }
        });
        let why_not_kvm = match (kvm, FAILED.get()) {
            (Ok(detail), None) => return Ok((Self::Kvm, format!("KVM, {detail}"))),
            (Ok(_), Some(why)) | (Err(why), _) => why,
        };
        let tcg = TCG.get_or_init(|| {
            let qemu = find_qemu().ok_or_else(|| {
                format!("{QEMU} was not found on this host; install qemu-system-x86")
            })?;
            run_guest(&qemu, Self::Tcg)
        });
        tcg.clone()?;
        let how = format!("emulated by QEMU (TCG), because KVM is not usable: {why_not_kvm}");
        Ok((Self::Tcg, how))
    }

    /// Remembers that no kernel boots with KVM, although the tiny guest ran.
    pub(crate) fn give_up_kvm(why: String) {
        // The first reason is the one.
        let _ = FAILED.set(why);
    }

    /// What to expect of it, as part of a sentence.
    pub(crate) const fn speed(self) -> &'static str {
        match self {
            Self::Kvm => "programs compute as fast as on this host",
            Self::Tcg => {
                "programs compute ten to twenty times slower than on this host, and a machine \
                 takes about a second to be ready"
            }
        }
    }

    /// Its name for QEMU.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }

    /// The processor that a guest sees: an emulated one has what distributions have come to expect
    /// (x86-64-v2), and nothing that would only have to be emulated.
    pub(crate) const fn processor(self) -> &'static str {
        match self {
            Self::Kvm => "host",
            // Timers are only precise where they go on while the processor sleeps.
            Self::Tcg => "Nehalem-v1,+arat",
        }
    }
}

/// Why no kernel booted with KVM.
static FAILED: OnceLock<String> = OnceLock::new();

/// Tries it.
#[must_use]
pub fn diagnose() -> KvmDiagnosis {
    let opened = File::options().read(true).write(true).open(DEVICE);
    if let Err(error) = opened {
        return KvmDiagnosis::Unusable {
            detail: format!("failed to open {DEVICE}: {error}"),
            advice: "enable virtualization in the firmware or the hypervisor, load kvm_intel or \
                     kvm_amd, and give this user access to /dev/kvm",
        };
    }
    if cfg!(not(target_arch = "x86_64")) {
        return KvmDiagnosis::NotChecked {
            detail: format!("{DEVICE} opens, but there is no guest for this architecture"),
            advice: "use an x86-64 host",
        };
    }
    let Some(qemu) = find_qemu() else {
        return KvmDiagnosis::NotChecked {
            detail: format!("{DEVICE} opens, but no guest was run: {QEMU} is not installed"),
            advice: "install qemu-system-x86",
        };
    };
    match run_guest(&qemu, Accelerator::Kvm) {
        Ok(()) => KvmDiagnosis::Usable {
            detail: "a guest ran in 64-bit mode and answered".to_owned(),
        },
        Err(detail) => KvmDiagnosis::Unusable {
            detail,
            advice: "use a host whose processor's virtualization is passed on to this system",
        },
    }
}

pub(crate) fn find_qemu() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(QEMU))
        .find(|candidate| candidate.is_file())
}

/// Runs the guest with an accelerator of QEMU.
fn run_guest(qemu: &Path, accelerator: Accelerator) -> Result<(), String> {
    run_guest_on(qemu, accelerator.name(), accelerator.processor())
}

fn run_guest_on(qemu: &Path, accelerator: &str, processor: &str) -> Result<(), String> {
    let rom = rom_file().map_err(|error| format!("failed to write the guest: {error}"))?;
    let mut child = Command::new(qemu)
        .args(["-accel", accelerator, "-cpu", processor])
        .args(["-machine", "pc", "-m", "16"])
        .args([
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
        ])
        .args(["-debugcon", "stdio"])
        .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=1"])
        .arg("-bios")
        .arg(format!("/proc/self/fd/{}", rom.as_raw_fd()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("failed to start {}: {error}", qemu.display()))?;
    let status = wait(&mut child).map_err(|error| format!("failed to wait for QEMU: {error}"))?;
    let written = read_some(child.stdout.take());
    let complaint = read_some(child.stderr.take());
    match status {
        Some(status) if status.code() == Some(guest::EXIT_CODE) && written == guest::WORD => Ok(()),
        Some(status) => Err(format!(
            "QEMU could not run a guest with -accel {accelerator} ({status}): {}",
            first_line(&complaint)
        )),
        None => Err(format!(
            "a guest with -accel {accelerator} did not answer within {} s: {}",
            TIME_MAX.as_secs(),
            first_line(&complaint)
        )),
    }
}

/// The image in a file without a name. QEMU inherits it, so it is not closed on exec.
fn rom_file() -> std::io::Result<File> {
    let memory: OwnedFd = rustix::fs::memfd_create("atoll-guest", MemfdFlags::empty())?;
    let mut file = File::from(memory);
    file.write_all(&guest::image())?;
    Ok(file)
}

/// Waits for the child's end; `None` when it had to be killed.
fn wait(child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + TIME_MAX;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// What an ended child has written, as far as a line of text needs it.
fn read_some(stream: Option<impl std::io::Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // What cannot be read was not written, as far as the verdict goes.
        let _ = stream.take(4096).read_to_end(&mut bytes);
    }
    bytes
}

fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.lines().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) => line.chars().filter(|c| !c.is_control()).collect(),
        None => "it said nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The positive control of the KVM check: QEMU's own interpreter runs the same guest.
    #[test]
    fn the_guest_runs_under_emulation() {
        let Some(qemu) = find_qemu() else {
            println!("skipped: {QEMU} is not installed");
            return;
        };
        assert_eq!(run_guest(&qemu, Accelerator::Tcg), Ok(()));
        let refused = run_guest_on(&qemu, "nonsense", "max").unwrap_err();
        assert!(refused.contains("nonsense"), "{refused}");
    }
}
