//! Recognition by content, and the messages of refusals.

use ProgramKind::*;
use proptest::prelude::*;

use super::*;

fn refusal(name: &str, bytes: impl AsRef<[u8]>) -> String {
    recognise(name, bytes.as_ref()).unwrap_err().to_string()
}

/// An ELF header and program headers, as far as recognition looks.
struct Elf {
    class: u8,
    order: u8,
    system: u8,
    kind: u16,
    machine: u16,
    entry: u64,
    /// Types of the program headers.
    segments: Vec<u32>,
    /// Entries of the dynamic section, which the `PT_DYNAMIC` segment points to.
    dynamic: Vec<(u64, u64)>,
}

const EXECUTABLE: u16 = 2;
const SHARED: u16 = 3;
const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const INTERPRETER: u32 = 3;

impl Default for Elf {
    fn default() -> Self {
        Self {
            class: 2,
            order: 1,
            system: 0,
            kind: EXECUTABLE,
            machine: if cfg!(target_arch = "aarch64") {
                183
            } else {
                62
            },
            entry: 0x40_1000,
            segments: vec![LOAD],
            dynamic: Vec::new(),
        }
    }
}

impl Elf {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![
            0x7F,
            b'E',
            b'L',
            b'F',
            self.class,
            self.order,
            1,
            self.system,
        ];
        bytes.resize(16, 0);
        let short = |bytes: &mut Vec<u8>, value: u16| {
            bytes.extend(if self.order == 2 {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            });
        };
        short(&mut bytes, self.kind);
        short(&mut bytes, self.machine);
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(self.entry.to_le_bytes());
        bytes.extend(64_u64.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend(0_u32.to_le_bytes());
        for value in [
            64,
            56,
            u16::try_from(self.segments.len()).unwrap(),
            64,
            0,
            0,
        ] {
            short(&mut bytes, value);
        }
        let dynamic_at = 64 + 56 * self.segments.len() as u64;
        let dynamic_size = 16 * self.dynamic.len() as u64;
        for segment in &self.segments {
            let (offset, size) = match *segment {
                DYNAMIC => (dynamic_at, dynamic_size),
                _ => (0, 64),
            };
            bytes.extend(segment.to_le_bytes());
            bytes.extend(5_u32.to_le_bytes());
            for value in [offset, 0, 0, size, size, 8] {
                bytes.extend(value.to_le_bytes());
            }
        }
        for (tag, value) in &self.dynamic {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        bytes
    }
}

#[test]
fn executables_for_this_machine_are_native() {
    let position_independent = Elf {
        kind: SHARED,
        segments: vec![LOAD, INTERPRETER],
        ..Elf::default()
    };
    let static_position_independent = Elf {
        kind: SHARED,
        entry: 0,
        segments: vec![LOAD, DYNAMIC],
        dynamic: vec![(0x6FFF_FFFB, 0x0800_0000), (0, 0)],
        ..Elf::default()
    };
    let linux = Elf {
        system: 3,
        ..Elf::default()
    };
    for elf in [
        Elf::default(),
        position_independent,
        static_position_independent,
        linux,
    ] {
        assert_eq!(recognise("a.py", &elf.bytes()), Ok(Native));
    }
    // This very test is an executable for this machine.
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    assert_eq!(recognise("test", &own), Ok(Native));
}

fn refused_with_advice(cases: Vec<(Elf, &str)>) {
    for (elf, message) in cases {
        let refusal = refusal("a", elf.bytes());
        assert!(refusal.contains(message), "{refusal}");
    }
}

#[test]
fn elf_files_for_other_machines_are_refused_with_advice() {
    refused_with_advice(vec![
        (
            Elf {
                machine: 40,
                class: 1,
                ..Elf::default()
            },
            "an ELF file for 32-bit ARM, and",
        ),
        (
            Elf {
                machine: 3,
                class: 1,
                ..Elf::default()
            },
            "an ELF file for 32-bit x86, and",
        ),
        (
            Elf {
                machine: 243,
                ..Elf::default()
            },
            "an ELF file for 64-bit RISC-V, and",
        ),
        (
            Elf {
                machine: 22,
                order: 2,
                ..Elf::default()
            },
            "64-bit s390, big-endian",
        ),
        (
            Elf {
                machine: 9999,
                ..Elf::default()
            },
            "machine type 9999",
        ),
        (
            Elf {
                system: 9,
                ..Elf::default()
            },
            "for FreeBSD; build it for Linux",
        ),
    ]);
}

#[test]
fn elf_files_that_are_no_executables_are_refused_with_advice() {
    refused_with_advice(vec![
        (
            Elf {
                kind: 1,
                ..Elf::default()
            },
            "an object file, not an executable; link it",
        ),
        (
            Elf {
                kind: 4,
                ..Elf::default()
            },
            "a core dump, not an executable",
        ),
        (
            Elf {
                kind: 77,
                ..Elf::default()
            },
            "its type is unknown",
        ),
        (
            Elf {
                kind: SHARED,
                entry: 0,
                ..Elf::default()
            },
            "a shared library, not an executable",
        ),
        (
            Elf {
                segments: vec![],
                ..Elf::default()
            },
            "has nothing to load",
        ),
        (
            Elf {
                order: 7,
                ..Elf::default()
            },
            "its byte order is unknown",
        ),
    ]);
    let named_library = Elf {
        kind: SHARED,
        segments: vec![LOAD, DYNAMIC],
        dynamic: vec![(14, 1), (0, 0)],
        ..Elf::default()
    };
    assert!(refusal("a", named_library.bytes()).contains("a shared library"));
    assert!(refusal("a", "\x7fELF").contains("ends within its header"));
}

#[test]
fn webassembly_is_told_by_version_and_layer() {
    assert_eq!(recognise("a", b"\0asm\x01\0\0\0"), Ok(WasmModule));
    assert_eq!(recognise("a", b"\0asm\x0D\0\x01\0"), Ok(WasmComponent));
    assert!(refusal("a", b"\0asm\x0C\0\x01\0").contains("version 12, layer 1"));
    assert!(refusal("a", b"\0asm\x01").contains("ends within its header"));
    for text in [
        "(module)",
        " ;; note\n(module (func))",
        "( component\n)",
        "(module $m)",
    ] {
        assert!(
            refusal("a.wat", text).contains("assemble it first"),
            "{text}"
        );
    }
}

#[test]
fn interpreters_are_recognised_by_name() {
    for (line, kind) in [
        ("#!/usr/bin/env python3", Python),
        ("#!/usr/bin/python3.11 -u", Python),
        ("#! /usr/bin/python\r", Python),
        ("#!/usr/bin/env -S python3 -B", Python),
        ("#!/usr/bin/env -Spython3 -B", Python),
        ("#!/usr/bin/env -i A=b -u C pypy3", Python),
        ("#!/usr/bin/env -S uv run --script", Python),
        ("#!/usr/bin/env node", JavaScript),
        ("#!/usr/local/bin/nodejs18", JavaScript),
        ("#!/bin/sh", Shell),
        ("#!/bin/bash -e", Shell),
        ("#!/usr/bin/dash", Shell),
        ("#!/bin/busybox sh", Shell),
    ] {
        for rest in ["", "\n", "\nconst x = () => 1;\n"] {
            let text = format!("{line}{rest}");
            assert_eq!(recognise("a.txt", text.as_bytes()), Ok(kind), "{line}");
        }
    }
    for (line, name) in [
        ("#!/usr/bin/perl", "perl"),
        ("#!/usr/bin/python2.7", "python2.7"),
        ("#!/usr/bin/env deno", "deno"),
        ("#!/usr/bin/env", "env"),
        ("#!/bin/zsh", "zsh"),
        ("#!", ""),
    ] {
        assert!(
            refusal("a.py", line).contains(&format!("`{name}`")),
            "{line}"
        );
    }
}

#[test]
fn source_text_is_told_by_its_look() {
    for (text, kind) in [
        ("import os\nprint(os.getcwd())\n", Python),
        ("def f(x):\n    return x\n\nprint(f(1))\n", Python),
        ("for i in range(10):\n    print(i)\n", Python),
        ("from sys import argv\nx=1\ny=2\nz=3\nw=4\nv=5\n", Python),
        ("class A:\n    def f(self): pass\n", Python),
        (
            "const fs = require('fs');\nconsole.log(fs.readdirSync('.'));\n",
            JavaScript,
        ),
        ("import fs from 'node:fs'\nlet x = 1\n", JavaScript),
        (
            "export default function f() {\n  return 1;\n}\n",
            JavaScript,
        ),
        (
            "for (let i = 0; i < 10; i++) {\n  console.log(i);\n}\n",
            JavaScript,
        ),
        (
            "[1, 2].map((x) => x + 1).forEach((x) => console.log(x));",
            JavaScript,
        ),
        ("set -e\nfor f in *; do\n  echo \"$f\"\ndone\n", Shell),
        ("if [ -f x ]; then\n  cat x | sort\nfi\n", Shell),
        ("A=1\nexport B=2\necho $A $B\n", Shell),
        ("f() {\n  local x=$1\n  echo \"$x\"\n}\nf 1\n", Shell),
    ] {
        for name in ["", "program", "a.txt"] {
            assert_eq!(recognise(name, text.as_bytes()), Ok(kind), "{text}");
        }
        let marked = format!("\u{feff}{text}");
        assert_eq!(recognise("", marked.as_bytes()), Ok(kind), "{text}");
    }
}

#[test]
fn the_name_decides_only_what_the_text_leaves_open() {
    for (name, kind) in [
        ("a.py", Python),
        ("a.JS", JavaScript),
        ("a.mjs", JavaScript),
        ("a.sh", Shell),
    ] {
        for text in ["x = 1", "x=1\n", "print(1)", "# nothing\n", "\n"] {
            assert_eq!(
                recognise(name, text.as_bytes()),
                Ok(kind),
                "{name}: {text:?}"
            );
        }
    }
    let python = "import sys\ndef f(x):\n    return sys.argv\n";
    assert_eq!(recognise("a.js", python.as_bytes()), Ok(Python));
    let shell = "while read x; do\n  echo \"$x\"\ndone\n";
    assert_eq!(recognise("a.py", shell.as_bytes()), Ok(Shell));
    assert!(refusal("program", "x = 1").contains("language that cannot be told"));
}

#[test]
fn what_is_no_program_is_refused_with_advice() {
    for (bytes, message) in [
        (&b""[..], "the program is empty"),
        (b" \n\t\n", "the program is empty"),
        (b"MZ\x90\0\x03\0", "a Windows executable"),
        (b"PK\x03\x04\x14\0", "a ZIP archive"),
        (b"\x1F\x8B\x08\0", "gzip data"),
        (b"%PDF-1.7\n%\xE2\xE3", "a PDF document"),
        (b"\xFF\xFEp\0r\0", "text in UTF-16"),
        (b"\xA7\x0D\r\n\0\0\0\0\0\0\0\0\0\0\0\0", "compiled Python"),
        (
            b"print(1)\0",
            "binary data in no known format (first odd byte at offset 8)",
        ),
        (b"\x01\x02\x03\xFF", "binary data"),
        (b"print('\xE9')\n", "not valid UTF-8 at offset 7"),
        (b"#!/bin/sh\necho \xE9\n", "not valid UTF-8 at offset 15"),
        (
            b"#include <stdio.h>\nint main() { return 0; }\n",
            "looks like C or C++",
        ),
        (b"package main\n\nfunc main() {\n}\n", "looks like Go"),
        (b"<!doctype html>\n<html></html>\n", "looks like HTML"),
    ] {
        let refusal = refusal("program", bytes);
        assert!(refusal.contains(message), "{refusal}");
    }
    assert!(refusal("a.ts", "type A = number").contains("TypeScript"));
}

#[test]
fn python_may_declare_its_encoding() {
    let text = b"# -*- coding: latin-1 -*-\nprint('\xE9')\n";
    assert_eq!(recognise("program", text), Ok(Python));
    let text = b"#!/usr/bin/env python3\n# coding: cp1252\nprint('\x80')\n";
    assert_eq!(recognise("program", text), Ok(Python));
    assert!(recognise("a.py", b"# coding: utf-8\n'\xE9'").is_err());
}

#[test]
fn text_that_starts_like_a_format_is_text() {
    assert_eq!(recognise("a.py", b"MZ = 1\n"), Ok(Python));
    assert_eq!(recognise("a.sh", b"BZh=1\n"), Ok(Shell));
}

proptest! {
    #[test]
    fn any_bytes_are_recognised_or_refused(name: String, bytes: Vec<u8>) {
        let _ = recognise(&name, &bytes);
    }

    #[test]
    fn any_text_is_recognised_or_refused(name in "[a-z.]{0,8}", text: String) {
        let _ = recognise(&name, text.as_bytes());
    }

    #[test]
    fn damaged_headers_are_recognised_or_refused(
        magic in proptest::sample::select(vec![&b"\x7fELF"[..], b"\x7fELF\x02\x01\x01", b"\0asm"]),
        bytes: Vec<u8>,
    ) {
        let _ = recognise("a", &[magic, bytes.as_slice()].concat());
    }

    #[test]
    fn any_part_of_an_executable_is_recognised_or_refused(
        length in 0..200_usize,
        at in 0..200_usize,
        byte: u8,
    ) {
        let mut bytes = Elf {
            kind: SHARED,
            segments: vec![LOAD, DYNAMIC],
            dynamic: vec![(0x6FFF_FFFB, 0x0800_0000), (0, 0)],
            ..Elf::default()
        }
        .bytes();
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        bytes.truncate(length.max(1));
        let _ = recognise("a", &bytes);
    }
}
