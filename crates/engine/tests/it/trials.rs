//! Programs that are tried on part of their input first.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atoll_engine::{Engine, Options, PolicyText, Request, Sized};
use atoll_types::{Message, Status, Stdin, TrialEnd};

use crate::bare::Bare;
use crate::{message, run};

/// Far more time than any of these programs takes.
const POLICY: &str = r#"
[trial]
when = "message.input_bytes >= 1000 || message.sample_bytes > 0"
budget = "60s"

[[rule]]
id = "everyone"
because = "everyone may run scripts"
set.level = "process"
"#;

struct Place {
    _state: tempfile::TempDir,
    backend: Bare,
    engine: Engine,
}

impl Place {
    fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let backend = Bare::default();
        let engine = Engine::open(Options {
            state_dir: state.path().to_owned(),
            policy: PolicyText {
                name: "test".to_owned(),
                text: POLICY.to_owned(),
            },
            backends: vec![std::sync::Arc::new(Bare {
                living: backend.living.clone(),
                made: backend.made.clone(),
                ..Bare::default()
            })],
            pools: None,
            memory_bytes: None,
        });
        Self {
            _state: state,
            backend,
            engine: engine.unwrap(),
        }
    }

    fn made(&self) -> u32 {
        self.backend.made.load(Ordering::SeqCst)
    }

    fn living(&self) -> u32 {
        self.backend.living.load(Ordering::SeqCst)
    }
}

fn lines(count: usize) -> Vec<u8> {
    "a line of text\n".repeat(count).into_bytes()
}

fn given(script: &str, input: Vec<u8>) -> Message {
    Message {
        stdin: Stdin::Bytes(input.into()),
        ..message(script)
    }
}

#[tokio::test]
async fn pieces_of_the_input_grow_and_only_the_whole_is_seen() {
    let place = Place::new();
    let report = run(&place.engine, given("wc -l", lines(10_000))).await;
    let outcome = report.outcome;
    assert_eq!(outcome.status, Status::Exited, "{:?}", outcome.reason);
    assert_eq!(String::from_utf8_lossy(&outcome.stdout).trim(), "10000");
    let trial = outcome.trial.unwrap();
    assert_eq!(trial.input_bytes, 150_000);
    assert!(!trial.from_sample);
    assert_eq!(trial.ended, TrialEnd::Whole);
    let sizes: Vec<u64> = trial.runs.iter().map(|run| run.size).collect();
    assert!(sizes.len() >= 4 && sizes.is_sorted(), "{sizes:?}");
    assert!(sizes.iter().all(|size| size % 15 == 0), "{sizes:?}");
    assert!(
        sizes.iter().all(|size| *size <= 75_000),
        "the whole is not tried"
    );
    assert_eq!(place.made() as usize, trial.runs.len() + 1);
    assert_eq!(place.living(), 0, "every sandbox is gone");
    let totals = place.engine.history(&Default::default()).await.unwrap();
    assert_eq!(totals.len(), 1, "trials are no messages of their own");
}

#[tokio::test]
async fn a_program_that_needs_its_whole_input_runs_all_the_same() {
    let place = Place::new();
    let script = "test $(wc -l) -eq 10000 && echo all";
    let report = run(&place.engine, given(script, lines(10_000))).await;
    let outcome = report.outcome;
    assert_eq!(outcome.exit_code, Some(0));
    assert_eq!(outcome.stdout, b"all\n");
    let trial = outcome.trial.unwrap();
    assert_eq!((trial.runs.len(), trial.ended), (0, TrialEnd::Failed));
    assert!(!trial.told);
    assert_eq!(place.living(), 0);
}

#[tokio::test]
async fn a_sample_stands_for_an_input_that_nobody_knows_yet() {
    let place = Place::new();
    let sampled = Message {
        stdin: Stdin::Stream,
        sample: Some(lines(100).into()),
        ..message("wc -l")
    };
    let outcome = run(&place.engine, sampled).await.outcome;
    let trial = outcome.trial.unwrap();
    assert!(trial.from_sample);
    assert_eq!(trial.runs.last().map(|run| run.size), Some(1_500));
    assert_eq!(String::from_utf8_lossy(&outcome.stdout).trim(), "0");
}

#[tokio::test]
async fn where_policy_sees_no_use_in_it_nothing_is_tried() {
    let place = Place::new();
    let outcome = run(&place.engine, given("wc -l", lines(10))).await.outcome;
    assert_eq!(outcome.trial, None);
    assert_eq!(place.made(), 1);
}

#[tokio::test]
async fn an_interrupt_ends_a_trial_and_the_message() {
    let place = Place::new();
    let message = given("sleep 30", lines(1_000));
    let mut reader = crate::Reader::default();
    let soon = pin!(tokio::time::sleep(Duration::from_millis(300)));
    let options = atoll_engine::RunOptions::default();
    let running = place.engine.run(message, options, &mut reader, soon);
    let report = tokio::time::timeout(Duration::from_secs(25), running).await;
    let report = report.unwrap().unwrap();
    assert_eq!(
        report.cut_short,
        Some(atoll_engine::CutShort::Interrupted),
        "{:?}",
        report.outcome.reason
    );
    assert_eq!(place.living(), 0);
}

#[tokio::test]
async fn sizes_are_tried_in_their_order_and_nothing_is_recorded() {
    let place = Place::new();
    let sized = |count: usize| Sized {
        size: count as u64,
        message: given("wc -l", lines(count)),
    };
    let inputs: Vec<Sized> = [1, 20, 300].into_iter().map(sized).collect();
    let mut told = Vec::new();
    let mut each = |run: &atoll_types::TrialRun| told.push(run.size);
    let never = pin!(std::future::pending());
    let asking = Request::default();
    let budget = Duration::from_secs(60);
    let trying = place
        .engine
        .try_sizes(&inputs, &asking, None, budget, &mut each, never);
    let tried = trying.await.unwrap().unwrap();
    assert_eq!(told, [1, 20, 300]);
    assert_eq!(tried.runs.len(), 3);
    assert_eq!(tried.ended, TrialEnd::Whole);
    assert_eq!(place.living(), 0);
    let rows = place.engine.history(&Default::default()).await.unwrap();
    assert!(rows.is_empty());
}
