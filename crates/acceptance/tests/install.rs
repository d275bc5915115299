//! Packages that programs depend on, installed from the registry that this machine is set to.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise, and says when it is skipped"
)]

#[allow(dead_code, reason = "the cases of bad input use the rest")]
mod support;

use std::process::Stdio;

use atoll_acceptance::finish;
use support::{Case, write};

fn run(case: &Case, options: &[&str], name: &str, program: &str) -> (i32, String, String) {
    let path = write(case, name, program.as_bytes());
    let mut command = case.atoll.command();
    command.arg("run").args(options).arg(&path);
    command.stdin(Stdio::null());
    let finished = finish(command, b"").unwrap();
    let (out, err) = (finished.stdout_text(), finished.stderr_text());
    (finished.code(), out, err)
}

/// Whether this host has the level `vm`, which is only let pass where nobody says that it has to be
/// there.
fn has_vm(case: &Case) -> bool {
    let (code, out, err) = run(case, &["--level", "vm"], "hello.py", "print('hello')\n");
    let required = std::env::var_os("ATOLL_GUEST_REQUIRED").is_some();
    assert!(code == 0 || !required, "{out}{err}");
    if code != 0 {
        println!("vm is left out: {err}");
    }
    code == 0
}

const SIX: &str = "\
# /// script
# dependencies = [\"six==1.17.0\"]
# ///
import six
print(six.__version__, six.__file__.startswith('/dependencies/'))
";

#[test]
fn a_program_finds_what_its_metadata_names() {
    let case = Case::new();
    for again in [false, true] {
        let (code, out, err) = run(&case, &["--install"], "main.py", SIX);
        assert_eq!(code, 0, "{again}: {err}");
        assert_eq!(out, "1.17.0 True\n", "{again}");
    }
}

/// MarkupSafe's escaping is compiled.
const COMPILED: &str = "\
# /// script
# dependencies = [\"markupsafe==3.0.2\"]
# ///
import os, sys
from markupsafe import _speedups, escape
print(escape('<b>'), _speedups.__file__.startswith('/dependencies/'), sys.path[1])
print(sorted(name for name in os.environ if name.endswith('PATH')))
try:
    open('/dependencies/new', 'w')
except OSError as error:
    print(error)
";

#[test]
fn packages_are_the_same_in_a_virtual_machine() {
    let case = Case::new();
    if !has_vm(&case) {
        return;
    }
    let at = |level: &str| run(&case, &["--install", "--level", level], "main.py", COMPILED);
    let (code, expected, err) = at("process");
    assert_eq!(code, 0, "{err}");
    assert!(
        expected.starts_with("&lt;b&gt; True /dependencies\n"),
        "{expected}"
    );
    for again in [false, true] {
        let (code, out, err) = at("vm");
        assert_eq!((code, out), (0, expected.clone()), "{again}: {err}");
    }
}

#[test]
fn a_sender_nobody_vouches_for_has_no_packages() {
    let case = Case::new();
    let (code, out, err) = run(
        &case,
        &["--install", "--tenant", "stranger"],
        "main.py",
        SIX,
    );
    assert_eq!(code, 125, "{out}{err}");
    assert!(err.contains("six") && err.contains("allow"), "{err}");
    assert_eq!(out, "");
}

#[test]
fn a_name_that_is_nearly_a_known_one_is_not_installed() {
    let case = Case::new();
    let program = "# /// script\n# dependencies = [\"reqeusts\"]\n# ///\n";
    let (code, out, err) = run(&case, &["--install"], "main.py", program);
    assert_eq!(code, 125, "{out}{err}");
    assert!(err.contains("requests"), "{err}");
}

#[test]
fn a_kind_without_packages_says_so() {
    let case = Case::new();
    let (code, out, err) = run(&case, &["--install"], "main.sh", "#!/bin/sh\necho here\n");
    assert_eq!(code, 125, "{out}{err}");
    assert!(err.contains("leave --install out"), "{err}");
}
