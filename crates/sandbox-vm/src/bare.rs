//! QEMU with the same guest and nothing around it: what the level `vm` is measured beside.

use std::process::Command;

use crate::accelerator::{Accelerator, find_qemu};
use crate::image::{Image, Part};
use crate::snapshot::kernel_command_line;

/// Memory of the machine, in MiB: a small program's, with its kernel.
const MEMORY_MIB: u32 = 256;

/// A command that boots the guest image in QEMU, as somebody would who has no snapshot of it. The
/// guest's agent speaks on the command's standard output as soon as it could run a program.
///
/// # Errors
/// What is missing on this host, as a sentence.
pub fn boot_command() -> Result<Command, String> {
    let image = Image::find()?;
    let (accelerator, _) = Accelerator::choose()?;
    let qemu = find_qemu().ok_or("qemu-system-x86_64 was not found; install qemu-system-x86")?;
    let path = |part| image.path(part).to_string_lossy().into_owned();
    let mut command = Command::new(qemu);
    command
        .args(["-nodefaults", "-no-user-config", "-display", "none"])
        .args(["-no-reboot", "-machine", "microvm,acpi=on"])
        .args(["-accel", accelerator.name()])
        .args(["-cpu", accelerator.processor()])
        .args(["-m", &format!("{MEMORY_MIB}M")])
        .args(["-kernel", &path(Part::Kernel)])
        .args(["-initrd", &path(Part::Initrd)])
        .args(["-append", &kernel_command_line(accelerator)])
        .args(["-chardev", "null,id=console", "-serial", "chardev:console"])
        .args(["-device", "virtio-serial-device"])
        .args(["-chardev", "stdio,id=port,signal=off"])
        .args(["-device", "virtserialport,chardev=port,name=atoll"])
        .arg("-drive")
        .arg(format!(
            "id=root,if=none,format=raw,readonly=on,file={}",
            path(Part::Root)
        ))
        .args(["-device", "virtio-blk-device,drive=root"]);
    Ok(command)
}
