//! Tells executables for this machine from every other ELF file.

use atoll_types::ProgramKind;
use object::elf;

use super::UnknownKind;

/// The processor this build of Atoll runs on.
const HOST: (u16, &str) = if cfg!(target_arch = "aarch64") {
    (elf::EM_AARCH64, "64-bit ARM")
} else {
    (elf::EM_X86_64, "x86-64")
};

pub(super) fn recognise(bytes: &[u8]) -> Result<ProgramKind, UnknownKind> {
    let field = |offset: usize| -> Option<u16> {
        let field = bytes.get(offset..)?.first_chunk::<2>()?;
        // Byte 5 says which byte order the rest has.
        Some(if bytes.get(5) == Some(&elf::ELFDATA2MSB) {
            u16::from_be_bytes(*field)
        } else {
            u16::from_le_bytes(*field)
        })
    };
    let (Some(kind), Some(machine)) = (field(16), field(18)) else {
        return Err(UnknownKind::ElfTruncated);
    };
    let sixty_four_bits = bytes.get(4) == Some(&elf::ELFCLASS64);
    if machine != HOST.0 || !sixty_four_bits {
        return Err(UnknownKind::ElfForeign {
            machine: machine_name(machine),
            host: HOST.1,
        });
    }
    match kind {
        elf::ET_EXEC => Ok(ProgramKind::Native),
        elf::ET_DYN if is_program(bytes) => Ok(ProgramKind::Native),
        elf::ET_DYN => Err(UnknownKind::ElfNotExecutable {
            what: "a shared library",
        }),
        elf::ET_REL => Err(UnknownKind::ElfNotExecutable {
            what: "an object file",
        }),
        elf::ET_CORE => Err(UnknownKind::ElfNotExecutable {
            what: "a core dump",
        }),
        _ => Err(UnknownKind::ElfNotExecutable {
            what: "an ELF file of an unknown type",
        }),
    }
}

/// Position-independent programs and shared libraries have the same type. A program names its
/// loader, or (linked statically) has an entry point.
fn is_program(bytes: &[u8]) -> bool {
    let word = |offset: usize| {
        bytes
            .get(offset..)
            .and_then(<[u8]>::first_chunk::<8>)
            .map(|word| u64::from_le_bytes(*word))
    };
    const ENTRY_OFFSET: usize = 24;
    word(ENTRY_OFFSET).is_some_and(|entry| entry != 0)
}

fn machine_name(machine: u16) -> String {
    let known = match machine {
        elf::EM_386 => "32-bit x86",
        elf::EM_X86_64 => "x86-64 in 32-bit form",
        elf::EM_ARM => "32-bit ARM",
        elf::EM_AARCH64 => "64-bit ARM",
        elf::EM_RISCV => "RISC-V",
        elf::EM_PPC64 => "64-bit PowerPC",
        elf::EM_S390 => "IBM Z",
        elf::EM_MIPS => "MIPS",
        elf::EM_LOONGARCH => "LoongArch",
        _ => return format!("an unknown processor (number {machine})"),
    };
    known.to_owned()
}
