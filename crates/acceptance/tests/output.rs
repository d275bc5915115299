//! The files a program leaves: collected with `--output`, and nothing else, whatever was planted.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

#[allow(dead_code, reason = "the cases of bad input use the rest")]
mod support;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use atoll_acceptance::Report;
use atoll_acceptance::exit_code::{FAILED, LIMIT, REFUSED};
use support::{Case, Finished, write};

/// Below a case's directory, so that it can be looked at.
const OUT: &str = "out";

fn out(case: &Case) -> PathBuf {
    case.path(OUT)
}

/// `atoll run --output DIR --json PROGRAM` for a Python program.
fn run(case: &Case, source: &str) -> (Report, Finished) {
    run_with(case, source, &[])
}

fn run_with(case: &Case, source: &str, options: &[&OsStr]) -> (Report, Finished) {
    let program = write(case, "program.py", source.as_bytes());
    let mut command = case.atoll.command();
    command.arg("run").arg("--output").arg(out(case));
    command.arg("--json").args(options).arg(program);
    let finished = case.finish(command);
    let report = Report::parse(finished.stdout_bytes())
        .unwrap_or_else(|problem| panic!("{problem}: {}", finished.text()));
    (report, finished)
}

/// Every file below a directory with its content. Anything else fails the test.
fn tree(directory: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(current) = open.pop() {
        for entry in fs::read_dir(&current).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap();
            if kind.is_dir() {
                open.push(path);
                continue;
            }
            assert!(kind.is_file(), "{} is no plain file", path.display());
            assert_eq!(kind.permissions().mode() & 0o7000, 0, "{}", path.display());
            assert_eq!(kind.nlink(), 1, "{}", path.display());
            let name = path.strip_prefix(directory).unwrap().as_os_str().as_bytes();
            found.insert(name.to_vec(), fs::read(&path).unwrap());
        }
    }
    found
}

fn text(files: &[(&str, &str)]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    files
        .iter()
        .map(|(name, content)| (name.as_bytes().to_vec(), content.as_bytes().to_vec()))
        .collect()
}

/// What the JSON says was collected agrees with what is there.
fn agree(report: &Report, found: &BTreeMap<Vec<u8>, Vec<u8>>) {
    let files = report.files().unwrap();
    let named: BTreeMap<_, _> = files.into_iter().collect();
    let there: BTreeMap<_, _> = found
        .iter()
        .map(|(name, content)| (name.clone(), content.len() as u64))
        .collect();
    assert_eq!(named, there);
}

fn reasons(report: &Report) -> BTreeMap<String, String> {
    let skipped = report.skipped().unwrap();
    skipped
        .into_iter()
        .map(|(name, reason)| (String::from_utf8(name).unwrap(), reason))
        .collect()
}

#[test]
fn nested_files_arrive_as_they_were_left() {
    let case = Case::new();
    let source = "
import os
os.makedirs('charts/2024/empty')
open('charts/2024/a.csv', 'w').write('1,2')
open('summary.txt', 'w').write('done')
open('tool', 'w').write('#!/bin/sh')
os.chmod('tool', 0o6755)
print('said')
raise SystemExit(3)
";
    let (report, finished) = run(&case, source);
    assert_eq!(finished.code(), 3, "{}", finished.text());
    assert_eq!(report.stdout(), b"said\n");
    let found = tree(&out(&case));
    let expected = [
        ("charts/2024/a.csv", "1,2"),
        ("summary.txt", "done"),
        ("tool", "#!/bin/sh"),
    ];
    assert_eq!(found, text(&expected));
    agree(&report, &found);
    assert_eq!(reasons(&report), BTreeMap::new());
    assert!(report.timings_us.contains_key("collect"));
    let mode = |name: &str| {
        fs::metadata(out(&case).join(name))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("tool") & 0o100, 0o100);
    assert_eq!(mode("summary.txt") & 0o111, 0);
    assert_eq!(finished.text(), "");
}

#[test]
fn without_the_option_nothing_is_collected() {
    let case = Case::new();
    let program = write(&case, "program.py", b"open('left', 'w').write('x')");
    let (report, _) = case.atoll.run_json([program], b"").unwrap();
    assert_eq!(report.files(), None);
    assert_eq!(report.skipped(), None);
    assert!(!report.timings_us.contains_key("collect"));
}

#[test]
fn input_is_collected_only_when_it_has_changed() {
    let case = Case::new();
    let names = ["same.csv", "changed.csv", "removed.csv"];
    let inputs: Vec<_> = names
        .map(|name| write(&case, name, b"given"))
        .into_iter()
        .collect();
    let mut options = Vec::new();
    for input in &inputs {
        options.extend([OsStr::new("--input"), input.as_os_str()]);
    }
    let source = "
import os
open('changed.csv', 'w').write('taken')
os.remove('removed.csv')
os.utime('same.csv', (1, 1))
";
    let (report, _) = run_with(&case, source, &options);
    let found = tree(&out(&case));
    assert_eq!(found, text(&[("changed.csv", "taken")]));
    agree(&report, &found);
    assert_eq!(reasons(&report), BTreeMap::new());
}

#[test]
fn a_program_that_changes_itself_is_collected() {
    let case = Case::new();
    run(&case, "open('program.py', 'a').write('# more')");
    let found = tree(&out(&case));
    let changed = b"open('program.py', 'a').write('# more')# more".to_vec();
    assert_eq!(found, BTreeMap::from([(b"program.py".to_vec(), changed)]));
}

#[test]
fn what_is_planted_is_named_and_never_followed() {
    let case = Case::new();
    write(&case, "secret", b"of the host");
    let secret = case.path("secret");
    let source = format!(
        "
import os, socket
os.symlink('/etc/passwd', 'passwd')
os.symlink('/etc', 'etc')
os.symlink('{secret}', 'secret')
os.symlink('../../../../../../../../{secret}', 'climb')
os.symlink('/proc/self/cwd/../../etc/passwd', 'magic')
try:
    os.mkfifo('pipe')
except PermissionError:
    pass
socket.socket(socket.AF_UNIX).bind('socket')
os.makedirs('d')
os.symlink('/etc', 'd/etc')
open('d/..hidden', 'w').write('own')
open('one', 'w').write('own')
os.link('one', 'two')
",
        secret = secret.display()
    );
    let (report, finished) = run(&case, &source);
    assert_eq!(finished.code(), 0, "{}", finished.text());
    let found = tree(&out(&case));
    assert_eq!(found, text(&[("d/..hidden", "own"), ("one", "own")]));
    agree(&report, &found);
    let mut expected: BTreeMap<_, _> = ["passwd", "etc", "secret", "climb", "magic", "d/etc"]
        .map(|name| (name.to_owned(), "symbolic-link".to_owned()))
        .into();
    for (name, reason) in [("socket", "socket"), ("two", "hard-link")] {
        expected.insert(name.to_owned(), reason.to_owned());
    }
    assert_eq!(reasons(&report), expected);
}

#[test]
fn what_is_left_out_is_said_in_plain_text_too() {
    let case = Case::new();
    let source = "
import os
for number in range(12):
    os.symlink('/etc/passwd', f'link-{number:02}\\x1b[2J')
raise SystemExit(7)
";
    let program = write(&case, "program.py", source.as_bytes());
    let arguments = [
        OsStr::new("--output"),
        out(&case).as_os_str(),
        program.as_os_str(),
    ]
    .map(OsStr::to_owned);
    let finished = case.run(arguments);
    let says = [
        "warning",
        "12",
        "link-00\\u{1b}[2J: symbolic-link",
        "and 2 more",
    ];
    finished.fails(7, &says);
    assert!(!finished.text().contains('\x1b'));
}

#[test]
fn names_of_any_bytes_arrive() {
    let case = Case::new();
    let source = r"
import os
os.mkdir(b'\xff\xfe')
for name in [b'new\nline', b'\xff\xfe/\xfd', b'-rf', b' ', b'...', b'~', b'$(id)', b'x' * 255]:
    open(name, 'wb').write(name)
";
    let (report, finished) = run(&case, source);
    assert_eq!(finished.code(), 0, "{}", finished.text());
    let found = tree(&out(&case));
    assert_eq!(found.len(), 8);
    for (name, content) in &found {
        assert_eq!(name, content);
    }
    agree(&report, &found);
}

#[test]
fn giants_are_named_and_not_copied() {
    let case = Case::new();
    // The kernel lets no single file be longer than the limit on disk bytes.
    let source = "
import os
def sparse(name, length):
    descriptor = os.open(name, os.O_CREAT | os.O_WRONLY)
    try:
        os.ftruncate(descriptor, length)
    except OSError as error:
        print(name, error.errno)
    os.close(descriptor)
sparse('tebibyte', 1 << 40)
low, high = 1, 1 << 40
while low < high:
    middle = (low + high + 1) // 2
    try:
        os.truncate('tebibyte', middle)
        low = middle
    except OSError:
        high = middle - 1
os.rename('tebibyte', 'a-giant')
os.truncate('a-giant', low)
for number in range(20):
    sparse(f'giant-{number}', low)
print(low)
";
    let (report, finished) = run(&case, source);
    assert_eq!(finished.code(), 0, "{}", finished.text());
    let bytes_max = report.decision.as_ref().unwrap().limits["disk_bytes"];
    let files = report.files().unwrap();
    let copied: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    assert!(copied <= bytes_max, "{copied} of {bytes_max}");
    assert_eq!(
        files.len(),
        1,
        "{:?}",
        String::from_utf8_lossy(&report.stdout())
    );
    let skipped = reasons(&report);
    assert_eq!(skipped.len(), 20);
    assert!(
        skipped.values().all(|reason| reason == "too-large"),
        "{skipped:?}"
    );
}

#[test]
fn ten_thousand_files_and_the_limit_on_them() {
    let case = Case::new();
    let source = "
made = 0
try:
    for number in range(20_000):
        open(f'{number}', 'w').close()
        made += 1
except OSError:
    pass
print(made)
";
    let (report, finished) = run(&case, source);
    assert_eq!(finished.code(), 0, "{}", finished.text());
    let made: usize = String::from_utf8(report.stdout())
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let files_max = report.decision.as_ref().unwrap().limits["disk_files"];
    let found = tree(&out(&case));
    let kept = u64::try_from(found.len()).unwrap();
    assert!(kept <= files_max, "{kept} of {files_max}");
    let skipped = report.skipped().unwrap();
    assert_eq!(found.len() + skipped.len(), made);
    assert!(skipped.iter().all(|(_, reason)| reason == "too-many"));
    agree(&report, &found);
}

#[test]
fn deep_directories_end_at_a_bound() {
    let case = Case::new();
    let source = "
import os
for depth in range(300):
    open('f', 'w').close()
    os.mkdir('d')
    os.chdir('d')
";
    let (report, finished) = run(&case, source);
    assert_eq!(finished.code(), 0, "{}", finished.text());
    let found = tree(&out(&case));
    assert_eq!(found.len(), 64);
    agree(&report, &found);
    let skipped = reasons(&report);
    assert_eq!(skipped.len(), 1);
    assert!(skipped.values().all(|reason| reason == "too-deep"));
}

#[test]
fn a_program_that_a_limit_ends_still_hands_over_its_files() {
    let case = Case::new();
    let source = "open('before', 'w').write('kept')\nwhile True: pass";
    let options = [OsStr::new("--timeout"), OsStr::new("500ms")];
    let (report, finished) = run_with(&case, source, &options);
    assert_eq!(finished.code(), LIMIT, "{}", finished.text());
    assert_eq!(report.status, "limit");
    let found = tree(&out(&case));
    assert_eq!(found, text(&[("before", "kept")]));
    agree(&report, &found);
}

#[test]
fn processes_that_go_on_do_not_change_what_is_collected() {
    let case = Case::new();
    let source = "
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.symlink('/etc/passwd', 'link')
        open('file', 'w').write('own')
        open('ready', 'w').close()
        while True:
            for name in ['file', 'link']:
                os.link(name, 'next', follow_symlinks=False)
                os.rename('next', 'target')
                if os.path.lexists('next'):
                    os.remove('next')
    os._exit(0)
while not os.path.exists('ready'):
    time.sleep(0.001)
time.sleep(0.05)
";
    let (report, finished) = run(&case, source);
    assert_eq!(finished.code(), 0, "{}", finished.text());
    let found = tree(&out(&case));
    agree(&report, &found);
    for (name, content) in &found {
        let expected = if name == b"ready" { "" } else { "own" };
        assert_eq!(
            content,
            expected.as_bytes(),
            "{}",
            String::from_utf8_lossy(name)
        );
    }
    assert_eq!(
        reasons(&report).get("link").map(String::as_str),
        Some("symbolic-link")
    );
}

#[test]
fn a_directory_with_something_in_it_is_refused_before_the_run() {
    let case = Case::new();
    fs::create_dir(out(&case)).unwrap();
    fs::write(out(&case).join("mine"), "mine").unwrap();
    let (report, finished) = run(&case, "open('mine', 'w').write('theirs')");
    finished.fails(FAILED, &["output directory", "not empty"]);
    assert_eq!((report.status.as_str(), report.id), ("failed", None));
    assert_eq!(tree(&out(&case)), text(&[("mine", "mine")]));
}

#[test]
fn a_directory_that_cannot_be_made_or_opened_is_refused_before_the_run() {
    let case = Case::new();
    let program = write(&case, "program.py", b"print('ran')");
    let file = write(&case, "file", b"");
    symlink(case.path("nowhere"), case.path("dangling")).unwrap();
    for (place, says) in [
        (case.path("no/such/parent"), "its parent must exist"),
        (file, "name a directory"),
        (case.path("dangling"), "output directory"),
    ] {
        let finished = case.run([
            OsStr::new("--output"),
            place.as_os_str(),
            program.as_os_str(),
        ]);
        finished.fails(FAILED, &["failed to", says]);
        assert_eq!(finished.stdout(), "");
    }
}

/// `atoll run --output DIR --json PROGRAM` where only its own mount namespace sees what `set_up`
/// mounts on DIR.
fn run_on(case: &Case, set_up: &str, source: &str) -> Finished {
    fs::create_dir(out(case)).unwrap();
    let program = write(case, "program.py", source.as_bytes());
    let mut command = Command::new("unshare");
    case.atoll.prepare(&mut command);
    let script = format!(
        "{{ {set_up}; }} && \"$0\" run --output \"$2\" \"$1\"; \
         code=$?; find \"$2\" -type f; exit $code"
    );
    command.args(["--mount", "--propagation", "private", "sh", "-c", &script]);
    command
        .arg(case.atoll.program())
        .arg(program)
        .arg(out(case));
    case.finish(command)
}

#[test]
fn a_read_only_directory_is_refused_before_the_run() {
    let case = Case::new();
    let set_up = "mount -t tmpfs -o ro none \"$2\"";
    let finished = run_on(&case, set_up, "print('ran')");
    finished.fails(FAILED, &["output directory", "Read-only file system"]);
    assert_eq!(finished.stdout(), "");
}

#[test]
fn a_full_disk_is_a_warning_and_the_outcome_stands() {
    let case = Case::new();
    let set_up = "mount -t tmpfs -o size=64k none \"$2\"";
    let source = "
open('a-small', 'w').write('x')
open('b-large', 'w').write('x' * 1_000_000)
print('ran')
raise SystemExit(9)
";
    let finished = run_on(&case, set_up, source);
    finished.fails(
        9,
        &["warning", "b-large: not-written", "No space left on device"],
    );
    let small = out(&case).join("a-small");
    // Nothing half is left of the large one.
    assert_eq!(finished.stdout(), format!("ran\n{}\n", small.display()));
}

#[test]
fn a_refused_program_leaves_an_empty_directory() {
    let case = Case::new();
    let (report, finished) = run_with(
        &case,
        "x = 1",
        &["--call", "deny=EIO file.read"].map(OsStr::new),
    );
    assert_eq!(finished.code(), REFUSED, "{}", finished.text());
    assert_eq!(report.files(), None);
    assert_eq!(tree(&out(&case)), BTreeMap::new());
}

#[test]
fn a_webassembly_programs_files_are_collected() {
    let case = Case::new();
    let source = r#"(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "out.txtkept\n")
  (func (export "_start")
    (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 7)
      (i32.const 1) (i64.const 0x40) (i64.const 0x40) (i32.const 0) (i32.const 12)))
    (i32.store (i32.const 0) (i32.const 23))
    (i32.store (i32.const 4) (i32.const 5))
    (drop (call $fd_write (i32.load (i32.const 12)) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;
    let program = write(&case, "program.wasm", &wat::parse_str(source).unwrap());
    let out = out(&case);
    let arguments = [OsStr::new("--output"), out.as_os_str(), program.as_os_str()];
    let (report, finished) = case.atoll.run_json(arguments, b"").unwrap();
    assert_eq!(finished.code(), 0, "{}", finished.stderr_text());
    let found = tree(&out);
    assert_eq!(found, text(&[("out.txt", "kept\n")]));
    agree(&report, &found);
}
