//! Reads native programs: 64-bit ELF executables.
//!
//! Looks at what the loader would map and link, and decodes the machine code once from start to
//! end. Owns the judgement of segments; [`code`] decodes, [`dynamic`] reads what is linked at run
//! time, [`system_calls`] and [`symbols`] know what names can do. Recursion is not told of
//! machine code. Whether the program is for this machine was decided when it was recognised.

mod code;
mod dynamic;
mod symbols;
mod system_calls;
#[cfg(test)]
mod tests;

use atoll_types::Capability;
use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _};
use object::{LittleEndian, Object as _, ObjectSection as _, ObjectSymbol as _};
use object::{SectionFlags, SymbolKind, elf};

use crate::findings::Findings;

/// Entropy in bits for each byte above which code without section headers counts as packed.
/// Plain x86-64 code has about 6, compressed and encrypted data nearly 8.
const PACKED_BITS: f64 = 7.2;

type Elf<'data> = ElfFile64<'data, LittleEndian>;

/// Bytes that run as code, and the address of the first.
#[derive(Clone, Copy)]
struct Range<'data> {
    address: u64,
    bytes: &'data [u8],
}

impl Range<'_> {
    fn holds(&self, address: u64) -> bool {
        address
            .checked_sub(self.address)
            .is_some_and(|offset| offset < self.bytes.len() as u64)
    }
}

/// Reads one program. Takes time linear in its size, up to the bounds of [`code`].
pub(crate) fn analyze(bytes: &[u8], findings: &mut Findings) {
    findings.capability(Capability::NativeCode);
    let file = match Elf::parse(bytes) {
        Ok(file) => file,
        Err(error) => {
            findings.problem(None, &format!("its ELF headers are malformed: {error}"));
            return;
        }
    };
    let segments = segments(&file, bytes, findings);
    dynamic::read(&file, bytes, findings);
    if segments.is_empty() {
        findings.problem(None, "it has no code: no segment of it is executable");
        return;
    }
    if has_no_sections(&file) && entropy(&segments) > PACKED_BITS {
        findings.problem(
            None,
            "it has no section headers and its code looks compressed or encrypted",
        );
    }
    if file.elf_header().e_machine(LittleEndian) != elf::EM_X86_64 {
        findings.functions = function_symbols(&file);
        findings.problem(None, "machine code of this architecture is not decoded");
        return;
    }
    let counted = code::read(&code_ranges(&file, segments), findings);
    let named = function_symbols(&file);
    findings.functions = if named > 0 {
        named
    } else {
        counted.call_targets
    };
    findings.loops = counted.backward_jumps;
    // Which jumps lie inside which is not told, so any loop counts as one level.
    findings.loop_nesting(u32::from(counted.backward_jumps > 0));
}

/// Judges the segments and returns the executable ones.
fn segments<'data>(
    file: &Elf<'data>,
    bytes: &'data [u8],
    findings: &mut Findings,
) -> Vec<Range<'data>> {
    let mut executable = Vec::new();
    let mut memory: Option<u64> = None;
    for segment in file.elf_program_headers() {
        let flags = segment.p_flags(LittleEndian);
        let runs = flags & elf::PF_X != 0;
        let kind = segment.p_type(LittleEndian);
        if kind == elf::PT_GNU_STACK && runs {
            findings.problem(None, "it asks for a stack whose contents can run as code");
        }
        if kind != elf::PT_LOAD {
            continue;
        }
        let size = segment.p_memsz(LittleEndian);
        memory = Some(memory.unwrap_or(0).saturating_add(size));
        if !runs {
            continue;
        }
        if flags & elf::PF_W != 0 {
            findings.problem(None, "it has memory that is both writable and executable");
        }
        match segment.data(LittleEndian, bytes) {
            Ok(bytes) if !bytes.is_empty() => executable.push(Range {
                address: segment.p_vaddr(LittleEndian),
                bytes,
            }),
            Ok(_) => {}
            Err(()) => findings.problem(None, "an executable segment lies outside the file"),
        }
    }
    findings.declared_memory_bytes = memory;
    executable
}

fn has_no_sections(file: &Elf<'_>) -> bool {
    file.sections().next().is_none()
}

/// The executable sections, where they can be believed; otherwise the executable segments.
///
/// The kernel maps segments and never looks at sections, so sections that leave out the entry
/// point or most of the executable memory may be there to mislead.
fn code_ranges<'data>(file: &Elf<'data>, segments: Vec<Range<'data>>) -> Vec<Range<'data>> {
    let mut sections = Vec::new();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags } = section.flags() else {
            continue;
        };
        if sh_flags & u64::from(elf::SHF_EXECINSTR) == 0 {
            continue;
        }
        if let Ok(bytes) = section.data() {
            let address = section.address();
            let range = Range { address, bytes };
            // Only what is mapped runs, and it has to be the same bytes.
            if segments.iter().any(|segment| is_inside(&range, segment)) {
                sections.push(range);
            }
        }
    }
    let size = |ranges: &[Range<'_>]| ranges.iter().map(|range| range.bytes.len()).sum::<usize>();
    let has_entry = sections.iter().any(|range| range.holds(file.entry()));
    if has_entry && size(&sections) >= size(&segments) / 2 {
        sections
    } else {
        segments
    }
}

/// Whether the segment maps the very bytes of the range at the range's address.
fn is_inside(range: &Range<'_>, segment: &Range<'_>) -> bool {
    let Some(offset) = range.address.checked_sub(segment.address) else {
        return false;
    };
    usize::try_from(offset)
        .ok()
        .and_then(|offset| segment.bytes.get(offset..)?.get(..range.bytes.len()))
        // Both are parts of one file, so the same place means the same bytes.
        .is_some_and(|mapped| std::ptr::eq(mapped.as_ptr(), range.bytes.as_ptr()))
}

fn function_symbols(file: &Elf<'_>) -> u64 {
    file.symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition())
        .count() as u64
}

/// Shannon's entropy of the bytes, in bits for each byte: 0 to 8.
fn entropy(ranges: &[Range<'_>]) -> f64 {
    let mut counts = [0_u32; 256];
    let bytes = ranges.iter().flat_map(|range| range.bytes);
    for byte in bytes.take(code::BYTES_MAX) {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total: f64 = counts.iter().copied().map(f64::from).sum();
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}
