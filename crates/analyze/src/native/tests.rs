use std::collections::BTreeSet;
use std::sync::LazyLock;

use atoll_types::{Analysis, Capability, Dependency, DependencySource, ProgramKind};
use proptest::prelude::*;

use super::*;

/// Where the tests' programs are mapped: the whole file, so an offset is an address.
const BASE: u64 = 0x40_0000;

const HEADER_BYTES: usize = 64;
const SEGMENT_BYTES: usize = 56;

struct Segment {
    kind: u32,
    flags: u32,
    start: usize,
    size: usize,
}

/// An ELF file with these segments, then these bytes. Offsets of segments count from `body`.
fn program(machine: u16, segments: &[Segment], body: &[u8]) -> Vec<u8> {
    let start = HEADER_BYTES + SEGMENT_BYTES * segments.len();
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
    file.resize(16, 0);
    for half in [elf::ET_EXEC, machine] {
        file.extend(half.to_le_bytes());
    }
    file.extend(1_u32.to_le_bytes());
    for word in [BASE + start as u64, HEADER_BYTES as u64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend(0_u32.to_le_bytes());
    for half in [HEADER_BYTES, SEGMENT_BYTES, segments.len(), 0, 0, 0] {
        file.extend((half as u16).to_le_bytes());
    }
    for segment in segments {
        let offset = (start + segment.start) as u64;
        file.extend(segment.kind.to_le_bytes());
        file.extend(segment.flags.to_le_bytes());
        let size = segment.size as u64;
        for word in [offset, BASE + offset, BASE + offset, size, size, 1] {
            file.extend(word.to_le_bytes());
        }
    }
    file.extend(body);
    file
}

fn code(flags: u32, size: usize) -> Segment {
    Segment {
        kind: elf::PT_LOAD,
        flags,
        start: 0,
        size,
    }
}

fn plain(body: &[u8]) -> Vec<u8> {
    program(
        elf::EM_X86_64,
        &[code(elf::PF_R | elf::PF_X, body.len())],
        body,
    )
}

fn read(bytes: &[u8]) -> Analysis {
    crate::analyze(ProgramKind::Native, bytes)
}

fn messages(analysis: &Analysis) -> Vec<&str> {
    analysis
        .problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect()
}

/// `mov eax, number; syscall`
fn call(number: u8) -> [u8; 7] {
    [0xb8, number, 0, 0, 0, 0x0f, 0x05]
}

/// A program that links with `libc.so.6` and `libfoo.so.1`, and imports `socket` and `fopen64`.
fn linked() -> Vec<u8> {
    let strings = b"\0libc.so.6\0libfoo.so.1\0socket\0fopen64\0own\0";
    let at = |name: &str| {
        let found = strings
            .windows(name.len())
            .position(|part| part == name.as_bytes());
        found.unwrap() as u32
    };
    let mut symbols = vec![0; 24];
    for (name, section) in [("socket", 0_u16), ("fopen64", 0), ("own", 1)] {
        symbols.extend(at(name).to_le_bytes());
        symbols.extend([0x12, 0]);
        symbols.extend(section.to_le_bytes());
        symbols.extend([0; 16]);
    }
    let code_bytes = [0xc3; 8];
    let start = BASE + (HEADER_BYTES + 2 * SEGMENT_BYTES) as u64;
    let symbols_at = start + 8;
    let strings_at = symbols_at + symbols.len() as u64;
    let mut body = [code_bytes.as_slice(), &symbols, strings].concat();
    body.resize(body.len().next_multiple_of(8), 0);
    let dynamic_at = body.len();
    for (tag, value) in [
        (elf::DT_NEEDED as u64, u64::from(at("libc.so.6"))),
        (elf::DT_NEEDED as u64, u64::from(at("libfoo.so.1"))),
        (elf::DT_STRTAB as u64, strings_at),
        (elf::DT_SYMTAB as u64, symbols_at),
        (elf::DT_NULL as u64, 0),
    ] {
        body.extend(tag.to_le_bytes());
        body.extend(value.to_le_bytes());
    }
    let dynamic = Segment {
        kind: elf::PT_DYNAMIC,
        flags: elf::PF_R,
        start: dynamic_at,
        size: body.len() - dynamic_at,
    };
    let load = code(elf::PF_R | elf::PF_X, body.len());
    program(elf::EM_X86_64, &[load, dynamic], &body)
}

#[test]
fn system_calls_are_named_and_mean_something() {
    let xor_then_read = [0x31, 0xc0, 0x0f, 0x05];
    let analysis = read(&plain(
        &[call(41).as_slice(), &xor_then_read, &call(60)].concat(),
    ));
    let expected = ["syscall:exit", "syscall:read", "syscall:socket"].map(str::to_owned);
    assert_eq!(analysis.host_calls, BTreeSet::from(expected));
    let expected = BTreeSet::from([Capability::NativeCode, Capability::Network]);
    assert_eq!(analysis.capabilities, expected);
    assert_eq!(analysis.instructions, 6);
    assert_eq!(messages(&analysis), [""; 0]);
}

#[test]
fn a_number_that_is_overwritten_is_not_believed() {
    // mov eax, 41; mov eax, ebx; syscall, then mov eax, 400; syscall
    let body = [
        0xb8, 41, 0, 0, 0, 0x89, 0xd8, 0x0f, 0x05, 0xb8, 0x90, 1, 0, 0, 0x0f, 0x05,
    ];
    let analysis = read(&plain(&body));
    let expected = ["syscall:400", "syscall:unknown"].map(str::to_owned);
    assert_eq!(analysis.host_calls, BTreeSet::from(expected));
    assert!(!analysis.capabilities.contains(&Capability::Network));
}

#[test]
fn backward_jumps_are_loops_and_call_targets_are_functions() {
    // call +2; call +0 (both to the same place); jmp to itself; ret; jmp +0; ret
    let body = [
        0xe8, 5, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0xeb, 0xfe, 0xc3, 0xeb, 0, 0xc3,
    ];
    let analysis = read(&plain(&body));
    assert_eq!((analysis.functions, analysis.loops), (1, 1));
    assert_eq!(analysis.loop_nesting_max, 1);
    assert_eq!(read(&plain(&[0xc3; 9])).loop_nesting_max, 0);
}

#[test]
fn segments_tell_memory_and_what_is_wrong_with_it() {
    let body = [0xc3; 16];
    let stack = Segment {
        kind: elf::PT_GNU_STACK,
        flags: elf::PF_R | elf::PF_W | elf::PF_X,
        start: 0,
        size: 0,
    };
    let all = elf::PF_R | elf::PF_W | elf::PF_X;
    let analysis = read(&program(elf::EM_X86_64, &[code(all, 16), stack], &body));
    assert_eq!(analysis.declared_memory_bytes, Some(16));
    assert_eq!(
        messages(&analysis),
        [
            "it has memory that is both writable and executable",
            "it asks for a stack whose contents can run as code",
        ]
    );
    let analysis = read(&program(elf::EM_X86_64, &[code(elf::PF_R, 16)], &body));
    assert_eq!(
        messages(&analysis),
        ["it has no code: no segment of it is executable"]
    );
    let analysis = read(&program(elf::EM_X86_64, &[code(elf::PF_X, 999)], &body));
    assert!(messages(&analysis).contains(&"an executable segment lies outside the file"));
}

#[test]
fn code_that_looks_packed_is_a_problem() {
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(8192)
    .collect();
    let analysis = read(&plain(&noise));
    let expected = "it has no section headers and its code looks compressed or encrypted";
    assert!(messages(&analysis).contains(&expected));
    assert!(!messages(&read(&plain(&[0x90; 8192]))).contains(&expected));
}

#[test]
fn code_that_is_no_code_is_a_problem() {
    // 0x06 has no meaning in 64-bit code.
    let analysis = read(&plain(&[0x06; 100]));
    let expected = "much of what should be its code is not valid machine code";
    assert_eq!(messages(&analysis), [expected]);
    assert_eq!(analysis.instructions, 0);
}

#[test]
fn other_architectures_are_not_decoded() {
    let segments = [code(elf::PF_R | elf::PF_X, 4)];
    let analysis = read(&program(elf::EM_AARCH64, &segments, &[0xc3; 4]));
    let expected = ["machine code of this architecture is not decoded"];
    assert_eq!(messages(&analysis), expected);
    assert_eq!(analysis.instructions, 0);
}

#[test]
fn libraries_and_imported_symbols_are_read_without_section_headers() {
    let analysis = read(&linked());
    let dependency = |name: &str, source| Dependency {
        name: name.to_owned(),
        source,
    };
    assert_eq!(
        analysis.dependencies,
        [
            dependency("libc.so.6", DependencySource::StandardLibrary),
            dependency("libfoo.so.1", DependencySource::ThirdParty),
        ]
    );
    let expected = ["fopen64", "socket"].map(str::to_owned);
    assert_eq!(analysis.host_calls, BTreeSet::from(expected));
    assert!(analysis.capabilities.is_superset(&BTreeSet::from([
        Capability::Network,
        Capability::FilesRead,
        Capability::FilesWrite,
    ])));
}

#[test]
fn malformed_headers_are_a_problem() {
    for bytes in [b"".as_slice(), b"\x7fELF", b"not a program"] {
        let analysis = read(bytes);
        assert!(messages(&analysis)[0].starts_with("its ELF headers are malformed"));
        assert!(analysis.capabilities.contains(&Capability::NativeCode));
    }
}

#[test]
fn code_past_the_bound_is_named() {
    let analysis = read(&plain(&vec![0x90; 2_000_001]));
    assert_eq!(analysis.instructions, 2_000_000);
    let expected = "its code is too large to be read whole; 2000000 instructions were read";
    assert_eq!(messages(&analysis), [expected]);
}

/// The bytes of the program that runs this test.
static OURSELVES: LazyLock<Vec<u8>> =
    LazyLock::new(|| std::fs::read(std::env::current_exe().unwrap()).unwrap());

#[test]
#[cfg(target_arch = "x86_64")]
fn a_real_program_is_understood() {
    let analysis = read(&OURSELVES);
    assert!(analysis.instructions > 10_000);
    assert!(analysis.functions > 1000);
    assert!(analysis.loops > 100);
    // What lies beyond the bound on instructions is not seen, and the order of code is the
    // linker's: which capabilities show depends on the build, that they may be missing is said.
    let complete = messages(&analysis).is_empty();
    assert!(!complete || analysis.capabilities.contains(&Capability::FilesRead));
    for message in messages(&analysis) {
        let is_bound = message.starts_with("its code is too large");
        assert!(
            is_bound || message.starts_with("more than 256"),
            "{message}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
        read(&plain(&bytes));
    }

    #[test]
    fn truncated_programs_are_survived(cut in 0..linked().len()) {
        let bytes = linked();
        read(&bytes[..cut]);
    }

    #[test]
    fn damaged_programs_are_survived(
        damage in prop::collection::vec((0..linked().len(), any::<u8>()), 1..8),
    ) {
        let mut bytes = linked();
        for (at, byte) in damage {
            bytes[at] = byte;
        }
        read(&bytes);
    }
}
