//! The way of a message with a real store, a real policy and real processes, behind a backend
//! whose boundary is missing on purpose.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails by panicking"
)]

mod bare;
mod collecting;
mod events;
mod labelled;
mod pools;
mod records;
mod refusals;
mod sharing;
mod trials;

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use atoll_engine::{
    CutShort, Engine, EngineError, Flow, Observer, Options, PolicyText, PoolOptions, ProgramFile,
    Report, RunOptions, Stream, Submission, now_unix_ms, random,
};
use atoll_types::{LimitName, Message, Origin, ProfileSource, Status, Stdin, TenantId, Usage};
use tokio::sync::oneshot;

use crate::bare::Bare;

/// Lets every shell script run as a process, in little room.
const POLICY: &str = r#"
[defaults.limits]
wall_time = { value = "10s", request_max = "20s" }
cpu_time = "10s"
cpu_percent = 100
memory = "64MiB"
processes = 16
disk = "1KiB"
disk_files = 10
output = "10KiB"
open_files = 64

[tenants.enemy]
trust = "unknown"

[[rule]]
id = "enemies"
when = 'tenant.id == "enemy"'
because = "enemies get nothing"
set.deny = true

[[rule]]
id = "strong"
when = 'tenant.id == "guarded"'
because = "this tenant wants a kernel of its own"
set.level = "vm"

[[rule]]
id = "everyone"
because = "everyone may run scripts"
set.level = "process"
"#;

fn engine(state_dir: &Path, backend: Bare) -> Engine {
    engine_with(state_dir, backend, None)
}

fn engine_with(state_dir: &Path, backend: Bare, pools: Option<PoolOptions>) -> Engine {
    Engine::open(Options {
        state_dir: state_dir.to_owned(),
        policy: PolicyText {
            name: "test.toml".to_owned(),
            text: POLICY.to_owned(),
        },
        backends: vec![Arc::new(backend)],
        pools,
        memory_bytes: None,
    })
    .unwrap()
}

fn message_of(tenant: &str, script: &str) -> Message {
    let submission = Submission {
        program: ProgramFile {
            name: "script.sh".to_owned(),
            bytes: format!("#!/bin/sh\n{script}\n").into_bytes().into(),
        },
        parts: atoll_types::Parts::default(),
        arguments: Vec::new(),
        sample: None,
        stdin: Stdin::Empty,
        files: Vec::new(),
        environment: Vec::new(),
        tenant: TenantId::new(tenant).unwrap(),
        origin: Origin::CommandLine,
    };
    submission
        .into_message(now_unix_ms(), random().unwrap())
        .unwrap()
}

fn message(script: &str) -> Message {
    message_of("local", script)
}

/// Collects output; tells of the first.
#[derive(Default)]
struct Reader {
    stdout: Vec<u8>,
    told: Option<oneshot::Sender<()>>,
    close: bool,
}

#[async_trait]
impl Observer for Reader {
    async fn output(&mut self, stream: Stream, bytes: &[u8]) -> Flow {
        if stream == Stream::Stdout {
            self.stdout.extend_from_slice(bytes);
        }
        if let Some(told) = self.told.take() {
            let _ = told.send(());
        }
        if self.close {
            Flow::Closed
        } else {
            Flow::Continue
        }
    }

    fn progress(&mut self, _usage: &Usage) {}
}

async fn run(engine: &Engine, message: Message) -> Report {
    let options = RunOptions {
        keep_output: true,
        ..RunOptions::default()
    };
    let mut reader = Reader::default();
    let never = pin!(std::future::pending());
    engine
        .run(message, options, &mut reader, never)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_message_goes_all_the_way() {
    let state = tempfile::tempdir().unwrap();
    let backend = Bare::default();
    let (living, made) = (backend.living.clone(), backend.made.clone());
    let engine = engine(state.path(), backend);
    let message = message("echo out; echo err >&2; exit 3");
    let id = message.id;
    let report = run(&engine, message).await;
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    assert_eq!(report.cut_short, None);
    let outcome = report.outcome;
    assert_eq!(outcome.id, id);
    assert_eq!(outcome.status, Status::Exited);
    assert_eq!(outcome.exit_code, Some(3));
    assert_eq!(outcome.stdout, b"out\n");
    assert_eq!(outcome.stderr, b"err\n");
    assert_eq!(outcome.usage.output_bytes, 8);
    assert!(outcome.analysis.is_some() && outcome.risk.is_some() && outcome.profile.is_some());
    assert_eq!(outcome.decision.unwrap().rule, "everyone");
    assert!(outcome.enforcement.unwrap().is_complete());
    let stages: Vec<&str> = outcome
        .timings_us
        .stages
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "analyze", "decide", "destroy", "predict", "provide", "record", "risk", "run", "take",
    ];
    assert_eq!(stages, expected);
    // Destroying goes on beside recording.
    let stages = outcome.timings_us.stages.iter();
    let one_by_one = stages.filter(|(stage, _)| *stage != "destroy");
    let sum: u64 = one_by_one.map(|(_, taken_us)| taken_us).sum();
    assert!(sum <= outcome.timings_us.total);
    assert_eq!(made.load(Ordering::SeqCst), 1);
    assert_eq!(living.load(Ordering::SeqCst), 0);

    let record = engine.message(id).await.unwrap().unwrap();
    assert_eq!(record.row.status, Some(Status::Exited));
    assert_eq!(record.row.exit_code, Some(3));
    assert_eq!(record.events, []);
    assert_eq!(record.details.unwrap().decision.unwrap().rule, "everyone");
}

#[tokio::test]
async fn input_reaches_the_program() {
    let state = tempfile::tempdir().unwrap();
    let engine = engine(state.path(), Bare::default());
    let bytes = Message {
        stdin: Stdin::Bytes(b"given\n".as_slice().into()),
        ..message("cat")
    };
    assert_eq!(run(&engine, bytes).await.outcome.stdout, b"given\n");

    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    sender.send(b"streamed\n".to_vec()).await.unwrap();
    drop(sender);
    let stream = Message {
        stdin: Stdin::Stream,
        ..message("cat")
    };
    let options = RunOptions {
        keep_output: true,
        input: Some(receiver),
        ..RunOptions::default()
    };
    let mut reader = Reader::default();
    let never = pin!(std::future::pending());
    let report = engine
        .run(stream, options, &mut reader, never)
        .await
        .unwrap();
    assert_eq!(report.outcome.stdout, b"streamed\n");
    assert_eq!(reader.stdout, b"streamed\n");
}

#[tokio::test]
async fn a_limit_ends_the_run_and_is_remembered() {
    let state = tempfile::tempdir().unwrap();
    let engine = engine(state.path(), Bare::default());
    let message = message("yes");
    let id = message.id;
    let outcome = run(&engine, message).await.outcome;
    assert_eq!(outcome.status, Status::Limit);
    let limit = outcome.limit.unwrap();
    assert_eq!((limit.name, limit.value), (LimitName::Output, 10 << 10));
    assert!(outcome.truncated);
    assert_eq!(outcome.stdout.len(), 10 << 10);
    assert!(outcome.reason.unwrap().contains("10240 bytes of output"));
    let record = engine.message(id).await.unwrap().unwrap();
    assert_eq!(record.events.len(), 1);
    assert_eq!(record.row.limit, Some(limit));
}

#[tokio::test]
async fn a_stop_destroys_the_sandbox_and_is_recorded() {
    let state = tempfile::tempdir().unwrap();
    let backend = Bare::default();
    let living = backend.living.clone();
    let engine = engine(state.path(), backend);
    let message = message("echo ready; sleep 1000");
    let id = message.id;
    let (told, ready) = oneshot::channel();
    let mut reader = Reader {
        told: Some(told),
        ..Reader::default()
    };
    let stop = pin!(async { ready.await.unwrap() });
    let report = engine
        .run(message, RunOptions::default(), &mut reader, stop)
        .await
        .unwrap();
    assert_eq!(report.cut_short, Some(CutShort::Interrupted));
    assert_eq!(report.outcome.status, Status::Failed);
    assert_eq!(living.load(Ordering::SeqCst), 0);
    let record = engine.message(id).await.unwrap().unwrap();
    assert_eq!(record.row.status, Some(Status::Failed));
    assert_eq!(record.events, []);
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_the_run() {
    let state = tempfile::tempdir().unwrap();
    let engine = engine(state.path(), Bare::default());
    let mut reader = Reader {
        close: true,
        ..Reader::default()
    };
    let never = pin!(std::future::pending());
    let report = engine
        .run(
            message("echo a; sleep 1000"),
            RunOptions::default(),
            &mut reader,
            never,
        )
        .await
        .unwrap();
    assert_eq!(report.cut_short, Some(CutShort::OutputClosed));
}

#[tokio::test]
async fn earlier_runs_feed_the_prediction() {
    let state = tempfile::tempdir().unwrap();
    let engine = engine(state.path(), Bare::default());
    let first = run(&engine, message("true")).await.outcome.profile.unwrap();
    assert!(matches!(
        first.cpu_demand.source,
        ProfileSource::Table { .. }
    ));
    for _ in 0..3 {
        run(&engine, message("true")).await;
    }
    let later = run(&engine, message("true")).await.outcome.profile.unwrap();
    assert!(matches!(
        later.cpu_demand.source,
        ProfileSource::History { runs: 4 }
    ));
    let another = run(&engine, message("false"))
        .await
        .outcome
        .profile
        .unwrap();
    assert!(matches!(
        another.cpu_demand.source,
        ProfileSource::Table { .. }
    ));
}

#[tokio::test]
async fn the_decision_is_told_before_the_program_starts() {
    let state = tempfile::tempdir().unwrap();
    let backend = Bare::default();
    let made = backend.made.clone();
    let engine = engine(state.path(), backend);
    let (tell, told) = std::sync::mpsc::channel();
    let options = RunOptions {
        decided: Some(Box::new(move |outcome| {
            let rule = outcome
                .decision
                .as_ref()
                .map(|decision| decision.rule.clone());
            tell.send((rule, made.load(Ordering::SeqCst))).unwrap();
        })),
        ..RunOptions::default()
    };
    let mut reader = Reader::default();
    let never = pin!(std::future::pending());
    engine
        .run(message("true"), options, &mut reader, never)
        .await
        .unwrap();
    assert_eq!(told.recv().unwrap(), (Some("everyone".to_owned()), 0));
}

#[tokio::test]
async fn a_bad_policy_is_told_with_its_place() {
    let state = tempfile::tempdir().unwrap();
    let error = Engine::open(Options {
        state_dir: state.path().to_owned(),
        policy: PolicyText {
            name: "bad.toml".to_owned(),
            text: "[[rule]]\nid = \"a\"\nwhen = \"1 +\"\n".to_owned(),
        },
        backends: Vec::new(),
        pools: None,
        memory_bytes: None,
    })
    .unwrap_err();
    let EngineError::Policy { name, diagnostics } = error else {
        panic!("{error:?}");
    };
    assert_eq!(name, "bad.toml");
    assert!(
        diagnostics.iter().any(|diagnostic| diagnostic.line == 3),
        "{diagnostics:?}"
    );
}

#[tokio::test]
async fn doctor_reports_every_level() {
    let state = tempfile::tempdir().unwrap();
    let engine = engine(state.path(), Bare::default());
    let diagnosis = engine.doctor().await;
    let available: Vec<bool> = diagnosis
        .levels
        .iter()
        .map(|level| level.available)
        .collect();
    assert_eq!(available, [false, true, false, false]);
    assert!(diagnosis.state.unwrap().ends_with("atoll.db"));
    let lacking = Bare {
        fault: bare::Fault::NotEnforceable,
        ..Bare::default()
    };
    let state = tempfile::tempdir().unwrap();
    let engine = self::engine(state.path(), lacking);
    let diagnosis = engine.doctor().await;
    let process = diagnosis
        .levels
        .iter()
        .find(|level| !level.mechanisms.is_empty())
        .unwrap();
    assert!(!process.available);
    assert_eq!(process.because, "it lacks seccomp");
    let mechanism = process.mechanisms.first().unwrap();
    assert!(mechanism.advice.unwrap().contains("CONFIG_SECCOMP_FILTER"));
}
