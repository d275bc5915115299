//! Reads what a native program is linked with at run time: libraries and imported symbols.
//!
//! Follows the table the loader itself follows (System V ABI, "Dynamic Linking"), not the section
//! headers, which may be absent or say something else.

use atoll_types::DependencySource;
use object::LittleEndian;
use object::elf;
use object::read::elf::{Dyn as _, ProgramHeader as _};

use super::{Elf, symbols};
use crate::findings::{Findings, TEXT_BYTES_MAX};

/// The most entries of the dynamic table and the most symbols that are read.
const ENTRIES_MAX: usize = 1 << 16;

/// Bytes of one symbol in a 64-bit file.
const SYMBOL_BYTES: usize = 24;

/// The entries of the dynamic table that matter here: addresses, but for `needed`.
#[derive(Debug, Default)]
struct Table {
    strings: Option<u64>,
    symbols: Option<u64>,
    hash: Option<u64>,
    /// Offsets into the strings.
    needed: Vec<u64>,
}

/// Notes libraries, imported symbols and what those can do.
pub(super) fn read(file: &Elf<'_>, bytes: &[u8], findings: &mut Findings) {
    let Some(table) = table(file, bytes, findings) else {
        return;
    };
    let Some(strings) = table.strings.and_then(|at| mapped(file, bytes, at)) else {
        if table.symbols.is_some() || !table.needed.is_empty() {
            findings.problem(None, "the names of what it links with are not in the file");
        }
        return;
    };
    for offset in &table.needed {
        match text(strings, *offset) {
            Some(name) => findings.dependency(&name, source(&name)),
            None => findings.problem(None, "the name of a library it needs is malformed"),
        }
    }
    imports(file, bytes, &table, strings, findings);
}

fn table(file: &Elf<'_>, bytes: &[u8], findings: &mut Findings) -> Option<Table> {
    let headers = file.elf_program_headers();
    let entries = headers
        .iter()
        .find_map(|header| header.dynamic(LittleEndian, bytes).transpose())?;
    let Ok(entries) = entries else {
        findings.problem(None, "its table of dynamic linking lies outside the file");
        return None;
    };
    let mut table = Table::default();
    let is_end = |entry: &&elf::Dyn64<LittleEndian>| entry.tag(LittleEndian) == elf::DT_NULL;
    let read = entries.iter().take(ENTRIES_MAX);
    for entry in read.take_while(|entry| !is_end(entry)) {
        let value = entry.val(LittleEndian);
        match entry.tag(LittleEndian) {
            elf::DT_STRTAB => table.strings = Some(value),
            elf::DT_SYMTAB => table.symbols = Some(value),
            elf::DT_HASH => table.hash = Some(value),
            elf::DT_NEEDED => table.needed.push(value),
            _ => {}
        }
    }
    Some(table)
}

/// Notes the symbols that other files have to provide.
fn imports(file: &Elf<'_>, bytes: &[u8], table: &Table, strings: &[u8], findings: &mut Findings) {
    let Some(symbols) = table.symbols.and_then(|at| mapped(file, bytes, at)) else {
        return;
    };
    let Some(count) = count(file, bytes, table) else {
        findings.problem(None, "how many symbols it links with cannot be told");
        return;
    };
    if count > ENTRIES_MAX {
        findings.problem(None, "it links with too many symbols to list");
    }
    let (symbols, _) = symbols.as_chunks::<SYMBOL_BYTES>();
    for symbol in symbols.iter().take(count.min(ENTRIES_MAX)) {
        let [n0, n1, n2, n3, _, _, s0, s1, ..] = *symbol;
        let name = u32::from_le_bytes([n0, n1, n2, n3]);
        let is_defined = u16::from_le_bytes([s0, s1]) != elf::SHN_UNDEF;
        if is_defined || name == 0 {
            continue;
        }
        if let Some(name) = text(strings, u64::from(name)) {
            symbols::note(&name, findings);
        }
    }
}

/// How many symbols there are. The dynamic table does not say; the hash table does, then a
/// section header that starts at the same address, then the strings, which linkers put behind.
fn count(file: &Elf<'_>, bytes: &[u8], table: &Table) -> Option<usize> {
    let start = table.symbols?;
    let chains = table.hash.and_then(|at| {
        mapped(file, bytes, at)?
            .get(4..8)?
            .first_chunk::<4>()
            .copied()
    });
    if let Some(chains) = chains {
        return usize::try_from(u32::from_le_bytes(chains)).ok();
    }
    let section = file.elf_section_table().iter().find(|section| {
        section.sh_addr.get(LittleEndian) == start
            && section.sh_type.get(LittleEndian) == elf::SHT_DYNSYM
    });
    let size = match section {
        Some(section) => section.sh_size.get(LittleEndian),
        None => table.strings?.checked_sub(start)?,
    };
    Some(usize::try_from(size).ok()? / SYMBOL_BYTES)
}

/// The bytes of the file from this address on, to the end of the segment that maps it.
fn mapped<'data>(file: &Elf<'data>, bytes: &'data [u8], address: u64) -> Option<&'data [u8]> {
    file.elf_program_headers().iter().find_map(|segment| {
        if segment.p_type(LittleEndian) != elf::PT_LOAD {
            return None;
        }
        let offset = address.checked_sub(segment.p_vaddr(LittleEndian))?;
        let data = segment.data(LittleEndian, bytes).ok()?;
        let rest = data.get(usize::try_from(offset).ok()?..)?;
        (!rest.is_empty()).then_some(rest)
    })
}

/// The text that starts at this offset, cut at [`TEXT_BYTES_MAX`].
fn text(strings: &[u8], offset: u64) -> Option<String> {
    let rest = strings.get(usize::try_from(offset).ok()?..)?;
    let rest = rest.get(..TEXT_BYTES_MAX).unwrap_or(rest);
    let end = rest.iter().position(|byte| *byte == 0);
    let text = end.map_or(Some(rest), |end| rest.get(..end))?;
    (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
}

/// Libraries of the base system: what the C and C++ compilers bring along.
fn source(library: &str) -> DependencySource {
    const BASE: [&str; 9] = [
        "libc",
        "libm",
        "libpthread",
        "libdl",
        "librt",
        "libgcc_s",
        "libstdc++",
        "libresolv",
        "libutil",
    ];
    let stem = library.split_once(".so").map_or(library, |(stem, _)| stem);
    let is_loader = stem.starts_with("ld-linux") || stem.starts_with("ld-musl");
    let is_musl = stem.starts_with("libc.musl-");
    if is_loader || is_musl || BASE.contains(&stem) {
        DependencySource::StandardLibrary
    } else {
        DependencySource::ThirdParty
    }
}
