//! What happens while a program runs is told while it runs.

use std::pin::pin;

use atoll_engine::{Options, PolicyText, RunOptions};
use atoll_types::{DeviationAction, DeviationKind, Message, RunEvent, Status, Stdin};
use tokio::sync::mpsc;

use crate::bare::Bare;
use crate::{Reader, message, run};

const POLICY: &str = r#"
[[rule]]
id = "everyone"
because = "everyone may run scripts"
set.level = "process"
"#;

/// Writes as many bytes as it is told to, and goes on when it is told to.
const SCRIPT: &str = "read count; head -c $count /dev/zero; read end; echo $end";

#[tokio::test]
async fn a_deviation_is_told_while_the_program_runs() {
    let state = tempfile::tempdir().unwrap();
    let engine = atoll_engine::Engine::open(Options {
        state_dir: state.path().to_owned(),
        policy: PolicyText {
            name: "test".to_owned(),
            text: POLICY.to_owned(),
        },
        backends: vec![std::sync::Arc::new(Bare::default())],
        pools: None,
        memory_bytes: None,
    })
    .unwrap();
    for _ in 0..5 {
        let ordinary = Message {
            stdin: Stdin::Bytes(b"10\nend\n".as_slice().into()),
            ..message(SCRIPT)
        };
        let outcome = run(&engine, ordinary).await.outcome;
        assert_eq!(outcome.adaptation.unwrap().deviations, []);
    }

    let (input, chunks) = mpsc::channel(2);
    input.send(b"8000000\n".to_vec()).await.unwrap();
    let (tell, mut told) = mpsc::unbounded_channel();
    let options = RunOptions {
        input: Some(chunks),
        events: Some(Box::new(move |event| {
            let _ = tell.send(event);
        })),
        ..RunOptions::default()
    };
    let streamed = Message {
        stdin: Stdin::Stream,
        ..message(SCRIPT)
    };
    // The program ends only because this hears of it.
    let hearing = async move {
        let deviation = loop {
            match told.recv().await.unwrap() {
                RunEvent::Deviation(deviation) => break deviation,
                RunEvent::Adjustment(_) => {}
            }
        };
        input.send(b"heard\n".to_vec()).await.unwrap();
        deviation
    };
    let mut reader = Reader::default();
    let never = pin!(std::future::pending());
    let running = engine.run(streamed, options, &mut reader, never);
    let (report, deviation) = tokio::join!(running, hearing);
    let outcome = report.unwrap().outcome;
    assert_eq!(outcome.status, Status::Exited, "{:?}", outcome.reason);
    assert!(reader.stdout.ends_with(b"heard\n"));
    assert_eq!(deviation.kind, DeviationKind::Output);
    assert_eq!(deviation.action, DeviationAction::Noted);
    assert!(deviation.observed > deviation.predicted);
    assert_eq!(outcome.adaptation.unwrap().deviations, [deviation]);
}
