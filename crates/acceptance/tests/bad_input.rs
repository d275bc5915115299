//! Bad input gets a clear error, and nothing is lost: each case with its exit code and message.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

mod support;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

use atoll_acceptance::exit_code::{FAILED, USAGE};
use atoll_acceptance::{built_examples, repository};
use support::{Case, in_own_mounts, python, write};

#[test]
fn a_missing_program() {
    let case = Case::new();
    case.run([case.path("no-such-file.py")]).fails(
        FAILED,
        &[
            "failed to open",
            "no-such-file.py",
            "No such file",
            "check the path",
        ],
    );
}

#[test]
fn an_empty_program() {
    let case = Case::new();
    case.run([write(&case, "empty.py", b"")])
        .fails(FAILED, &["empty.py", "empty"]);
}

#[test]
fn an_unreadable_program() {
    let case = Case::new();
    let program = python(&case);
    let mut command = Command::new("setpriv");
    case.atoll.prepare(&mut command);
    // Root reads everything unless it lacks the capabilities that say so.
    command.args(["--bounding-set=-dac_override,-dac_read_search", "--"]);
    command.arg(case.atoll.program()).arg("run").arg(&program);
    Command::new("chmod")
        .arg("000")
        .arg(&program)
        .status()
        .unwrap();
    case.finish(command)
        .fails(FAILED, &["failed to open", "hello.py", "Permission denied"]);
}

#[test]
fn a_directory() {
    let case = Case::new();
    let path = case.path("programs");
    fs::create_dir(&path).unwrap();
    case.run([path])
        .fails(FAILED, &["programs", "it is a directory"]);
}

#[test]
fn a_fifo_without_a_writer() {
    let case = Case::new();
    let path = case.path("pipe.py");
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    case.run([path])
        .fails(FAILED, &["pipe.py", "it is a named pipe"]);
}

#[test]
fn a_sparse_file_of_two_gibibytes() {
    let case = Case::new();
    let path = case.path("huge.py");
    File::create(&path).unwrap().set_len(2 << 30).unwrap();
    case.run([path])
        .fails(FAILED, &["huge.py", "2147483648 bytes", "at most"]);
}

#[test]
fn a_sparse_input_file_of_two_gibibytes() {
    let case = Case::new();
    let path = case.path("huge.csv");
    File::create(&path).unwrap().set_len(2 << 30).unwrap();
    let program = python(&case);
    case.run([OsStr::new("--input"), path.as_os_str(), program.as_os_str()])
        .fails(FAILED, &["huge.csv", "2147483648 bytes", "at most"]);
}

#[test]
fn a_missing_input_file() {
    let case = Case::new();
    let program = python(&case);
    let input = case.path("nothing.csv");
    case.run([
        OsStr::new("--input"),
        input.as_os_str(),
        program.as_os_str(),
    ])
    .fails(FAILED, &["nothing.csv", "No such file"]);
}

#[test]
fn a_truncated_wasm_module() {
    let case = Case::new();
    let text = "(module (memory (export \"memory\") 1) (func (export \"_start\")))";
    let whole = wat::parse_str(text).unwrap();
    let half = whole.get(..whole.len() / 2).unwrap();
    case.run([write(&case, "half.wasm", half)])
        .fails_without_running(&["cut off"]);
}

#[test]
fn a_malformed_component() {
    let case = Case::new();
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    bytes.extend([0x07, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00]);
    case.run([write(&case, "broken.wasm", &bytes)])
        .fails_without_running(&["cut off"]);
}

#[test]
fn an_executable_for_another_architecture() {
    let case = Case::new();
    let mut bytes = fs::read(built_examples().join("mandelbrot")).unwrap();
    // e_machine (ELF specification, header offset 18): EM_S390, on which none of us runs.
    bytes[18..20].copy_from_slice(&22_u16.to_le_bytes());
    case.run([write(&case, "elsewhere", &bytes)]).fails(
        FAILED,
        &["elsewhere", "ELF file for 64-bit s390", "build it for"],
    );
}

#[test]
fn a_truncated_executable() {
    let case = Case::new();
    let whole = fs::read(built_examples().join("mandelbrot")).unwrap();
    case.run([write(&case, "stub", &whole[..48])])
        .fails_without_running(&["stub"]);
}

#[test]
fn binary_data_that_is_no_program() {
    let case = Case::new();
    let bytes: Vec<u8> = (0..4096_u32).map(|i| (i * 7919 % 251) as u8).collect();
    case.run([write(&case, "noise.bin", &bytes)])
        .fails(FAILED, &["noise.bin"]);
}

#[test]
fn a_script_with_a_syntax_error_runs_and_its_interpreter_says_so() {
    let case = Case::new();
    let program = write(&case, "broken.py", b"def f(:\n    pass\n");
    let finished = case.run([program]);
    assert_eq!(finished.code(), 1, "{}", finished.text());
    assert!(
        finished.text().contains("SyntaxError"),
        "{}",
        finished.text()
    );
    finished.is_calm();
}

#[test]
fn a_syntax_error_is_shown_by_explain_with_its_line() {
    let case = Case::new();
    let program = write(&case, "broken.py", b"x = 1\ndef f(:\n    pass\n");
    let finished = case.command(["explain".as_ref(), program.as_os_str()]);
    assert_eq!(finished.code(), 0, "{}", finished.text());
    assert!(
        finished.stdout().contains("line 2"),
        "{}",
        finished.stdout()
    );
    finished.is_calm();
}

#[test]
fn arguments_that_are_not_utf8_arrive_as_they_are() {
    let case = Case::new();
    let program = write(
        &case,
        "show.py",
        b"import os, sys\nsys.stdout.buffer.write(os.fsencode(sys.argv[1]))\n",
    );
    let argument = OsStr::from_bytes(b"caf\xe9 \xff\xfe");
    let finished = case.run([program.as_os_str(), argument]);
    assert_eq!(finished.code(), 0, "{}", finished.text());
    assert_eq!(finished.stdout_bytes(), b"caf\xe9 \xff\xfe");
    let (report, _) = case
        .atoll
        .run_json([program.as_os_str(), argument], b"")
        .unwrap();
    assert_eq!(
        report.stdout(),
        b"caf\xe9 \xff\xfe",
        "bytes must survive JSON"
    );
}

#[test]
fn a_program_name_that_is_not_utf8_runs() {
    let case = Case::new();
    let path = case.directory().join(OsStr::from_bytes(b"na\xefve.py"));
    fs::write(&path, "print('ran')\n").unwrap();
    let finished = case.run([path]);
    assert_eq!(finished.stdout_bytes(), b"ran\n", "{}", finished.text());
}

#[test]
fn an_environment_variable_without_a_name() {
    let case = Case::new();
    let program = python(&case);
    case.run([OsStr::new("--env"), "=value".as_ref(), program.as_os_str()])
        .fails(FAILED, &["variable name", "must not be empty"]);
}

/// A NUL cannot be passed in an argument to any command, so it arrives in a file instead.
#[test]
fn a_script_with_nul_bytes_does_no_harm() {
    let case = Case::new();
    for name in ["nul.py", "nul.js", "nul.sh"] {
        let finished = case.run([write(&case, name, b"# x\n\0\0\0echo hi\n\0")]);
        assert_ne!(finished.code(), 101, "{}", finished.text());
        finished.is_calm();
    }
}

#[test]
fn a_hundred_thousand_nested_brackets() {
    let case = Case::new();
    let shapes: [(&str, &str, &str); 4] = [
        ("deep.py", "x = ", "("),
        ("deeper.py", "x = ", "["),
        ("deep.js", "let x = ", "["),
        ("deep.sh", "echo ", "$("),
    ];
    for (name, start, bracket) in shapes {
        let text = format!("{start}{}\n", bracket.repeat(100_000));
        let program = write(&case, name, text.as_bytes());
        let explained = case.command([OsStr::new("explain"), "--json".as_ref(), program.as_ref()]);
        assert_eq!(explained.code(), 0, "{name}: {}", explained.text());
        assert!(
            explained.stdout().contains("\"unanalyzed\""),
            "{name}: {}",
            explained.stdout()
        );
        let finished = case.run([program]);
        assert_ne!(finished.code(), 0, "{name}");
        finished.is_calm();
    }
}

#[test]
fn an_unknown_level() {
    let case = Case::new();
    let program = python(&case);
    case.run([
        OsStr::new("--level"),
        "fortress".as_ref(),
        program.as_os_str(),
    ])
    .fails(USAGE, &["fortress", "instance", "process", "gvisor", "vm"]);
}

#[test]
fn an_invalid_tenant() {
    let case = Case::new();
    let program = python(&case);
    case.run([
        OsStr::new("--tenant"),
        "../root".as_ref(),
        program.as_os_str(),
    ])
    .fails(USAGE, &["tenant", "letters"]);
}

#[test]
fn sizes_and_times_that_cannot_be_read() {
    let case = Case::new();
    let program = python(&case);
    for option in [
        "--timeout=soon",
        "--timeout=0s",
        "--timeout=-1s",
        "--memory=lots",
        "--memory=0",
    ] {
        let (name, value) = option.split_once('=').unwrap();
        case.run([OsStr::new(option), program.as_os_str()])
            .fails(USAGE, &[name, value]);
    }
}

#[test]
fn a_policy_with_a_bad_expression() {
    let case = Case::new();
    let program = python(&case);
    let policy = write(
        &case,
        "policy.toml",
        b"[[rule]]\nid = \"odd\"\nwhen = \"risk.score >\"\nlevel = \"process\"\nbecause = \"x\"\n",
    );
    let finished = case.run([
        OsStr::new("--policy"),
        policy.as_os_str(),
        program.as_os_str(),
    ]);
    finished.fails(FAILED, &["policy.toml"]);
    let checked = case.command([OsStr::new("policy"), "check".as_ref(), policy.as_os_str()]);
    assert_ne!(checked.code(), 0, "{}", checked.text());
    let shown = format!("{}{}", checked.stdout(), checked.text());
    assert!(shown.contains("3:"), "no line of the error: {shown}");
    checked.is_calm();
}

#[test]
fn a_missing_policy() {
    let case = Case::new();
    let program = python(&case);
    let policy = case.path("none.toml");
    case.run([
        OsStr::new("--policy"),
        policy.as_os_str(),
        program.as_os_str(),
    ])
    .fails(FAILED, &["none.toml", "No such file"]);
}

#[test]
fn a_full_disk() {
    let case = Case::new();
    let program = python(&case);
    let set_up = "mount -t tmpfs -o size=16k,mode=0700 full \"$ATOLL_STATE_DIR\" && \
                  cat /dev/zero > \"$ATOLL_STATE_DIR/filler\" 2>/dev/null; true";
    let command = in_own_mounts(&case, set_up, &program);
    case.finish(command)
        .fails(FAILED, &["disk is full", "free some space"]);
}

#[test]
fn a_read_only_state_directory() {
    let case = Case::new();
    let program = python(&case);
    let set_up = "mount --bind \"$ATOLL_STATE_DIR\" \"$ATOLL_STATE_DIR\" && \
                  mount -o remount,bind,ro \"$ATOLL_STATE_DIR\"";
    let command = in_own_mounts(&case, set_up, &program);
    case.finish(command)
        .fails(FAILED, &["read-only file system"]);
}

#[test]
fn a_state_directory_that_is_a_file() {
    let case = Case::new();
    let program = python(&case);
    let file = write(&case, "not-a-directory", b"");
    let mut command = case.atoll.command();
    command.env("ATOLL_STATE_DIR", file).arg("run").arg(program);
    case.finish(command)
        .fails(FAILED, &["not-a-directory", "is not a directory"]);
}

#[test]
fn a_damaged_database() {
    let case = Case::new();
    let program = python(&case);
    let first = case.run([program.as_os_str()]);
    assert_eq!(first.code(), 0, "{}", first.text());
    let databases = support::databases(case.atoll.state());
    assert!(!databases.is_empty(), "no database in the state directory");
    for path in databases {
        fs::write(path, [0x5a; 8192]).unwrap();
    }
    case.run([program]).fails(
        FAILED,
        &["failed to open the store", "atoll.db", "move it away"],
    );
}

#[test]
fn a_closed_output_pipe() {
    let case = Case::new();
    let flood = repository().join("examples/output-flood/flood.sh");
    let mut command = case.atoll.command();
    let mut child = command
        .arg("run")
        .arg(flood)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let finished = support::Finished(support::wait_with_output(child));
    assert_ne!(finished.code(), 0);
    finished.is_calm();
}

#[test]
fn a_full_output_device() {
    let case = Case::new();
    let program = python(&case);
    let mut command = Command::new("sh");
    case.atoll.prepare(&mut command);
    command.args(["-c", "exec \"$0\" run \"$1\" > /dev/full"]);
    command.arg(case.atoll.program()).arg(program);
    case.finish(command)
        .fails(FAILED, &["failed to write output", "No space left"]);
}

#[test]
fn every_failed_run_is_in_the_history_once() {
    let case = Case::new();
    let program = write(&case, "broken.py", b"raise SystemExit(7)\n");
    for _ in 0..3 {
        assert_eq!(case.run([program.as_os_str()]).code(), 7);
    }
    let history = case.command(["history", "--json"]);
    assert_eq!(history.code(), 0, "{}", history.text());
    let rows = history.stdout().matches("broken.py").count();
    assert_eq!(rows, 3, "{}", history.stdout());
}

#[test]
fn a_missing_language_runtime_or_dependency_directory() {
    let case = Case::new();
    let program = python(&case);
    let directory = case.path("no-libraries");
    case.run([
        OsStr::new("--dependencies"),
        directory.as_os_str(),
        program.as_os_str(),
    ])
    .fails_without_running(&["no-libraries", "No such file"]);
}

#[test]
fn the_helper_programs_are_missing() {
    let case = Case::new();
    let directory = case.path("bin");
    fs::create_dir(&directory).unwrap();
    let alone = directory.join("atoll");
    fs::copy(case.atoll.program(), &alone).unwrap();
    // One that lies above, where others may write, is not ours.
    fs::copy("/bin/true", case.path("atoll-launcher")).unwrap();
    let program = python(&case);
    let mut command = Command::new(&alone);
    case.atoll.prepare(&mut command);
    command.arg("run").arg(program);
    case.finish(command)
        .fails_without_running(&["atoll-launcher"]);
}

/// Without the program that reads large ones, they count as not understood; others are read.
#[test]
fn the_program_that_reads_large_programs_is_missing() {
    let case = Case::new();
    let directory = case.path("bin");
    fs::create_dir(&directory).unwrap();
    let built = case.atoll.program().parent().unwrap().to_owned();
    for name in ["atoll", "atoll-launcher"] {
        fs::copy(built.join(name), directory.join(name)).unwrap();
    }
    let large = "# a line that says nothing\n".repeat(60_000);
    let large = write(&case, "large.py", large.as_bytes());
    let explain = |atoll: &Path, program: &Path| {
        let mut command = Command::new(atoll);
        case.atoll.prepare(&mut command);
        command.args(["explain", "--json"]).arg(program);
        let explained = case.finish(command);
        assert_eq!(explained.code(), 0, "{}", explained.text());
        explained.stdout()
    };
    let alone = directory.join("atoll");
    let is_read = |atoll: &Path| {
        let mut command = Command::new(atoll);
        case.atoll.prepare(&mut command);
        command.args(["doctor", "--json"]);
        let told: serde_json::Value = serde_json::from_str(&case.finish(command).stdout()).unwrap();
        told["large_programs"]["available"].as_bool().unwrap()
    };
    assert!(!is_read(&alone) && is_read(case.atoll.program()));
    let said = explain(&alone, &large);
    assert!(said.contains("\"unanalyzed\""), "{said}");
    assert!(said.contains("failed to find atoll-analyzer"), "{said}");
    assert!(!explain(&alone, &python(&case)).contains("\"unanalyzed\""));
    assert!(!explain(case.atoll.program(), &large).contains("\"unanalyzed\""));
}
