//! Tests of telling programs apart.

use proptest::prelude::*;

use super::*;

fn kind(name: &str, content: &str) -> Result<ProgramKind, UnknownKind> {
    recognise(name, content.as_bytes())
}

#[test]
fn the_content_decides_without_a_telling_name() {
    let python = "import sys\n\ndef main():\n    print(len(sys.argv))\n\nmain()\n";
    let javascript = "const fs = require('fs');\nconsole.log(fs.readFileSync(0).length);\n";
    let shell = "set -e\nfor f in *; do\n  echo \"$f\"\ndone\n";
    for name in ["program", "", "x.txt"] {
        assert_eq!(kind(name, python), Ok(ProgramKind::Python));
        assert_eq!(kind(name, javascript), Ok(ProgramKind::JavaScript));
        assert_eq!(kind(name, shell), Ok(ProgramKind::Shell));
    }
    assert_eq!(kind("lies.js", python), Ok(ProgramKind::Python));
    assert_eq!(kind("lies.py", shell), Ok(ProgramKind::Shell));
}

#[test]
fn the_name_breaks_ties() {
    assert_eq!(kind("a.py", "x = 1\n"), Ok(ProgramKind::Python));
    assert_eq!(kind("a.js", "x = 1\n"), Ok(ProgramKind::JavaScript));
    assert_eq!(kind("a.sh", "ls\n"), Ok(ProgramKind::Shell));
    assert_eq!(kind("a", "x = 1\n"), Err(UnknownKind::Language));
    assert_eq!(
        kind("loop.js", "while (true) {}\n"),
        Ok(ProgramKind::JavaScript)
    );
    assert_eq!(kind("bomb.sh", ":(){ :|:& };:\n"), Ok(ProgramKind::Shell));
    assert_eq!(
        kind("loop.py", "while True: pass\n"),
        Ok(ProgramKind::Python)
    );
}

#[test]
fn the_first_line_wins_over_everything() {
    let line = |line: &str| kind("a.py", &format!("{line}\nwhatever\n"));
    assert_eq!(line("#!/usr/bin/env node"), Ok(ProgramKind::JavaScript));
    assert_eq!(
        line("#!/usr/bin/env -S node --test"),
        Ok(ProgramKind::JavaScript)
    );
    assert_eq!(line("#!/usr/bin/python3.11 -I"), Ok(ProgramKind::Python));
    assert_eq!(line("#! /bin/dash"), Ok(ProgramKind::Shell));
    assert_eq!(line("#!/usr/bin/env A=1 bash\r"), Ok(ProgramKind::Shell));
    let perl = UnknownKind::Interpreter {
        interpreter: "perl".to_owned(),
    };
    assert_eq!(line("#!/usr/bin/perl -w"), Err(perl));
    assert!(matches!(line("#!"), Err(UnknownKind::Interpreter { .. })));
}

#[test]
fn webassembly_is_told_by_its_version() {
    assert_eq!(
        recognise("x", b"\0asm\x01\0\0\0"),
        Ok(ProgramKind::WasmModule)
    );
    assert_eq!(
        recognise("x", b"\0asm\x0d\0\x01\0"),
        Ok(ProgramKind::WasmComponent)
    );
    assert_eq!(
        recognise("x", b"\0asm\x02\0\0\0"),
        Err(UnknownKind::WasmVersion { version: 2 })
    );
    assert_eq!(
        recognise("x", b"\0asm\x01"),
        Err(UnknownKind::WasmTruncated { bytes: 5 })
    );
    assert_eq!(kind("x.wat", "  (module)"), Err(UnknownKind::WasmText));
}

#[test]
fn executables_must_be_for_this_machine() {
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    assert_eq!(recognise("test", &own), Ok(ProgramKind::Native));
    let mut foreign = own.clone();
    foreign[18] = 0xf3;
    let error = recognise("test", &foreign).unwrap_err().to_string();
    assert!(error.contains("RISC-V"), "{error}");
    let mut object = own.clone();
    object[16] = 1;
    let error = recognise("test", &object).unwrap_err();
    assert_eq!(
        error,
        UnknownKind::ElfNotExecutable {
            what: "an object file"
        }
    );
    assert_eq!(
        recognise("test", &own[..10]),
        Err(UnknownKind::ElfTruncated)
    );
}

#[test]
fn what_is_no_program_is_named() {
    assert_eq!(recognise("x", b""), Err(UnknownKind::Empty));
    assert_eq!(
        recognise("x", b"ab\xffcd"),
        Err(UnknownKind::Binary { offset: 2 })
    );
    assert_eq!(
        recognise("x.py", b"print(1)\0"),
        Err(UnknownKind::Binary { offset: 8 })
    );
    assert!(matches!(
        recognise("x", b"MZ\x90"),
        Err(UnknownKind::Format { .. })
    ));
}

#[test]
fn python_may_declare_another_encoding() {
    let latin = b"# -*- coding: latin-1 -*-\nprint('\xe4')\n";
    assert_eq!(recognise("a.py", latin), Ok(ProgramKind::Python));
    assert!(matches!(
        recognise("a.js", latin),
        Err(UnknownKind::Binary { .. })
    ));
    assert_eq!(
        recognise("a.py", b"\xef\xbb\xbfprint(1)"),
        Ok(ProgramKind::Python)
    );
}

proptest! {
    #[test]
    fn nothing_panics(name in ".{0,20}", bytes: Vec<u8>, magic in 0_usize..6) {
        let magics: [&[u8]; 6] = [b"", b"\0asm", b"\x7fELF", b"#!", b"#!/usr/bin/env ", b"# coding: x\n"];
        let _ = recognise(&name, &[magics[magic], &bytes].concat());
    }
}
