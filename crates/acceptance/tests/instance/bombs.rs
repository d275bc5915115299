//! W-01 to W-07: modules and components that take too much: time, memory, tables, stack, and the
//! compiler's patience.

use std::fmt::Write as _;
use std::time::Duration;

use crate::case::Attack;
use crate::case::Ending::{Exited, Limit, OneOf, Rejected, Trapped};

/// A module with these fields that begins with this.
fn module(fields: &str, body: &str) -> String {
    format!("(module {fields} (func (export \"_start\") {body}))")
}

/// W-01: whatever goes on for ever ends with its time, and not much later.
#[test]
fn endless_loops_end_with_their_time() {
    let many = "0 ".repeat(1000);
    let loops = [
        ("a loop", module("", "(loop $again (br $again))")),
        (
            "a loop by table",
            module(
                "",
                &format!("(loop $again (br_table {many} (i32.const 500)))"),
            ),
        ),
        (
            "tail calls",
            module("(func $again (return_call $again))", "(call $again)"),
        ),
        (
            "bulk operations",
            module(
                "(memory 1000)",
                "(loop $again
                   (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536000))
                   (br $again))",
            ),
        ),
        (
            "a start function",
            "(module (func $start (loop $again (br $again))) (start $start)
               (func (export \"_start\")))"
                .to_owned(),
        ),
        (
            "exceptions",
            module(
                "(tag $tag)",
                "(loop $again
                   (block $caught (try_table (catch $tag $caught) (throw $tag)))
                   (br $again))",
            ),
        ),
    ];
    for (name, text) in loops {
        let attack = Attack::text(name, &text).options(&["--timeout", "300ms"]);
        let observed = attack.must(Limit("wall-time"));
        let lived_us = observed.report.usage["wall_time_us"];
        // The worker's clock starts when the guest does, a little after that of the message.
        assert!(lived_us > 250_000, "{name}: {lived_us}");
    }
}

/// W-02: memory past the limit is refused, or its limit ends the guest.
#[test]
fn memory_ends_with_its_limit() {
    let grow = "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 100)) (i32.const -1))))
        unreachable";
    let grow_64 = "(loop $again
        (br_if $again (i64.ne (memory.grow (i64.const 100)) (i64.const -1)))) unreachable";
    let memories = "(memory 100) ".repeat(100);
    let memories_grow: String = (0..10)
        .map(|index| {
            format!(
                "(loop $again{index} (br_if $again{index}
                   (i32.ne (memory.grow {index} (i32.const 100)) (i32.const -1))))"
            )
        })
        .collect();
    let cases = [
        ("growth", module("(memory 1)", grow), Limit("memory")),
        (
            "growth of 64 bits",
            module("(memory i64 1)", grow_64),
            Limit("memory"),
        ),
        ("all at once", module("(memory 65536)", ""), Limit("memory")),
        (
            "more than there is",
            module("(memory i64 0x1_0000_0000)", ""),
            OneOf(&[Limit("memory"), Rejected(""), Trapped("")]),
        ),
        (
            "growth in ten memories",
            module(
                &"(memory 1) ".repeat(10),
                &format!("{memories_grow} unreachable"),
            ),
            Limit("memory"),
        ),
        (
            "a hundred memories",
            module(&memories, ""),
            OneOf(&[Rejected("memories"), Rejected("memory")]),
        ),
        (
            "shared memory",
            module("(memory 1 100 shared)", ""),
            Rejected("threads must be enabled"),
        ),
        (
            "objects",
            module(
                "(type $list (struct (field (ref null $list)) (field i64)))",
                "(local $list (ref null $list))
                 (loop $again
                   (local.set $list (struct.new $list (local.get $list) (i64.const 1)))
                   (br $again))",
            ),
            OneOf(&[Limit("memory"), Limit("wall-time"), Trapped("")]),
        ),
    ];
    for (name, text, ending) in cases {
        let attack = Attack::text(name, &text).options(&["--memory", "64MiB", "--timeout", "10s"]);
        let observed = attack.must(ending);
        let peak = observed.report.usage.get("memory_peak_bytes").copied();
        assert!(
            peak.is_none_or(|peak| peak <= 128 << 20),
            "{name}: {peak:?}"
        );
    }
}

/// W-03: tables, and what fills them.
#[test]
fn tables_end_with_the_limit_of_memory() {
    let grow = "(loop $again (br_if $again
        (i32.ne (table.grow (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable";
    let tables = "(table 100000 funcref) ".repeat(100);
    for (name, text, ending) in [
        (
            "growth of a table",
            module("(table 1 funcref)", grow),
            OneOf(&[Limit("memory"), Trapped("unreachable")]),
        ),
        (
            "a huge table",
            module("(table 0xffff_ffff funcref)", ""),
            OneOf(&[Limit("memory"), Rejected(""), Trapped("")]),
        ),
        (
            "a huge table of 64 bits",
            module("(table i64 0xffff_ffff_ffff_ffff funcref)", ""),
            OneOf(&[Limit("memory"), Rejected(""), Trapped("")]),
        ),
        ("many tables", module(&tables, ""), Rejected("table")),
        (
            "a segment past the end",
            module("(table 1 funcref) (elem (i32.const 100) $f) (func $f)", ""),
            Trapped("out of bounds"),
        ),
        (
            "a call past the end",
            module(
                "(table 10 funcref) (type $t (func))",
                "(call_indirect (type $t) (i32.const 0x7fff_ffff))",
            ),
            Trapped("undefined element"),
        ),
        (
            "a call of another type",
            module(
                "(table funcref (elem $f)) (type $t (func (param i64))) (func $f)",
                "(call_indirect (type $t) (i64.const 0) (i32.const 0))",
            ),
            Trapped("indirect call type mismatch"),
        ),
    ] {
        let attack = Attack::text(name, &text).options(&["--memory", "64MiB"]);
        attack.must(ending);
    }
}

/// W-04: recursion without end is a trap, whatever is on the stack.
#[test]
fn recursion_is_a_trap() {
    let locals = "(local i64 i64 v128) ".repeat(10_000);
    for (name, text) in [
        ("recursion", module("(func $f (call $f))", "(call $f)")),
        (
            "large frames",
            module(
                &format!(
                    "(func $f (param i64) (result i64) {locals} (i64.add (i64.const 1)
                    (call $f (local.get 0))))"
                ),
                "(drop (call $f (i64.const 1)))",
            ),
        ),
        (
            "through a table",
            module(
                "(table funcref (elem $f)) (type $t (func)) (func $f
                   (call_indirect (type $t) (i32.const 0)) (drop (i32.const 1)))",
                "(call $f)",
            ),
        ),
    ] {
        Attack::text(name, &text).must(Trapped("call stack exhausted"));
    }
}

/// W-11: loads and stores next to the end of a memory, and past what 32 bits can name.
#[test]
fn accesses_out_of_bounds_are_traps() {
    for (name, memory, access) in [
        (
            "last byte and one more",
            "(memory 1)",
            "(i32.load16_u (i32.const 65535))",
        ),
        (
            "offset past 32 bits",
            "(memory 1)",
            "(i32.load offset=0xffff_ffff (i32.const -1))",
        ),
        (
            "far away",
            "(memory 1)",
            "(i32.load offset=0x7fff_ffff (i32.const 0x7fff_ffff))",
        ),
        ("64 bits", "(memory i64 1)", "(i32.load (i64.const -1))"),
        (
            "64 bits that wrap",
            "(memory i64 1)",
            "(i32.load offset=0xffff_ffff_ffff_fff0 (i64.const 32))",
        ),
        (
            "a vector at the end",
            "(memory 1)",
            "(i32x4.extract_lane 0 (v128.load (i32.const 65521)))",
        ),
        (
            "a lane at the end",
            "(memory 1)",
            "(i32x4.extract_lane 0 (v128.load32_lane 0 (i32.const 65533)
               (v128.const i32x4 0 0 0 0)))",
        ),
        (
            "past a maximum",
            "(memory 1 1)",
            "(i32.load (i32.const 65536))",
        ),
    ] {
        let text = module(memory, &format!("(drop {access})"));
        Attack::text(name, &text).must(Trapped("out of bounds memory access"));
    }
    let copy = module(
        "(memory 1)",
        "(memory.copy (i32.const 0) (i32.const 65000) (i32.const -1))",
    );
    Attack::text("a copy", &copy).must(Trapped("out of bounds memory access"));
}

/// W-05, W-06: what costs the compiler much is refused, or ends by a limit, or is compiled in the
/// message's own time.
#[test]
fn bombs_for_the_compiler_are_held_by_limits() {
    let functions = "(func)".repeat(200_001);
    let targets = "0 ".repeat(1_000_000);
    let types = "(type (func (param i32)))".repeat(999_999);
    let exports: String = (0..100_000).fold(String::new(), |mut text, index| {
        write!(text, "(export \"e{index}\" (func 0))").unwrap();
        text
    });
    let locals = "i64 ".repeat(50_001);
    // Very many values live at once, and each used later.
    let live = 4_000;
    let busy = format!(
        "(local {}) {} {}",
        "i64 ".repeat(live),
        (0..live).fold(String::new(), |mut text, index| {
            let other = index * 7919 % live;
            write!(
                text,
                "(local.set {index} (i64.add (local.get {other}) (i64.load (i32.const {index}))))"
            )
            .unwrap();
            text
        }),
        (0..live).fold(String::new(), |mut text, index| {
            write!(text, "(i64.store (i32.const {index}) (local.get {index}))").unwrap();
            text
        }),
    );
    let any = OneOf(&[
        Exited(0),
        Limit("wall-time"),
        Limit("cpu-time"),
        Limit("memory"),
        Rejected("is not valid"),
    ]);
    for (name, text, ending) in [
        ("functions", module(&functions, ""), Rejected("functions")),
        (
            "targets of a branch",
            module("", &format!("(block (br_table {targets} (i32.const 1)))")),
            any,
        ),
        ("types", module(&types, ""), any),
        ("exports", module(&exports, ""), any),
        (
            "locals",
            module(&format!("(func (local {locals}))"), ""),
            Rejected("locals"),
        ),
        ("values that live long", module("(memory 1)", &busy), any),
    ] {
        let observed = Attack::text(name, &text)
            .options(&["--timeout", "3s"])
            .must(ending);
        assert!(
            observed.elapsed < Duration::from_secs(20),
            "{name}: {:?}",
            observed.elapsed
        );
    }
    for depth in [1_000, 50_000, 500_000] {
        let attack = Attack::new(&format!("{depth} blocks"), nested(depth));
        attack.options(&["--timeout", "3s"]).must(any);
    }
    let attack = Attack::new("a section that claims everything", {
        let mut bytes = b"\0asm\x01\0\0\0\x0a".to_vec();
        bytes.extend([0xff, 0xff, 0xff, 0xff, 0x0f]);
        bytes
    });
    attack.must(Rejected("cut off"));
}

/// A module with so many blocks inside each other.
fn nested(depth: usize) -> Vec<u8> {
    let mut body = vec![0];
    body.extend([0x02, 0x40].repeat(depth));
    body.extend(vec![0x0b; depth + 1]);
    let mut code = vec![1];
    code.extend(number(body.len()));
    code.extend(body);
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    bytes.extend(b"\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x0a\x01\x06_start\0\0\x0a");
    bytes.extend(number(code.len()));
    bytes.extend(code);
    bytes
}

/// An unsigned number as WebAssembly writes it.
fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        if value == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

/// Components: instances and handles without end.
#[test]
fn instances_and_handles_of_components_run_out() {
    let instances = "(core instance (instantiate $m))".repeat(1_000);
    let text = format!(
        r#"(component (core module $m (memory 1)) {instances}
        (core module $main (func (export "run") (result i32) i32.const 0))
        (core instance $main (instantiate $main))
        (func $run (result (result)) (canon lift (core func $main "run")))
        (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#
    );
    let ending = OneOf(&[
        Rejected("instance"),
        Rejected("instantiations"),
        Trapped("instance"),
    ]);
    Attack::text("instances", &text).must(ending);
    let nested = "(component ".repeat(40) + &")".repeat(40);
    Attack::text("components inside each other", &nested).must(Rejected("deep"));
    let handles = r#"(component
        (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
        (alias export $poll "pollable" (type $pollable))
        (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
          (alias outer 1 $pollable (type $pollable))
          (export "pollable" (type $own (eq $pollable)))
          (export "subscribe-duration" (func (param "when" u64) (result (own $own))))))
        (core func $subscribe (canon lower (func $clock "subscribe-duration")))
        (core module $main
          (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
          (func (export "run") (result i32)
            (loop $again (drop (call $subscribe (i64.const 1000000))) (br $again))
            unreachable))
        (core instance $main (instantiate $main (with "host" (instance
          (export "subscribe" (func $subscribe))))))
        (func $run (result (result)) (canon lift (core func $main "run")))
        (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#;
    let observed = Attack::text("handles", handles).must(OneOf(&[Trapped(""), Limit("memory")]));
    let used = observed.report.usage["memory_peak_bytes"];
    assert!(used < 256 << 20, "{used}");
}
