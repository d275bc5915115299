//! Shapes that make readers of source recurse, or copy the same text again and again. Each must
//! end in an analysis, on a thread with a stack as small as an ordinary one's.

use atoll_analyze::analyze;
use atoll_types::ProgramKind;

const TIMES: usize = 100_000;

fn reads(kind: ProgramKind, before: &str, unit: &str, after: &str) {
    // Once beyond what is read of a shell script at all, and once just below.
    for times in [TIMES, 100_000 / unit.len()] {
        let program = format!("{before}{}{after}", unit.repeat(times));
        let analysis = analyze(kind, program.as_bytes());
        assert_eq!(analysis.code_bytes, program.len() as u64);
    }
}

#[test]
fn repeated_shapes_of_javascript_are_read() {
    for (before, unit, after) in [
        ("const x = ", "await ", "1;"),
        ("x = ", "-", "1;"),
        ("x = ", "a=>", "1;"),
        ("x = a", ".b", ";"),
        ("x = f", "()", ";"),
        ("x = ", "`${", "1"),
        ("x = ", "a?b:", "c;"),
        ("x = 1", "+1", ";"),
        ("", "while(true){", ""),
        ("", "{", ""),
        ("x = ", "new ", "A;"),
        ("x = ", "!", "1;"),
        ("", "if(a){}else ", "{}"),
        ("x = require", "('a')", ";"),
    ] {
        reads(ProgramKind::JavaScript, before, unit, after);
    }
}

#[test]
fn repeated_shapes_of_shell_are_read() {
    for (before, unit, after) in [
        ("", "while true; do ", ""),
        ("", "if a; then ", ""),
        ("echo ", "$(", ""),
        ("echo ", "\"$(", ""),
        ("", "f() { ", ""),
        ("a", " | a", ""),
        ("a", " && a", ""),
        ("", "( ", ""),
        ("echo ", "${a:-", ""),
        ("", "! ", "a"),
        ("", "f(){ f|f& };", ""),
        ("", "sudo ", "a"),
    ] {
        reads(ProgramKind::Shell, before, unit, after);
    }
}

#[test]
fn repeated_shapes_of_python_are_read() {
    for (before, unit, after) in [
        ("x = ", "-", "1"),
        ("x = ", "not ", "1"),
        ("x = ", "lambda: ", "1"),
        ("x = 1", "+1", ""),
        ("x = a", ".b", ""),
        ("x = f", "()", ""),
        ("x = a", "[0]", ""),
        ("x = ", "(", ""),
        ("x = ", "1 if a else ", "1"),
        ("x = 2", "**2", ""),
        ("async def f():\n  x = ", "await ", "y"),
        ("if a: pass\n", "elif a: pass\n", ""),
        ("", "@a\n", "def f(): pass"),
        ("x = ", "f'{", "1"),
        ("x = 'a'", " 'a'", ""),
        ("x = ", "*", "y"),
    ] {
        reads(ProgramKind::Python, before, unit, after);
    }
}
