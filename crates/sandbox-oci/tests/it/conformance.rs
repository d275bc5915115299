//! The conformance suite in containers, once for each kind of program.

use std::process::Command;

use atoll_sandbox::conformance::{Programs, accepted_by_environment, check};
use atoll_sandbox_oci::OciBackend;
use atoll_types::{Level, ProgramKind};

use crate::support::{gvisor, run};

#[test]
fn python_keeps_every_promise() {
    conforms(&gvisor(), &Programs::python());
}

#[test]
fn javascript_keeps_every_promise() {
    conforms(&gvisor(), &Programs::javascript());
}

#[test]
fn shell_keeps_every_promise() {
    conforms(&gvisor(), &Programs::shell());
}

#[test]
fn machine_code_keeps_every_promise() {
    conforms(&gvisor(), &native());
}

/// The same code drives other runtimes.
#[test]
fn containers_of_crun_keep_every_promise() {
    let crun = OciBackend::configured("crun", Level::Process);
    conforms(&crun, &Programs::python());
    conforms(&crun, &native());
}

#[test]
fn containers_of_runc_keep_every_promise() {
    let runc = OciBackend::configured("runc", Level::Process);
    conforms(&runc, &Programs::shell());
    conforms(&runc, &Programs::javascript());
}

fn native() -> Programs {
    Programs::of(ProgramKind::Native, "program", |what| {
        compile(match what {
            "hello" => "puts(\"hello\"); fputs(\"oops\\n\", stderr); return 7;",
            "copy" => "int c; while ((c = getchar()) != EOF) putchar(c); return 0;",
            "show" => {
                "for (int i = 1; i < count; i++) puts(arguments[i]);\
                 puts(getenv(\"COLOUR\"));\
                 FILE *f = fopen(\"input.txt\", \"r\");\
                 int c; while ((c = getc(f)) != EOF) putchar(c); return 0;"
            }
            "leave" => {
                "FILE *f = fopen(\"out.txt\", \"w\"); fputs(\"kept\\n\", f); return fclose(f);"
            }
            "endless" => "for (;;) ;",
            "greedy" => "for (;;) memset(malloc(1 << 20), 1, 1 << 20);",
            _ => "abort();",
        })
    })
}

/// A static executable of a few lines of C.
fn compile(body: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let (source, program) = (
        directory.path().join("program.c"),
        directory.path().join("program"),
    );
    let text = format!(
        "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\
         int main(int count, char **arguments) {{ {body} }}\n"
    );
    std::fs::write(&source, text).unwrap();
    let mut compiler = Command::new("gcc");
    compiler
        .args(["-O0", "-static", "-o"])
        .arg(&program)
        .arg(&source);
    assert!(compiler.status().unwrap().success());
    std::fs::read(program).unwrap()
}

fn conforms(backend: &OciBackend, programs: &Programs) {
    let accepted = accepted_by_environment();
    let broken = run(async { check(backend, programs, &accepted).await });
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
