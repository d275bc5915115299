//! The agent of a container, with real programs that it runs plainly.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use async_trait::async_trait;
use atoll_remote::protocol::{Begin, Surroundings};
use atoll_remote::{Agent, Outside, Remote};
use atoll_sandbox::conformance::limits;
use atoll_sandbox::{DestroyError, Ending, Job, Sandbox};
use atoll_types::{
    LayerReport, Level, LimitName, Limits, Program, ProgramHash, ProgramKind, SkipReason,
    SystemCalls,
};

use crate::behind::PATIENCE;
use crate::jobs::{Ran, file, finish, job, runtime};

/// Namespaces, from outside of which everything in them can be ended.
struct Namespaces {
    /// `unshare`, whose end is the end of the first process.
    child: Mutex<Child>,
    _root: tempfile::TempDir,
}

#[async_trait]
impl Outside for Namespaces {
    fn level(&self) -> Level {
        Level::Gvisor
    }

    fn layers(&self, inside: Vec<LayerReport>) -> Vec<LayerReport> {
        inside
    }

    fn set_limits(&self, _limits: &Limits) -> std::io::Result<()> {
        Ok(())
    }

    fn kill(&self) {
        let _ = self.child.lock().unwrap().kill();
    }

    async fn destroy(&self) -> Result<(), DestroyError> {
        self.kill();
        self.child.lock().unwrap().wait().unwrap();
        Ok(())
    }
}

/// An agent in a container of its own, and a sandbox for programs of a kind.
async fn container(kind: ProgramKind, is_warm: bool) -> Remote {
    let root = tempfile::tempdir().unwrap();
    let script = root.path().with_extension("py");
    std::fs::write(&script, atoll_sandbox_process::SCRIPT).unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let input: OwnedFd = theirs.try_clone().unwrap().into();
    let mut command = Command::new("unshare");
    command
        .args([
            "--mount",
            "--pid",
            "--net",
            "--ipc",
            "--uts",
            "--fork",
            "--kill-child=KILL",
        ])
        .args([
            "sh",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/container.sh"),
        ])
        .args([
            root.path(),
            env!("CARGO_BIN_EXE_atoll-agent").as_ref(),
            &script,
        ])
        .env_clear()
        .stdin(Stdio::from(input))
        .stdout(Stdio::from(OwnedFd::from(theirs)));
    let child = command.spawn().unwrap();
    drop(command);
    let outside = Namespaces {
        child: Mutex::new(child),
        _root: root,
    };
    let output = ours.try_clone().unwrap();
    let met = Agent::meet(ours.into(), output.into(), PATIENCE).await;
    let _ = std::fs::remove_file(script);
    let mut agent = met.unwrap();
    let begin = Begin {
        id: "container".to_owned(),
        identity: None,
        volume: None,
        surroundings: Surroundings {
            kind,
            dependencies: None,
            modules: Default::default(),
        },
        limits: limits(),
        system_calls: SystemCalls::Processes,
        accept_missing: Default::default(),
        is_warm,
        practises: false,
        is_fresh: false,
    };
    agent.begin(begin).await.unwrap();
    if is_warm {
        agent.rehearse().await.unwrap();
    }
    Remote::new(agent, Box::new(outside))
}

fn run(kind: ProgramKind, is_warm: bool, job: Job, input: &[u8]) -> Ran {
    runtime().block_on(async {
        let sandbox = container(kind, is_warm).await;
        finish(Box::new(sandbox), job, input).await
    })
}

fn shell(text: &str) -> Ran {
    run(
        ProgramKind::Shell,
        false,
        job(ProgramKind::Shell, text),
        b"",
    )
}

#[test]
fn a_program_finds_its_message_and_nothing_else() {
    let text = "echo \"$0 $*\"; echo \"$COLOUR $HOME $PWD\"; id -u; cat; cat input.txt; \
                ls /proc/self/fd | tr '\\n' ' '; grep CapEff /proc/self/status; exit 7";
    let job = Job {
        arguments: vec![b"one".to_vec(), b"two words".to_vec()],
        environment: vec![(b"COLOUR".to_vec(), b"blue".to_vec())],
        files: vec![file("input.txt", b"of a file\n")],
        ..job(ProgramKind::Shell, text)
    };
    let ran = run(ProgramKind::Shell, false, job, b"given\n");
    assert_eq!(ran.ending, Ending::Exited(7), "{ran:?}");
    let expected = "/work/program one two words\nblue /work /work\n1000\ngiven\nof a file\n\
                    0 1 2 3 CapEff:\t0000000000000000\n";
    assert_eq!(ran.stdout, expected);
}

#[test]
fn a_waiting_interpreter_runs_a_script_as_a_new_one_does() {
    let text = "import os, sys\nprint(sys.argv, __name__, __file__, sys.path[0])\n\
                print(sorted(os.environ.items()), os.getcwd(), sys.stdin.read())\n\
                print(os.listdir('/proc/self/fd'))\nopen('out.txt', 'w').write('kept')\n\
                sys.exit(9)";
    let job = || Job {
        arguments: vec![b"one".to_vec()],
        ..job(ProgramKind::Python, text)
    };
    let cold = run(ProgramKind::Python, false, job(), b"in");
    let warm = run(ProgramKind::Python, true, job(), b"in");
    assert_eq!(cold.ending, Ending::Exited(9), "{cold:?}");
    assert_eq!(cold, warm);
    assert!(cold.left.iter().any(|(path, _)| path == "out.txt"));
}

#[test]
fn whatever_a_program_started_ends_with_it() {
    let text = "setsid sh -c 'while :; do sleep 0.01; done' & (setsid cat /dev/zero > /dev/null &); \
                echo started";
    let ran = shell(text);
    assert_eq!(ran.ending, Ending::Exited(0), "{ran:?}");
    assert_eq!(ran.stdout, "started\n");
}

#[test]
fn the_agent_cannot_be_ended_from_inside() {
    let ran = shell("kill -9 1; kill -9 -1; kill -TERM 1; echo alive");
    assert_eq!(
        (ran.ending, ran.stdout.as_str()),
        (Ending::Exited(0), "alive\n")
    );
    let text = "import os\ntry:\n  os.kill(1, 9)\nexcept PermissionError: print('no')\n";
    let ran = run(
        ProgramKind::Python,
        false,
        job(ProgramKind::Python, text),
        b"",
    );
    assert_eq!(ran.stdout, "no\n", "{ran:?}");
}

#[test]
fn full_private_files_and_large_ones_are_told_apart_from_other_ends() {
    let ran = shell("head -c 4000000 /dev/zero > full; exit 3");
    assert_eq!(
        (ran.ending, ran.limit),
        (Ending::Exited(3), Some(LimitName::Disk))
    );
    let ran = shell("exit 3");
    assert_eq!((ran.ending, ran.limit), (Ending::Exited(3), None));
    let ran = shell("kill -ABRT $$");
    assert_eq!((ran.ending, ran.limit), (Ending::Signalled(6), None));
}

#[test]
fn what_is_left_comes_out_as_it_was() {
    let ran = shell(
        "mkdir -p a/b; echo deep > a/b/c; ln -s /etc/passwd link; mkfifo pipe; ln a/b/c hard; \
         truncate -s 30M large; truncate -s 30M larger; printf '#!' > run; chmod 700 run; chmod 0 a/b/c",
    );
    assert_eq!(ran.ending, Ending::Exited(0), "{ran:?}");
    let expected = [
        ("a/b/c", Ok("deep\n".to_owned())),
        ("hard", Ok(String::new())),
        ("larger", Err(SkipReason::TooLarge)),
        ("link", Err(SkipReason::SymbolicLink)),
        ("pipe", Err(SkipReason::Pipe)),
    ];
    for (path, file) in expected {
        let found = ran.left.iter().find(|(found, _)| found == path);
        assert_eq!(
            found.map(|(_, file)| file),
            Some(&file),
            "{path}: {:?}",
            ran.left
        );
    }
}

#[test]
fn a_native_program_runs_and_what_is_none_does_not() {
    let echo = std::fs::read("/usr/bin/echo").unwrap();
    let native = Job {
        program: Program {
            name: "echo".to_owned(),
            kind: ProgramKind::Native,
            hash: ProgramHash::of(&echo),
            bytes: echo.into(),
        },
        arguments: vec![b"native".to_vec()],
        ..job(ProgramKind::Native, "")
    };
    assert_eq!(
        run(ProgramKind::Native, false, native, b"").stdout,
        "native\n"
    );
    let refused = runtime().block_on(async {
        let mut sandbox = container(ProgramKind::Native, false).await;
        let started = sandbox.start(job(ProgramKind::Native, "not ELF")).await;
        Box::new(sandbox).destroy().await.unwrap();
        started.map(drop)
    });
    assert!(
        matches!(refused, Err(atoll_sandbox::StartError::Program(_))),
        "{refused:?}"
    );
}
