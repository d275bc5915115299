//! The other process says whatever it likes.

use std::time::{Duration, Instant};

use atoll_wasm_worker::parts::{
    CallFailed, Channel, FRAME_BYTES_MAX, Local, Offered, Remote, Reply, Request, Value, serve,
};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use crate::harness::{CALC, EXPORT, Runtime, TERMS, executor};

const PATIENCE: Duration = Duration::from_millis(100);

/// A call whose other side answers with these bytes and closes, or stays.
async fn answered_with(bytes: &[u8], stays: bool) -> Result<Vec<Value>, CallFailed> {
    let (ours, mut theirs) = duplex(1 << 20);
    theirs.write_all(bytes).await.unwrap();
    if !stays {
        theirs.shutdown().await.unwrap();
    }
    let channel = Channel::new(ours, PATIENCE);
    let answer = channel.call("a:b/c", "f", Vec::new()).await;
    if !matches!(answer, Ok(_) | Err(CallFailed::Trapped(_))) && !channel.is_gone().await {
        // Only an answer that is one leaves the channel open.
        assert!(Reply::decode(&bytes[4..]).is_ok(), "{bytes:?}");
    }
    drop(theirs);
    answer
}

fn gone(answer: Result<Vec<Value>, CallFailed>) -> String {
    match answer {
        Err(CallFailed::Gone(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn answers_that_are_none_end_the_channel() {
    executor().block_on(async {
        let reply = |number| Reply {
            number,
            answer: Ok(vec![Value::Bool(true)]),
        };
        let good = reply(1).encode().unwrap();
        let answer = answered_with(&good, false).await;
        assert_eq!(answer.unwrap(), [Value::Bool(true)]);
        let other = reply(2).encode().unwrap();
        let why = gone(answered_with(&other, true).await);
        assert_eq!(why, "it answered another call than the one it was asked");
        let why = gone(answered_with(&[], false).await);
        assert_eq!(why, "it ended");
        let cut = &good[..good.len() - 1];
        let why = gone(answered_with(cut, false).await);
        assert!(
            why == "it ended inside a frame" || why.contains("pipe"),
            "{why}"
        );
        let long = u32::try_from(FRAME_BYTES_MAX + 1).unwrap().to_le_bytes();
        let why = gone(answered_with(&long, true).await);
        assert_eq!(why, "a frame has at most 8388608 bytes");
        let garbage = [3, 0, 0, 0, 0xff, 0xff, 0xff];
        let why = gone(answered_with(&garbage, true).await);
        assert_eq!(why, "its values are wrong: they are not encoded values");
    });
}

#[test]
fn silence_and_drops_end_in_time() {
    executor().block_on(async {
        let began = Instant::now();
        let claim = [0, 0, 1, 0, 7];
        let answer = answered_with(&claim, true).await;
        assert_eq!(answer, Err(CallFailed::TooLate { after_ms: 100 }));
        let (ours, mut theirs) = duplex(1 << 20);
        let drops = tokio::spawn(async move {
            theirs.write_all(&[0, 0, 1, 0]).await.unwrap();
            while theirs.write_all(&[7]).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let channel = Channel::new(ours, PATIENCE);
        let answer = channel.call("a:b/c", "f", Vec::new()).await;
        assert_eq!(answer, Err(CallFailed::TooLate { after_ms: 100 }));
        assert!(channel.is_gone().await);
        drop(channel);
        drops.await.unwrap();
        assert!(began.elapsed() < PATIENCE * 20);
    });
}

#[test]
fn a_call_that_is_abandoned_ends_the_channel() {
    executor().block_on(async {
        let (ours, _theirs) = duplex(1 << 20);
        let channel = Channel::new(ours, Duration::from_secs(60));
        let call = channel.call("a:b/c", "f", Vec::new());
        assert!(tokio::time::timeout(PATIENCE, call).await.is_err());
        assert!(channel.is_gone().await);
        let why = gone(channel.call("a:b/c", "f", Vec::new()).await);
        assert_eq!(why, "a call was abandoned");
    });
}

#[test]
fn a_caller_that_speaks_nonsense_is_not_served_further() {
    executor().block_on(async {
        let runtime = Runtime::new();
        let part = Local::new(runtime.served(CALC, TERMS));
        let (mut ours, mut theirs) = duplex(1 << 20);
        let request = Request {
            number: 9,
            interface: EXPORT.to_owned(),
            function: "add".to_owned(),
            arguments: vec![Value::Unsigned(1), Value::Unsigned(2)],
        };
        ours.write_all(&request.encode().unwrap()).await.unwrap();
        ours.write_all(&[2, 0, 0, 0, 0xff, 0xff]).await.unwrap();
        assert!(serve(&mut theirs, &part).await.is_err());
        drop(theirs);
        let mut answer = Vec::new();
        ours.read_to_end(&mut answer).await.unwrap();
        let reply = Reply::decode(&answer[4..]).unwrap();
        assert_eq!(
            (reply.number, reply.answer),
            (9, Ok(vec![Value::Unsigned(3)]))
        );
    });
}

#[test]
fn a_caller_reaches_only_what_it_is_offered() {
    executor().block_on(async {
        let runtime = Runtime::new();
        let asked = |interfaces: &[&str]| {
            let part = Local::new(runtime.served(CALC, TERMS));
            let interfaces = interfaces.iter().map(|name| (*name).to_owned());
            Offered::new(part, interfaces.collect())
        };
        let numbers = || vec![Value::Unsigned(1), Value::Unsigned(2)];
        let offered = asked(&["other:part/api", EXPORT]);
        let answer = offered.call(EXPORT, "add", numbers()).await;
        assert_eq!(answer, Ok(vec![Value::Unsigned(3)]));
        let answer = asked(&["other:part/api"])
            .call(EXPORT, "add", numbers())
            .await;
        assert!(
            matches!(answer, Err(CallFailed::NotOffered(_))),
            "{answer:?}"
        );
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_take_a_caller_down(bytes in any::<Vec<u8>>(), framed in any::<bool>()) {
        let mut sent = Vec::new();
        if framed {
            sent.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_le_bytes());
        }
        sent.extend_from_slice(&bytes);
        // What the channel answers is checked where it is called.
        let _ = executor().block_on(answered_with(&sent, false));
    }

    #[test]
    fn no_bytes_take_a_part_down(bytes in any::<Vec<u8>>(), framed in any::<bool>()) {
        thread_local! {
            static RUNTIME: Runtime = Runtime::new();
        }
        executor().block_on(async {
            let part = Local::new(RUNTIME.with(|runtime| runtime.served(CALC, TERMS)));
            let (mut ours, mut theirs) = duplex(1 << 20);
            if framed {
                let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
                ours.write_all(&length).await.unwrap();
            }
            ours.write_all(&bytes).await.unwrap();
            ours.shutdown().await.unwrap();
            let _ = serve(&mut theirs, &part).await;
            assert_eq!(part.failures(), 0);
        });
    }
}
