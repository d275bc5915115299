//! Jobs through an agent to a sandbox of the level `process`.

use std::time::Duration;

use atoll_sandbox::conformance::{accepted_by_environment, limits};
use atoll_sandbox::{
    Ending, Environment, Job, OutputEnd, Sandbox, SandboxSpec, StartError, Tenancy,
};
use atoll_types::{
    InputFile, LimitName, Limits, Program, ProgramHash, ProgramKind, SkipReason, SystemCalls,
    TenantId,
};

use crate::behind;

/// Everything that is seen of a program.
#[derive(Debug, PartialEq)]
pub(crate) struct Ran {
    pub(crate) ending: Ending,
    pub(crate) limit: Option<LimitName>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) left: Vec<(String, Result<String, SkipReason>)>,
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

pub(crate) fn job(kind: ProgramKind, text: &str) -> Job {
    Job {
        program: Program {
            name: "program".to_owned(),
            kind,
            hash: ProgramHash::of(text.as_bytes()),
            bytes: text.as_bytes().into(),
        },
        arguments: Vec::new(),
        files: Vec::new(),
        environment: Vec::new(),
        parts: None,
        calls: Default::default(),
    }
}

pub(crate) fn file(name: &str, content: &[u8]) -> InputFile {
    InputFile {
        name: name.as_bytes().to_vec(),
        content: content.into(),
    }
}

/// Runs a job to its end and collects everything.
pub(crate) async fn finish(mut sandbox: Box<dyn Sandbox>, job: Job, input: &[u8]) -> Ran {
    let streams = sandbox.start(job).await.unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || streams.stdin.write_all(&input).is_ok());
    let stdout = std::thread::spawn(move || read(streams.stdout));
    let stderr = std::thread::spawn(move || read(streams.stderr));
    let ended = tokio::time::timeout(Duration::from_secs(60), sandbox.wait()).await;
    let ending = ended.unwrap();
    let limit = sandbox.limit_hit();
    let mut left = Vec::new();
    for leaving in sandbox.leavings().await.unwrap() {
        let file = leaving.file.map(|mut file| {
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut file.content, &mut text).unwrap();
            String::from_utf8_lossy(&text).into_owned()
        });
        left.push((String::from_utf8_lossy(&leaving.path).into_owned(), file));
    }
    sandbox.destroy().await.unwrap();
    let _ = writer.join().unwrap();
    Ran {
        ending,
        limit,
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
        left,
    }
}

fn read(end: OutputEnd) -> String {
    String::from_utf8_lossy(&end.read_to_end().unwrap()).into_owned()
}

async fn sandbox(kind: ProgramKind, limits: Limits) -> Box<dyn Sandbox> {
    let spec = SandboxSpec {
        id: "jobs".to_owned(),
        limits,
        system_calls: SystemCalls::Processes,
        accept_missing: accepted_by_environment(),
        environment: Environment {
            kind,
            dependencies: None,
            modules: Default::default(),
            tenant: TenantId::local(),
        },
        renews: false,
        tenancy: Tenancy::own(),
    };
    Box::new(behind::begin(spec, false).await.unwrap())
}

fn shell(text: &str, input: &[u8], limits: Limits) -> Ran {
    runtime().block_on(async {
        let sandbox = sandbox(ProgramKind::Shell, limits).await;
        finish(sandbox, job(ProgramKind::Shell, text), input).await
    })
}

#[test]
fn large_files_go_in_and_come_out() {
    let content: Vec<u8> = (0..5_000_000_u32).map(|at| (at % 251) as u8).collect();
    let large = Job {
        files: vec![
            file("a", &content),
            file("empty", b""),
            file("b", &content[..70_000]),
        ],
        ..job(
            ProgramKind::Shell,
            "cmp -n 70000 a b && cat a a > c; cksum empty; rm a",
        )
    };
    let ran = runtime()
        .block_on(async { finish(sandbox(ProgramKind::Shell, limits()).await, large, b"").await });
    assert_eq!(ran.ending, Ending::Exited(0), "{:?}", ran.stderr);
    assert_eq!(ran.stdout, "4294967295 0 empty\n");
    let names: Vec<_> = ran.left.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(names, ["b", "c", "empty", "program"]);
    let expected = String::from_utf8_lossy(&[&content[..], &content[..]].concat()).into_owned();
    assert!(ran.left[1].1.as_ref().unwrap() == &expected);
}

#[test]
fn much_input_and_output_pass_in_both_directions() {
    let input = vec![b'x'; 3_000_000];
    let limits = Limits {
        output_bytes: 8 << 20,
        ..limits()
    };
    let ran = shell("cat; echo done >&2", &input, limits);
    assert_eq!(
        (ran.ending, ran.stderr.as_str()),
        (Ending::Exited(0), "done\n")
    );
    assert!(ran.stdout.as_bytes() == input);
}

#[test]
fn input_that_nobody_reads_holds_nothing_up() {
    let ran = shell(
        "exec 0<&-; echo closed; sleep 0.2",
        &[b'x'; 500_000],
        limits(),
    );
    assert_eq!(
        (ran.ending, ran.stdout.as_str()),
        (Ending::Exited(0), "closed\n")
    );
    let ran = shell("echo ended", &[b'x'; 500_000], limits());
    assert_eq!(
        (ran.ending, ran.stdout.as_str()),
        (Ending::Exited(0), "ended\n")
    );
}

/// Whoever watches ends it; until then it is held up, and nothing grows.
#[test]
fn a_flood_of_output_stops_at_the_limit() {
    let limits = Limits {
        output_bytes: 100_000,
        ..limits()
    };
    runtime().block_on(async {
        let mut sandbox = sandbox(ProgramKind::Shell, limits).await;
        let flood = job(ProgramKind::Shell, "cat /dev/zero");
        let streams = sandbox.start(flood).await.unwrap();
        let reader = std::thread::spawn(move || streams.stdout.read_to_end().unwrap().len());
        let waited = tokio::time::timeout(Duration::from_millis(500), sandbox.wait()).await;
        assert!(waited.is_err(), "{waited:?}");
        sandbox.stop();
        let ending = sandbox.wait().await;
        assert!(!matches!(ending, Ending::Exited(_)), "{ending:?}");
        let read = reader.join().unwrap();
        assert!((100_001..=100_000 + (64 << 10)).contains(&read), "{read}");
        sandbox.destroy().await.unwrap();
    });
}

#[test]
fn output_is_told_before_the_end_also_of_what_is_left_running() {
    let ran = shell("(sleep 60; echo late) & echo early", b"", limits());
    assert_eq!(
        (ran.ending, ran.stdout.as_str()),
        (Ending::Exited(0), "early\n")
    );
}

#[test]
fn limits_that_end_a_program_are_told() {
    let few = Limits {
        disk_bytes: 1 << 20,
        ..limits()
    };
    let ran = shell("cat /dev/zero > full", b"", few);
    assert_eq!(ran.limit, Some(LimitName::Disk), "{ran:?}");
    let job = Job {
        files: vec![file("large", &vec![0; 2 << 20])],
        ..job(ProgramKind::Shell, "true")
    };
    let started = runtime().block_on(async {
        let mut sandbox = sandbox(ProgramKind::Shell, few).await;
        let started = sandbox.start(job).await.map(drop);
        sandbox.destroy().await.unwrap();
        started
    });
    assert!(
        matches!(started, Err(StartError::Limit(LimitName::Disk))),
        "{started:?}"
    );
}

#[test]
fn what_is_no_program_does_not_start() {
    let started = runtime().block_on(async {
        let mut sandbox = sandbox(ProgramKind::Native, limits()).await;
        let started = sandbox
            .start(job(ProgramKind::Native, "not ELF"))
            .await
            .map(drop);
        sandbox.destroy().await.unwrap();
        started
    });
    assert!(
        matches!(started, Err(StartError::Program(_))),
        "{started:?}"
    );
}

#[test]
fn limits_change_while_a_program_runs() {
    runtime().block_on(async {
        let mut sandbox = sandbox(ProgramKind::Shell, limits()).await;
        let text = "read line; x=x; while [ ${#x} -lt 200000000 ]; do x=$x$x; done; echo grown";
        let streams = sandbox.start(job(ProgramKind::Shell, text)).await.unwrap();
        let more = Limits {
            memory_bytes: 1 << 30,
            ..limits()
        };
        sandbox.set_limits(&more).unwrap();
        let writer = std::thread::spawn(move || streams.stdin.write_all(b"\n").unwrap());
        let stdout = std::thread::spawn(move || read(streams.stdout));
        let ending = sandbox.wait().await;
        assert_eq!((ending, sandbox.limit_hit()), (Ending::Exited(0), None));
        sandbox.destroy().await.unwrap();
        writer.join().unwrap();
        assert_eq!(stdout.join().unwrap(), "grown\n");
    });
}
