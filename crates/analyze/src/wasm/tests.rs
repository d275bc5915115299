use atoll_types::{Analysis, Capability, DependencySource, ExecutionClass, ProgramKind};
use proptest::prelude::*;

use crate::analyze;

fn module(text: &str) -> Analysis {
    analyze(ProgramKind::WasmModule, &wat::parse_str(text).unwrap())
}

fn component(text: &str) -> Analysis {
    analyze(ProgramKind::WasmComponent, &wat::parse_str(text).unwrap())
}

/// A command whose `_start` has this body.
fn command(body: &str) -> Analysis {
    module(&format!(
        r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 2)
            (func $work (param i32) (result i32) local.get 0)
            (func (export "_start") (local i32) {body}))"#
    ))
}

fn literals(analysis: &Analysis, role: &str) -> Vec<u64> {
    let of_role = analysis.literals.iter().filter(|found| found.role == role);
    of_role.map(|literal| literal.value).collect()
}

fn problems(analysis: &Analysis) -> Vec<&str> {
    let problems = analysis.problems.iter();
    problems.map(|problem| problem.message.as_str()).collect()
}

const WORD_COUNT: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read"
        (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 3 16)
    (table 10 funcref)
    (data (i32.const 1024) "words\n")
    (func $count (param $end i32) (result i32) (local $at i32) (local $words i32)
        (loop $chars
            (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 32))
                (then (local.set $words (i32.add (local.get $words) (i32.const 1)))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $chars (i32.lt_u (local.get $at) (local.get $end))))
        (local.get $words))
    (func (export "_start")
        (block $done
            (loop $chunks
                (br_if $done
                    (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
                (drop (call $count (i32.load (i32.const 8))))
                (br $chunks)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $exit (i32.const 0))))"#;

#[test]
fn a_word_count_is_understood_in_full() {
    let analysis = module(WORD_COUNT);
    assert_eq!(problems(&analysis), [] as [&str; 0]);
    assert!(analysis.is_complete());
    assert_eq!(analysis.functions, 2);
    assert_eq!(analysis.loops, 2);
    assert_eq!(analysis.loop_nesting_max, 1);
    assert!(!analysis.recursion);
    assert_eq!(analysis.declared_memory_bytes, Some(3 * 65536));
    assert_eq!(literals(&analysis, "memory.pages"), [3]);
    assert_eq!(literals(&analysis, "memory.pages.max"), [16]);
    assert_eq!(literals(&analysis, "memory.table.entries"), [10]);
    assert_eq!(literals(&analysis, "memory.data.bytes"), [6]);
    assert!(
        analysis
            .host_calls
            .contains("wasi_snapshot_preview1.fd_write")
    );
    // Standard streams are not files.
    assert!(analysis.capabilities.is_empty());
    assert_eq!(analysis.dependencies.len(), 1);
    assert_eq!(analysis.dependencies[0].name, "wasi_snapshot_preview1");
    assert_eq!(
        analysis.dependencies[0].source,
        DependencySource::StandardLibrary
    );
    assert_ne!(analysis.execution_class, ExecutionClass::Unbounded);
}

#[test]
fn preview1_functions_give_capabilities() {
    let with = |name: &str| {
        let analysis = module(&format!(
            r#"(module (import "wasi_snapshot_preview1" "{name}" (func))
                (func (export "_start")))"#
        ));
        analysis.capabilities.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(
        with("path_open"),
        [Capability::FilesRead, Capability::FilesWrite]
    );
    assert_eq!(with("path_unlink_file"), [Capability::FilesWrite]);
    assert_eq!(with("fd_readdir"), [Capability::FilesRead]);
    assert_eq!(with("sock_recv"), [Capability::Network]);
    assert_eq!(with("environ_get"), [Capability::Environment]);
    assert_eq!(with("poll_oneoff"), [Capability::Time]);
    assert_eq!(with("random_get"), [Capability::Randomness]);
    assert_eq!(with("proc_exit"), []);
    assert_eq!(with("fd_write"), []);
}

#[test]
fn an_import_that_nobody_provides_is_named() {
    let analysis = module(
        r#"(module (import "env" "launch" (func)) (import "env" "memory" (memory 1 2 shared))
            (func (export "_start")))"#,
    );
    assert_eq!(
        problems(&analysis),
        [
            "imports launch from env, which Atoll does not offer",
            "imports memory from env, which Atoll does not offer"
        ]
    );
    assert_eq!(
        analysis.dependencies[0].source,
        DependencySource::ThirdParty
    );
    assert!(analysis.capabilities.contains(&Capability::Threads));
    assert!(analysis.host_calls.contains("env.launch"));
    assert_eq!(analysis.declared_memory_bytes, Some(65536));
}

#[test]
fn many_foreign_imports_stay_a_short_list() {
    let imports: String = (0..5000)
        .map(|number| format!(r#"(import "env" "f{number}" (func))"#))
        .collect();
    let analysis = module(&format!(r#"(module {imports} (func (export "_start")))"#));
    assert!(analysis.problems.len() < 100, "{}", analysis.problems.len());
    assert!(analysis.host_calls.len() <= 256);
}

#[test]
fn a_library_is_not_a_command() {
    let expected = "not a command: the module has no _start export";
    assert_eq!(
        problems(&module(r#"(module (func (export "add")))"#)),
        [expected]
    );
    // A global of that name does not count.
    let global = r#"(module (global (export "_start") i32 (i32.const 0)))"#;
    assert_eq!(problems(&module(global)), [expected]);
    assert_eq!(
        problems(&module(r#"(module (func (export "_start")))"#)),
        [] as [&str; 0]
    );
}

#[test]
fn recursion_is_found_through_several_functions() {
    let text = |last: &str| {
        format!(
            r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
                (func $a call $b) (func $b call $c) (func $c {last})
                (func (export "_start") call $a))"#
        )
    };
    assert!(module(&text("call $a")).recursion);
    assert!(module(&text("return_call $c")).recursion);
    assert!(!module(&text("nop")).recursion);
}

#[test]
fn endless_loops_are_told_from_loops_with_a_way_out() {
    let endless = [
        "(loop $l (br $l))",
        "(block $b (loop $l (local.set 0 (call $work (local.get 0))) (br $l)) (br $b))",
        "(loop $l (if (local.get 0) (then (br $l)) (else (br $l))))",
        "(loop $o (loop $l (br_if $l (local.get 0)) (br $o)))",
        "(loop $l (block $b (br_if $b (local.get 0)) (nop)) (br $l))",
    ];
    for body in endless {
        let class = command(body).execution_class;
        assert_eq!(class, ExecutionClass::Unbounded, "{body}");
    }
    let ending = [
        "(loop $l (br_if $l (local.get 0)))",
        "(block $b (loop $l (br_if $b (local.get 0)) (br $l)))",
        "(loop $l (if (local.get 0) (then (return))) (br $l))",
        "(loop $l (if (local.get 0) (then (call $exit (i32.const 1)) (unreachable))) (br $l))",
        "(loop $l (call $exit (i32.const 0)) (br $l))",
        "(block $b (loop $l (br_table $l $b (local.get 0))))",
        "(block $b (loop $o (loop $l (br_if $b (local.get 0)) (br $o))))",
        // Nobody gets there.
        "(return) (loop $l (br $l))",
    ];
    for body in ending {
        let class = command(body).execution_class;
        assert_ne!(class, ExecutionClass::Unbounded, "{body}");
    }
}

#[test]
fn numbers_that_bound_loops_and_grow_memory_are_noted() {
    let analysis = command(
        "(loop $l
            (local.set 0 (i32.add (local.get 0) (i32.const 1)))
            (br_if $l (i32.ne (local.get 0) (i32.const 5000000))))
         (drop (memory.grow (i32.const 700)))
         (block $b (br_if $b (i32.eq (local.get 0) (i32.const 77))))",
    );
    assert_eq!(literals(&analysis, "loop"), [5_000_000]);
    assert_eq!(literals(&analysis, "memory.grow.pages"), [700]);
    let of_blocks = analysis.literals.iter().any(|literal| literal.value == 77);
    assert!(!of_blocks);
}

#[test]
fn newer_proposals_are_read() {
    let analysis = module(
        r#"(module
            (memory i64 1) (memory 1 1 shared) (tag $e)
            (func $throws (throw $e))
            (func (export "_start") (local v128)
                (local.set 0 (i32x4.add (local.get 0) (local.get 0)))
                (block $caught (try_table (catch_all $caught) (call $throws)))
                (loop $l (call $throws) (br $l))
                (drop (i32.atomic.rmw.add 1 (i32.const 0) (i32.const 1)))))"#,
    );
    assert_eq!(problems(&analysis), [] as [&str; 0]);
    assert!(analysis.capabilities.contains(&Capability::Threads));
    // The exception leaves the loop.
    assert_ne!(analysis.execution_class, ExecutionClass::Unbounded);
}

const COMPONENT: &str = r#"(component
    (import "wasi:cli/environment@0.2.0" (instance $environment
        (export "get-environment" (func (result (list (tuple string string)))))
        (export "get-arguments" (func (result (list string))))))
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
        (export "now" (func (result u64)))))
    (core module $main
        (import "env" "now" (func $now (result i64)))
        (func (export "run") (result i32)
            (loop $l (br_if $l (i64.lt_u (call $now) (i64.const 99)))) (i32.const 0)))
    (core func $now (canon lower (func $clock "now")))
    (core instance $i (instantiate $main
        (with "env" (instance (export "now" (func $now))))))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $exports)))"#;

#[test]
fn a_component_shows_what_it_takes_out_of_its_imports() {
    let analysis = component(COMPONENT);
    assert_eq!(problems(&analysis), [] as [&str; 0]);
    assert_eq!(analysis.functions, 1);
    assert_eq!(analysis.loops, 1);
    // get-environment is there but not taken.
    let capabilities: Vec<_> = analysis.capabilities.iter().copied().collect();
    assert_eq!(capabilities, [Capability::Time]);
    assert!(
        analysis
            .host_calls
            .contains("wasi:clocks/monotonic-clock@0.2.0#now")
    );
    assert!(analysis.host_calls.contains("wasi:cli/environment@0.2.0"));
    let names: Vec<_> = analysis
        .dependencies
        .iter()
        .map(|found| found.name.as_str())
        .collect();
    assert_eq!(names, ["wasi:cli", "wasi:clocks"]);
}

#[test]
fn an_interface_handed_on_counts_as_a_whole() {
    let analysis = component(
        r#"(component
            (import "wasi:filesystem/types@0.2.0" (instance $files))
            (import "wasi:http/types@0.2.0" (instance $http))
            (component $inner (import "files" (instance)))
            (instance (instantiate $inner (with "files" (instance $files)))))"#,
    );
    assert!(analysis.capabilities.contains(&Capability::FilesWrite));
    assert_eq!(
        problems(&analysis),
        [
            "not a command: the component has no wasi:cli/run export",
            "imports wasi:http/types@0.2.0 from wasi:http, which Atoll does not offer"
        ]
    );
}

#[test]
fn damage_is_reported_with_its_place() {
    let binary = wat::parse_str(WORD_COUNT).unwrap();
    let analysis = analyze(ProgramKind::WasmModule, &binary[..binary.len() - 9]);
    assert_eq!(analysis.problems.len(), 1);
    let message = &analysis.problems[0].message;
    assert!(
        message.starts_with("malformed WebAssembly at byte "),
        "{message}"
    );
    // What came before the damage is kept.
    assert!(
        analysis
            .host_calls
            .contains("wasi_snapshot_preview1.fd_read")
    );
    assert_eq!(analyze(ProgramKind::WasmModule, b"\0asm").problems.len(), 1);
}

#[test]
fn components_nested_too_deep_are_refused() {
    let nested = |depth: usize| {
        let text = format!("{}{}", "(component ".repeat(depth), ")".repeat(depth));
        problems(&component(&text)).join("; ")
    };
    assert!(!nested(60).contains("nested"));
    assert!(nested(70).contains("components nested more than 64 deep"));
}

fn leb128(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], leb128(content.len() as u32).as_slice(), content].concat()
}

/// A module of `count` functions with this body (locals and operators).
fn functions(count: u32, body: &[u8]) -> Vec<u8> {
    let body = [leb128(body.len() as u32).as_slice(), body].concat();
    let declarations = [leb128(count), vec![0; count as usize]].concat();
    let code = [leb128(count), body.repeat(count as usize)].concat();
    [
        b"\0asm\x01\0\0\0".as_slice(),
        &section(1, &[1, 0x60, 0, 0]),
        &section(3, &declarations),
        &section(7, b"\x01\x06_start\0\0"),
        &section(10, &code),
    ]
    .concat()
}

#[test]
fn a_million_functions_are_counted() {
    // Each calls the function 5.
    let binary = functions(1_000_000, &[0, 0x10, 5, 0x0b]);
    let analysis = analyze(ProgramKind::WasmModule, &binary);
    assert_eq!(problems(&analysis), [] as [&str; 0]);
    assert_eq!(analysis.functions, 1_000_000);
    assert_eq!(analysis.instructions, 2_000_000);
    assert!(analysis.recursion);
}

#[test]
fn a_huge_branch_table_is_read() {
    let mut body = vec![0, 0x02, 0x40, 0x41, 0, 0x0e];
    body.extend(leb128(1_000_000));
    body.extend(vec![0; 1_000_001]);
    body.extend([0x0b, 0x0b]);
    let analysis = analyze(ProgramKind::WasmModule, &functions(1, &body));
    assert_eq!(problems(&analysis), [] as [&str; 0]);
    assert_eq!(analysis.instructions, 5);
}

#[test]
fn more_instructions_than_are_decoded_count_as_not_analyzed() {
    let nops = [vec![0], vec![0x01; 7_000_000], vec![0x0b]].concat();
    let analysis = analyze(ProgramKind::WasmModule, &functions(3, &nops));
    assert_eq!(
        problems(&analysis),
        ["more than 20 million instructions; the rest was not read"]
    );
}

#[test]
fn loops_nested_a_hundred_thousand_deep_are_counted() {
    let depth = 100_000;
    let body = [vec![0], [0x03, 0x40].repeat(depth), vec![0x0b; depth + 1]].concat();
    let analysis = analyze(ProgramKind::WasmModule, &functions(1, &body));
    assert_eq!(analysis.loop_nesting_max, 100_000);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let header = b"\0asm\x01\0\0\0".as_slice();
        let component_header = b"\0asm\x0d\0\x01\0".as_slice();
        for bytes in [&[header, &bytes].concat(), &[component_header, &bytes].concat(), &bytes] {
            let _ = analyze(ProgramKind::WasmModule, bytes);
        }
    }

    #[test]
    fn no_damage_makes_it_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        keep: prop::sample::Index,
        is_component: bool,
    ) {
        let mut binary = wat::parse_str(if is_component { COMPONENT } else { WORD_COUNT }).unwrap();
        for (index, byte) in changes {
            let at = index.index(binary.len());
            binary[at] = byte;
        }
        binary.truncate(keep.index(binary.len()) + 1);
        let analysis = analyze(ProgramKind::WasmModule, &binary);
        prop_assert_eq!(analysis.is_complete(), analysis.problems.is_empty());
    }
}
