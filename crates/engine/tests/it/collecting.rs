//! Collecting what a program left, when something else is the matter as well.

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use atoll_engine::{OutputDirectory, Warning};
use atoll_sandbox::{Leaving, LeftFile};
use atoll_types::SkipReason;

use super::*;

struct Place {
    state: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            state: tempfile::tempdir().unwrap(),
        }
    }

    fn out(&self) -> PathBuf {
        self.state.path().join("out")
    }

    fn options(&self) -> RunOptions {
        RunOptions {
            output: Some(OutputDirectory::open(&self.out()).unwrap()),
            ..RunOptions::default()
        }
    }
}

fn leaving(bytes: u64, content: impl Read + Send + 'static) -> Bare {
    let bare = Bare::default();
    let leaving = Leaving {
        path: b"left".to_vec(),
        file: Ok(LeftFile {
            bytes,
            executable: false,
            shared: None,
            content: Box::new(content),
        }),
    };
    *bare.leaves.0.lock().unwrap() = Some(Box::new([leaving].into_iter()));
    bare
}

#[tokio::test]
async fn files_that_cannot_be_had_are_a_warning_and_the_outcome_stands() {
    let place = Place::new();
    let engine = engine(place.state.path(), Bare::default());
    let never = pin!(std::future::pending());
    let report = engine
        .run(
            message("exit 3"),
            place.options(),
            &mut Reader::default(),
            never,
        )
        .await
        .unwrap();
    assert_eq!(report.outcome.exit_code, Some(3));
    assert_eq!(report.outcome.collection, None);
    let warnings = report.warnings.as_slice();
    assert!(
        matches!(warnings, [Warning::NotCollected(_)]),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn an_interrupted_program_hands_over_its_files() {
    let place = Place::new();
    let engine = engine(place.state.path(), leaving(4, &b"kept"[..]));
    let (told, ready) = oneshot::channel();
    let mut reader = Reader {
        told: Some(told),
        ..Reader::default()
    };
    let stop = pin!(async { ready.await.unwrap() });
    let running = message("echo ready; sleep 60");
    let report = engine
        .run(running, place.options(), &mut reader, stop)
        .await
        .unwrap();
    assert_eq!(report.cut_short, Some(CutShort::Interrupted));
    let collection = report.outcome.collection.unwrap();
    assert_eq!(collection.files.len(), 1);
    assert_eq!(std::fs::read(place.out().join("left")).unwrap(), b"kept");
}

/// Goes on for a minute; tells of its first byte.
struct Slow(Option<oneshot::Sender<()>>);

impl Read for Slow {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(told) = self.0.take() {
            told.send(()).unwrap();
        }
        std::thread::sleep(Duration::from_millis(60));
        b"x".as_slice().read(into)
    }
}

#[tokio::test]
async fn an_interrupt_ends_the_collecting_and_nothing_half_stays() {
    let place = Place::new();
    let (told, reading) = oneshot::channel();
    let engine = engine(place.state.path(), leaving(1_000, Slow(Some(told))));
    let stop = pin!(async { reading.await.unwrap() });
    let report = engine
        .run(
            message("exit 3"),
            place.options(),
            &mut Reader::default(),
            stop,
        )
        .await
        .unwrap();
    // The program had ended by itself before.
    assert_eq!(report.cut_short, None);
    assert_eq!(report.outcome.exit_code, Some(3));
    let collection = report.outcome.collection.unwrap();
    let reasons: Vec<_> = collection.skipped.iter().map(|one| one.reason).collect();
    assert_eq!(reasons, [SkipReason::NoTime]);
    assert_eq!(std::fs::read_dir(place.out()).unwrap().count(), 0);
}
