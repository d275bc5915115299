//! Whether an ELF file is an executable for this machine. Only headers are looked at.

use object::LittleEndian as Little;
use object::elf::{self, FileHeader64, ProgramHeader64};
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _};

use super::UnknownKind;

pub(super) const MAGIC: &[u8] = b"\x7fELF";

const HOST: Host = if cfg!(target_arch = "aarch64") {
    Host {
        machine: elf::EM_AARCH64,
        name: "64-bit ARM",
    }
} else {
    Host {
        machine: elf::EM_X86_64,
        name: "64-bit x86",
    }
};

struct Host {
    machine: u16,
    name: &'static str,
}

/// Offsets of the fields that come before word size and byte order are known.
const CLASS: usize = 4;
const BYTE_ORDER: usize = 5;
const SYSTEM: usize = 7;
const MACHINE: usize = 18;

/// Accepts executables for this machine, position independent ones included.
pub(super) fn check(bytes: &[u8]) -> Result<(), UnknownKind> {
    check_machine(bytes)?;
    let header =
        FileHeader64::<Little>::parse(bytes).map_err(|_| damaged("its header is broken"))?;
    match header.e_type(Little) {
        elf::ET_EXEC => {}
        elf::ET_DYN => return check_shared(header, bytes),
        elf::ET_REL => {
            return Err(UnknownKind::NotExecutable {
                what: "an object file",
                advice: "link it into an executable first",
            });
        }
        elf::ET_CORE => {
            return Err(UnknownKind::NotExecutable {
                what: "a core dump",
                advice: "give the executable that made it",
            });
        }
        _ => return Err(damaged("its type is unknown")),
    }
    segments(header, bytes).map(|_| ())
}

fn check_machine(bytes: &[u8]) -> Result<(), UnknownKind> {
    let byte = |offset: usize| bytes.get(offset).copied();
    let (Some(class), Some(order), Some(system)) = (byte(CLASS), byte(BYTE_ORDER), byte(SYSTEM))
    else {
        return Err(damaged("ends within its header"));
    };
    let Some(machine) = bytes.get(MACHINE..).and_then(<[u8]>::first_chunk) else {
        return Err(damaged("ends within its header"));
    };
    let is_little = match order {
        elf::ELFDATA2LSB => true,
        elf::ELFDATA2MSB => false,
        _ => return Err(damaged("its byte order is unknown")),
    };
    let machine = if is_little {
        u16::from_le_bytes(*machine)
    } else {
        u16::from_be_bytes(*machine)
    };
    if !matches!(class, elf::ELFCLASS32 | elf::ELFCLASS64) {
        return Err(damaged("its word size is unknown"));
    }
    if class != elf::ELFCLASS64 || !is_little || machine != HOST.machine {
        return Err(UnknownKind::WrongArchitecture {
            found: machine_name(machine, class == elf::ELFCLASS64, is_little),
            host: HOST.name,
        });
    }
    match system {
        elf::ELFOSABI_SYSV | elf::ELFOSABI_GNU => Ok(()),
        elf::ELFOSABI_FREEBSD => Err(UnknownKind::WrongSystem { system: "FreeBSD" }),
        elf::ELFOSABI_NETBSD => Err(UnknownKind::WrongSystem { system: "NetBSD" }),
        elf::ELFOSABI_OPENBSD => Err(UnknownKind::WrongSystem { system: "OpenBSD" }),
        elf::ELFOSABI_SOLARIS => Err(UnknownKind::WrongSystem { system: "Solaris" }),
        _ => Err(UnknownKind::WrongSystem {
            system: "another system",
        }),
    }
}

fn machine_name(machine: u16, is_64_bit: bool, is_little: bool) -> String {
    let name = match machine {
        elf::EM_X86_64 if is_64_bit => return "64-bit x86".to_owned(),
        elf::EM_X86_64 => return "x32 (64-bit x86 with 32-bit pointers)".to_owned(),
        elf::EM_386 => return "32-bit x86".to_owned(),
        elf::EM_AARCH64 | elf::EM_ARM => "ARM",
        elf::EM_RISCV => "RISC-V",
        elf::EM_PPC | elf::EM_PPC64 => "PowerPC",
        elf::EM_S390 => "s390",
        elf::EM_MIPS => "MIPS",
        elf::EM_LOONGARCH => "LoongArch",
        elf::EM_SPARC | elf::EM_SPARCV9 => "SPARC",
        elf::EM_BPF => return "BPF".to_owned(),
        other => return format!("machine type {other}"),
    };
    let bits = if is_64_bit { 64 } else { 32 };
    let order = if is_little { "" } else { ", big-endian" };
    format!("{bits}-bit {name}{order}")
}

/// The program headers; an executable has at least one to load.
fn segments<'b>(
    header: &FileHeader64<Little>,
    bytes: &'b [u8],
) -> Result<&'b [ProgramHeader64<Little>], UnknownKind> {
    let segments = header
        .program_headers(Little, bytes)
        .map_err(|_| damaged("its program headers lie outside the file"))?;
    let has_code = segments
        .iter()
        .any(|segment| segment.p_type(Little) == elf::PT_LOAD);
    if has_code {
        Ok(segments)
    } else {
        Err(damaged("has nothing to load"))
    }
}

/// A shared object is an executable when it names a loader or says that it is one. Static
/// executables from before that flag existed have an entry point and no library name.
fn check_shared(header: &FileHeader64<Little>, bytes: &[u8]) -> Result<(), UnknownKind> {
    let segments = segments(header, bytes)?;
    let has_interpreter = segments
        .iter()
        .any(|segment| segment.p_type(Little) == elf::PT_INTERP);
    let dynamic = segments
        .iter()
        .find_map(|segment| segment.dynamic(Little, bytes).ok().flatten())
        .unwrap_or_default();
    let entries = || {
        dynamic
            .iter()
            .take_while(|entry| entry.tag(Little) != elf::DT_NULL)
    };
    let is_marked = entries().any(|entry| {
        entry.tag(Little) == elf::DT_FLAGS_1 && entry.val(Little) & u64::from(elf::DF_1_PIE) != 0
    });
    let is_named = entries().any(|entry| entry.tag(Little) == elf::DT_SONAME);
    if has_interpreter || is_marked || (header.e_entry(Little) != 0 && !is_named) {
        Ok(())
    } else {
        Err(UnknownKind::NotExecutable {
            what: "a shared library",
            advice: "give an executable that uses it",
        })
    }
}

fn damaged(problem: &'static str) -> UnknownKind {
    UnknownKind::Damaged {
        format: "an ELF file",
        problem,
    }
}
