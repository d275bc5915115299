//! WebAssembly programs in text form.

const IMPORTS: &str = r#"
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get"
    (func $environ_get (param i32 i32) (result i32)))
  (memory (export "memory") 3)
  (func $write (param $fd i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $copy (param $fd i32)
    (loop $more
      (i32.store (i32.const 0) (i32.const 70000))
      (i32.store (i32.const 4) (i32.const 60000))
      (if (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))
        (then (call $exit (i32.const 9))))
      (if (i32.load (i32.const 8)) (then
        (call $write (i32.const 1) (i32.const 70000) (i32.load (i32.const 8)))
        (br $more)))))
  ;; Writes the text that ends with a NUL, with a line end instead.
  (func $line (param $at i32) (local $end i32)
    (local.set $end (local.get $at))
    (block $found (loop $next
      (br_if $found (i32.eqz (i32.load8_u (local.get $end))))
      (local.set $end (i32.add (local.get $end) (i32.const 1)))
      (br $next)))
    (i32.store8 (local.get $end) (i32.const 10))
    (call $write (i32.const 1) (local.get $at)
      (i32.add (i32.sub (local.get $end) (local.get $at)) (i32.const 1))))
"#;

fn command(data: &str, body: &str) -> String {
    format!(
        "(module {IMPORTS} {data}
           (func (export \"_start\") (local $i i32) (local $at i32) {body}))"
    )
}

pub(crate) fn hello() -> String {
    command(
        r#"(data (i32.const 16) "hello\noops\n")"#,
        "(call $write (i32.const 1) (i32.const 16) (i32.const 6))
         (call $write (i32.const 2) (i32.const 22) (i32.const 5))
         (call $exit (i32.const 7))",
    )
}

pub(crate) fn copy() -> String {
    command("", "(call $copy (i32.const 0))")
}

/// Arguments, the variable `COLOUR`, the file `input.txt`.
pub(crate) fn show() -> String {
    command(
        r#"(data (i32.const 16) "input.txt")"#,
        "(drop (call $args_sizes_get (i32.const 100) (i32.const 104)))
         (drop (call $args_get (i32.const 1000) (i32.const 8000)))
         (local.set $i (i32.const 1))
         (block $done (loop $next
           (br_if $done (i32.ge_u (local.get $i) (i32.load (i32.const 100))))
           (call $line (i32.load (i32.add (i32.const 1000)
             (i32.mul (local.get $i) (i32.const 4)))))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br $next)))
         (drop (call $environ_sizes_get (i32.const 100) (i32.const 104)))
         (drop (call $environ_get (i32.const 1000) (i32.const 8000)))
         (local.set $i (i32.const 0))
         (block $done (loop $next
           (br_if $done (i32.ge_u (local.get $i) (i32.load (i32.const 100))))
           (local.set $at (i32.load (i32.add (i32.const 1000)
             (i32.mul (local.get $i) (i32.const 4)))))
           ;; The seven bytes of `COLOUR=`.
           (if (i64.eq (i64.const 0x3d52554f4c4f43)
                 (i64.and (i64.load (local.get $at)) (i64.const 0xffffffffffffff)))
             (then (call $line (i32.add (local.get $at) (i32.const 7)))))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br $next)))
         (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 9)
               (i32.const 0) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 12))
           (then (call $exit (i32.const 8))))
         (call $copy (i32.load (i32.const 12)))",
    )
}

/// Makes the file `out.txt` with one line in it.
pub(crate) fn leave() -> String {
    command(
        r#"(data (i32.const 16) "out.txtkept\n")"#,
        "(if (call $path_open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 7)
               (i32.const 1) (i64.const 0x40) (i64.const 0x40) (i32.const 0) (i32.const 12))
           (then (call $exit (i32.const 8))))
         (call $write (i32.load (i32.const 12)) (i32.const 23) (i32.const 5))",
    )
}

pub(crate) fn endless() -> String {
    command("", "(loop $again (br $again))")
}

/// Takes a page and writes to it until it is refused one.
pub(crate) fn greedy() -> String {
    command(
        "",
        "(loop $more
           (local.set $i (memory.grow (i32.const 1)))
           (if (i32.eq (local.get $i) (i32.const -1)) (then (call $exit (i32.const 5))))
           (local.set $i (i32.mul (local.get $i) (i32.const 65536)))
           (memory.fill (local.get $i) (i32.const 1) (i32.const 65536))
           (br $more))",
    )
}

pub(crate) fn crash() -> String {
    command("", "unreachable")
}

/// Writes one file without end, and exits with 6 when it is refused more.
pub(crate) fn disk_filler() -> String {
    command(
        r#"(data (i32.const 16) "big")"#,
        "(if (call $path_open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 3)
               (i32.const 1) (i64.const 0x40) (i64.const 0x40) (i32.const 0) (i32.const 12))
           (then (call $exit (i32.const 8))))
         (loop $more
           (i32.store (i32.const 0) (i32.const 70000))
           (i32.store (i32.const 4) (i32.const 60000))
           (if (call $fd_write (i32.load (i32.const 12)) (i32.const 0) (i32.const 1)
                 (i32.const 8))
             (then (call $exit (i32.const 6))))
           (br $more))",
    )
}

/// Exits with 1 if its memory or its directory has anything of another message in it; else it reads
/// its input to memory, leaves its own mark in both, and writes its input back a while later.
pub(crate) fn solitary() -> String {
    let text = command(
        r#"(data (i32.const 16) "mark")"#,
        "(local.set $i (i32.const 70000))
         (loop $next
           (if (i64.ne (i64.const 0) (i64.load (local.get $i))) (then (call $exit (i32.const 1))))
           (local.set $i (i32.add (local.get $i) (i32.const 8)))
           (br_if $next (i32.lt_u (local.get $i) (i32.const 196000))))
         (if (i32.ne (i32.const 44) (call $path_open (i32.const 3) (i32.const 0) (i32.const 16)
               (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 2) (i32.const 0)
               (i32.const 12)))
           (then (call $exit (i32.const 2))))
         (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 4)
               (i32.const 5) (i64.const 0x40) (i64.const 0x40) (i32.const 0) (i32.const 12))
           (then (call $exit (i32.const 3))))
         (memory.fill (i32.const 140000) (i32.const 0x5a) (i32.const 50000))
         (i32.store (i32.const 0) (i32.const 70000))
         (i32.store (i32.const 4) (i32.const 60000))
         (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
           (then (call $exit (i32.const 4))))
         (local.set $at (i32.load (i32.const 8)))
         (call $pause (i32.const 20))
         (call $write (i32.load (i32.const 12)) (i32.const 70000) (local.get $at))
         (call $write (i32.const 1) (i32.const 70000) (local.get $at))",
    );
    with_pause(&text)
}

/// Waits for so many milliseconds, without input and output.
pub(crate) fn sleep(milliseconds: u32) -> String {
    with_pause(&command(
        "",
        &format!("(call $pause (i32.const {milliseconds}))"),
    ))
}

/// Adds the function `$pause`, which waits for milliseconds.
fn with_pause(text: &str) -> String {
    let import = r#"(import "wasi_snapshot_preview1" "poll_oneoff"
      (func $poll (param i32 i32 i32 i32) (result i32)))"#;
    let pause = r#"(func $pause (param $milliseconds i32)
      (memory.fill (i32.const 1000) (i32.const 0) (i32.const 48))
      (i32.store (i32.const 1016) (i32.const 1))
      (i64.store (i32.const 1024)
        (i64.mul (i64.extend_i32_u (local.get $milliseconds)) (i64.const 1000000)))
      (drop (call $poll (i32.const 1000) (i32.const 1100) (i32.const 1) (i32.const 8))))
      (func (export "_start")"#;
    text.replacen("(module", &format!("(module {import}"), 1)
        .replacen("(func (export \"_start\")", pause, 1)
}

/// Asks for input, and once it has some, for so many pages; exits with 5 if it does not get them.
pub(crate) fn grow_when_told(pages: u32) -> String {
    command(
        "",
        &format!(
            "(i32.store (i32.const 0) (i32.const 70000))
             (i32.store (i32.const 4) (i32.const 10))
             (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
             (if (i32.eq (memory.grow (i32.const {pages})) (i32.const -1))
               (then (call $exit (i32.const 5))))"
        ),
    )
}

/// Writes so many lines of 64 bytes to each stream in turn, each beginning with its number as eight
/// bytes that are no letters.
pub(crate) fn counted_output(lines: u32) -> String {
    command(
        r#"(data (i32.const 16) "................................"
             "................................")"#,
        &format!(
            "(loop $more
               (local.set $at (i32.const 0))
               (loop $digit
                 (i32.store8 (i32.sub (i32.const 23) (local.get $at))
                   (i32.add (i32.const 0x30) (i32.and (i32.const 7)
                     (i32.shr_u (local.get $i) (i32.mul (i32.const 3) (local.get $at))))))
                 (local.set $at (i32.add (local.get $at) (i32.const 1)))
                 (br_if $digit (i32.lt_u (local.get $at) (i32.const 8))))
               (call $write (i32.const 1) (i32.const 16) (i32.const 64))
               (call $write (i32.const 2) (i32.const 16) (i32.const 64))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $more (i32.lt_u (local.get $i) (i32.const {lines}))))"
        ),
    )
}

/// Many functions with much in them: takes long to compile. Built by hand, because the text would
/// take long to parse as well.
pub(crate) fn large() -> Vec<u8> {
    with_functions(8000)
}

pub(crate) fn with_functions(functions: u32) -> Vec<u8> {
    // No locals; 200 times `local.get 0, i32.const 77, i32.add, local.get 0, i32.mul,
    // local.set 0`; then `local.get 0, end`. 77 takes two bytes as a signed number.
    let step = [0x20, 0, 0x41, 0xcd, 0, 0x6a, 0x20, 0, 0x6c, 0x21, 0];
    let body = [&[0], step.repeat(200).as_slice(), &[0x20, 0, 0x0b]].concat();
    let body = [leb(body.len()), body].concat();
    let start = [2, 0, 0x0b];
    let count = leb(functions as usize + 1);
    let types = [2, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f];
    let types_of = [count.as_slice(), &[0], &[1].repeat(functions as usize)].concat();
    let exports = [&[1, 6], b"_start".as_slice(), &[0, 0]].concat();
    let code = [count.as_slice(), &start, &body.repeat(functions as usize)].concat();
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    for (id, content) in [(1, types.to_vec()), (3, types_of), (7, exports), (10, code)] {
        module.push(id);
        module.extend(leb(content.len()));
        module.extend(content);
    }
    module
}

/// An unsigned LEB128 number.
fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A component that answers `run` with success (0) or failure (1).
pub(crate) fn component(answer: u32) -> String {
    format!(
        r#"(component
          (core module $main (func (export "run") (result i32) (i32.const {answer})))
          (core instance $main (instantiate $main))
          (func $run (result (result)) (canon lift (core func $main "run")))
          (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#
    )
}

/// Makes `out.txt` with a line in it and says so; exits with the error where it cannot.
pub(crate) fn make_and_tell() -> String {
    command(
        r#"(data (i32.const 16) "out.txtkept\nmade\n")"#,
        "(local.set $i (call $path_open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 7)
           (i32.const 1) (i64.const 0x40) (i64.const 0x40) (i32.const 0) (i32.const 12)))
         (if (local.get $i) (then (call $exit (local.get $i))))
         (call $write (i32.load (i32.const 12)) (i32.const 23) (i32.const 5))
         (call $write (i32.const 1) (i32.const 28) (i32.const 5))",
    )
}

/// Reads the clock so often, and tries to open a file with a long path every so many times; exits
/// with 1 unless the clock could be read exactly `readable` times.
pub(crate) fn call_often(times: u32, open_every: u32, readable: u32) -> String {
    let text = command(
        "",
        &format!(
            "(memory.fill (i32.const 1000) (i32.const 0x61) (i32.const 4000))
             (loop $more
               (if (i32.eqz (call $clock (i32.const 1) (i64.const 0) (i32.const 8)))
                 (then (local.set $at (i32.add (local.get $at) (i32.const 1)))))
               (if (i32.eqz (i32.rem_u (local.get $i) (i32.const {open_every}))) (then
                 (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 1000)
                   (i32.const 4000) (i32.const 1) (i64.const 0x40) (i64.const 0x40) (i32.const 0)
                   (i32.const 12)))))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $more (i32.lt_u (local.get $i) (i32.const {times}))))
             (if (i32.ne (local.get $at) (i32.const {readable}))
               (then (call $exit (i32.const 1))))"
        ),
    );
    text.replacen(
        "(memory (export",
        "(import \"wasi_snapshot_preview1\" \"clock_time_get\"
           (func $clock (param i32 i64 i32) (result i32)))
         (memory (export",
        1,
    )
}

/// A component that opens and writes `out.txt`. It answers failure unless opening ends with the
/// error of this number in `wasi:filesystem`, or, for [`NO_ERROR`], all goes well.
pub(crate) fn open_component(expected: u32) -> String {
    include_str!("programs/open.component.wat").replace("EXPECTED", &expected.to_string())
}

/// A number that no error has.
pub(crate) const NO_ERROR: u32 = 99;
