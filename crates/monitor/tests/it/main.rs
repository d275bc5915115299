//! The monitor against real processes, behind a sandbox that has no boundary of its own.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails by panicking"
)]

mod bare;

use std::future::{pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use atoll_monitor::{
    Adjust, Adjusting, Cause, Flow, Input, Observer, Plan, Stream, Watched, watch,
};
use atoll_sandbox::{Ending, Sandbox, State};
use atoll_types::{LimitName, Limits, Usage};
use tokio::sync::{Notify, mpsc};

use crate::bare::{Bare, roomy};

/// Collects what it sees, and behaves as told.
#[derive(Default)]
struct Reader {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    chunks: usize,
    chunk_bytes_max: usize,
    progress: Vec<Usage>,
    /// Reports a closed stream from this many bytes of standard output on.
    close_after: Option<usize>,
    /// Takes nothing until told.
    blocked_until: Option<Arc<Notify>>,
    /// Told of the first output.
    first_output: Option<Arc<Notify>>,
}

#[async_trait]
impl Observer for Reader {
    async fn output(&mut self, stream: Stream, bytes: &[u8]) -> Flow {
        if let Some(told) = self.first_output.take() {
            told.notify_one();
        }
        if let Some(told) = self.blocked_until.take() {
            told.notified().await;
        }
        self.chunks += 1;
        self.chunk_bytes_max = self.chunk_bytes_max.max(bytes.len());
        match stream {
            Stream::Stdout => self.stdout.extend_from_slice(bytes),
            Stream::Stderr => self.stderr.extend_from_slice(bytes),
        }
        match self.close_after {
            Some(bytes) if self.stdout.len() >= bytes => Flow::Closed,
            _ => Flow::Continue,
        }
    }

    fn progress(&mut self, usage: &Usage) {
        self.progress.push(*usage);
    }
}

async fn run_with(script: &str, limits: Limits, input: Input, reader: &mut Reader) -> Watched {
    let (mut sandbox, streams) = Bare::start(script, limits);
    let plan = Plan {
        adjust: None,
        limits: &limits,
        input,
        keep_output: true,
    };
    let watched = watch(&mut sandbox, streams, plan, reader, pin!(pending()))
        .await
        .unwrap();
    assert_eq!(sandbox.state(), State::Ended);
    watched
}

async fn run(script: &str, limits: Limits) -> Watched {
    run_with(script, limits, Input::Empty, &mut Reader::default()).await
}

#[tokio::test]
async fn a_plain_exit_gives_its_code_and_output() {
    let mut reader = Reader::default();
    let script = "echo out; echo err >&2; exit 7";
    let watched = run_with(script, roomy(), Input::Empty, &mut reader).await;
    assert_eq!(watched.cause, Cause::Ended);
    assert_eq!(watched.ending, Some(Ending::Exited(7)));
    assert_eq!(watched.stdout, b"out\n");
    assert_eq!(watched.stderr, b"err\n");
    assert_eq!(reader.stdout, b"out\n");
    assert_eq!(reader.stderr, b"err\n");
    assert_eq!(watched.usage.output_bytes, 8);
    assert!(!watched.truncated);
}

#[tokio::test]
async fn a_signal_is_told_apart_from_an_exit() {
    let watched = run("kill -SEGV $$", roomy()).await;
    assert_eq!(watched.cause, Cause::Ended);
    assert_eq!(watched.ending, Some(Ending::Signalled(11)));
}

#[tokio::test]
async fn output_is_not_kept_unless_asked_for() {
    let (mut sandbox, streams) = Bare::start("echo out", roomy());
    let limits = roomy();
    let plan = Plan {
        adjust: None,
        limits: &limits,
        input: Input::Empty,
        keep_output: false,
    };
    let mut reader = Reader::default();
    let watched = watch(&mut sandbox, streams, plan, &mut reader, pin!(pending()))
        .await
        .unwrap();
    assert_eq!(watched.stdout, b"");
    assert_eq!(reader.stdout, b"out\n");
    assert_eq!(watched.usage.output_bytes, 4);
}

#[tokio::test]
async fn input_reaches_the_program_and_ends() {
    let input: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let bytes = Input::Bytes(input.clone().into());
    let watched = run_with("cat", roomy(), bytes, &mut Reader::default()).await;
    assert!(watched.stdout == input);
    let watched = run("cat; echo end", roomy()).await;
    assert_eq!(watched.stdout, b"end\n");
}

#[tokio::test]
async fn input_can_come_in_chunks_while_the_program_runs() {
    let (sender, receiver) = mpsc::channel(1);
    let feeder = tokio::spawn(async move {
        for number in 0..5_000 {
            sender
                .send(format!("{number}\n").into_bytes())
                .await
                .unwrap();
        }
    });
    let input = Input::Channel(receiver);
    let watched = run_with("wc -l", roomy(), input, &mut Reader::default()).await;
    feeder.await.unwrap();
    assert_eq!(watched.stdout.trim_ascii(), b"5000");
}

#[tokio::test]
async fn input_that_is_never_read_holds_nothing_up() {
    let bytes = Input::Bytes(vec![b'x'; 1 << 20].into());
    let watched = run_with("echo done", roomy(), bytes, &mut Reader::default()).await;
    assert_eq!(watched.stdout, b"done\n");
    // The program closes its input and goes on; the sender learns of it.
    let (sender, receiver) = mpsc::channel(1);
    let feeder = tokio::spawn(async move { while sender.send(vec![0; 4096]).await.is_ok() {} });
    let script = "exec <&-; echo done";
    let input = Input::Channel(receiver);
    let watched = run_with(script, roomy(), input, &mut Reader::default()).await;
    assert_eq!(watched.stdout, b"done\n");
    feeder.await.unwrap();
}

#[tokio::test]
async fn both_streams_flow_while_input_does() {
    // The shell may not reopen /dev/stderr as nobody, but awk writes to its own.
    let input = "a line of text\n".repeat(40_000).into_bytes();
    let bytes = Input::Bytes(input.clone().into());
    let script = "awk '{ print; print > \"/dev/stderr\" }'";
    let watched = run_with(script, roomy(), bytes, &mut Reader::default()).await;
    assert!(watched.stdout == input, "{} bytes", watched.stdout.len());
    assert!(watched.stderr == input, "{} bytes", watched.stderr.len());
}

#[tokio::test]
async fn a_program_may_close_its_output_and_run_on() {
    let watched = run("echo out; exec >&- 2>&-; sleep 0.3; exit 3", roomy()).await;
    assert_eq!(watched.cause, Cause::Ended);
    assert_eq!(watched.ending, Some(Ending::Exited(3)));
    assert_eq!(watched.stdout, b"out\n");
}

#[tokio::test]
async fn a_descendant_that_holds_the_pipe_is_ended_with_the_program() {
    let (mut sandbox, streams) = Bare::start("sleep 1000 & echo out", roomy());
    let limits = roomy();
    let plan = Plan {
        adjust: None,
        limits: &limits,
        input: Input::Empty,
        keep_output: true,
    };
    let mut reader = Reader::default();
    let watched = watch(&mut sandbox, streams, plan, &mut reader, pin!(pending()))
        .await
        .unwrap();
    assert_eq!(watched.ending, Some(Ending::Exited(0)));
    assert_eq!(watched.stdout, b"out\n");
    assert_eq!(sandbox.members(), 0);
}

#[tokio::test]
async fn a_descendant_that_survives_cannot_hold_the_result_back() {
    let (mut sandbox, streams) = Bare::start("sleep 1000 & echo out", roomy());
    sandbox.leaky = true;
    let limits = roomy();
    let plan = Plan {
        adjust: None,
        limits: &limits,
        input: Input::Empty,
        keep_output: true,
    };
    let mut reader = Reader::default();
    let watched = watch(&mut sandbox, streams, plan, &mut reader, pin!(pending()))
        .await
        .unwrap();
    assert_eq!(watched.stdout, b"out\n");
    assert_eq!(sandbox.members(), 1, "the pipe must still have been held");
}

#[tokio::test]
async fn what_the_pipes_hold_at_the_end_is_handed_over() {
    // 60,000 bytes fit into a pipe, so that the program can be gone before any is read.
    let limits = roomy();
    let (mut sandbox, streams) = Bare::start("head -c 60000 /dev/zero; exit 0", limits);
    assert_eq!(sandbox.wait().await, Ending::Exited(0));
    let plan = Plan {
        adjust: None,
        limits: &limits,
        input: Input::Empty,
        keep_output: true,
    };
    let mut reader = Reader::default();
    let watched = watch(&mut sandbox, streams, plan, &mut reader, pin!(pending()))
        .await
        .unwrap();
    assert_eq!(watched.stdout.len(), 60_000);
    assert_eq!(reader.stdout.len(), 60_000);
}

#[tokio::test]
async fn single_bytes_and_missing_newlines_arrive_as_they_are_written() {
    let script = "i=0; while [ $i -lt 2000 ]; do printf x; i=$((i+1)); done";
    let watched = run(script, roomy()).await;
    assert_eq!(watched.stdout, vec![b'x'; 2000]);
}

#[tokio::test]
async fn output_is_cut_exactly_at_the_limit_and_the_program_ended() {
    let limits = Limits {
        output_bytes: 100_001,
        ..roomy()
    };
    let mut reader = Reader::default();
    let watched = run_with("yes", limits, Input::Empty, &mut reader).await;
    assert_eq!(watched.cause, Cause::Limit(LimitName::Output));
    assert!(watched.truncated);
    assert_eq!(watched.stdout.len(), 100_001);
    assert_eq!(reader.stdout, watched.stdout);
    assert!(watched.usage.output_bytes > 100_001);
    // Both streams count together, and a program that stays at the limit is left alone.
    let limits = Limits {
        output_bytes: 8,
        ..roomy()
    };
    let watched = run("echo out; echo err >&2", limits).await;
    assert_eq!(watched.cause, Cause::Ended);
    assert!(!watched.truncated);
    let limits = Limits {
        output_bytes: 7,
        ..roomy()
    };
    let watched = run("echo out; echo err >&2", limits).await;
    assert_eq!(watched.cause, Cause::Limit(LimitName::Output));
    assert_eq!(watched.stdout.len() + watched.stderr.len(), 7);
}

#[tokio::test]
async fn wall_time_is_held() {
    let limits = Limits {
        wall_time_ms: 200,
        ..roomy()
    };
    let watched = run("echo out; sleep 1000", limits).await;
    assert_eq!(watched.cause, Cause::Limit(LimitName::WallTime));
    assert_eq!(watched.ending, Some(Ending::Signalled(9)));
    assert_eq!(watched.stdout, b"out\n");
    assert!(watched.usage.wall_time_us >= 200_000);
}

#[tokio::test]
async fn a_deadline_beyond_the_clock_is_no_deadline() {
    let limits = Limits {
        wall_time_ms: u64::MAX,
        cpu_time_ms: u64::MAX,
        output_bytes: u64::MAX,
        ..roomy()
    };
    let watched = run("echo out", limits).await;
    assert_eq!(watched.cause, Cause::Ended);
}

#[tokio::test]
async fn cpu_time_is_held() {
    let limits = Limits {
        cpu_time_ms: 150,
        ..roomy()
    };
    let watched = run("while :; do :; done", limits).await;
    assert_eq!(watched.cause, Cause::Limit(LimitName::CpuTime));
}

#[tokio::test]
async fn a_limit_that_the_sandbox_reports_ends_the_program() {
    let limits = Limits {
        processes: 8,
        ..roomy()
    };
    let script = "i=0; while [ $i -lt 12 ]; do sleep 1000 & i=$((i+1)); done; wait";
    let (mut sandbox, streams) = Bare::start(script, limits);
    let plan = Plan {
        adjust: None,
        limits: &limits,
        input: Input::Empty,
        keep_output: true,
    };
    let mut reader = Reader::default();
    let watched = watch(&mut sandbox, streams, plan, &mut reader, pin!(pending()))
        .await
        .unwrap();
    assert_eq!(watched.cause, Cause::Limit(LimitName::Processes));
    assert_eq!(sandbox.members(), 0);
}

/// Holds a program back for the first 700 ms, or gives up after 300 ms.
struct Holding {
    gives_up: bool,
    looks: u32,
    ended: Option<Duration>,
}

impl Adjust for Holding {
    fn look(&mut self, at: Duration, _: &Usage, _: u64) -> Adjusting {
        self.looks += 1;
        if self.gives_up && at > Duration::from_millis(300) {
            return Adjusting::GiveUp;
        }
        Adjusting::Nothing
    }

    fn pause(&self, _: Duration) -> Duration {
        Duration::from_millis(5)
    }

    fn held_back(&self, at: Duration) -> Duration {
        at.min(Duration::from_millis(700))
    }

    fn ended(&mut self, at: Duration, _: u64) {
        self.ended = Some(at);
    }
}

async fn adjusted(script: &str, limits: Limits, holding: &mut Holding) -> Watched {
    let (mut sandbox, streams) = Bare::start(script, limits);
    let plan = Plan {
        adjust: Some(holding),
        limits: &limits,
        input: Input::Empty,
        keep_output: true,
    };
    let mut reader = Reader::default();
    watch(&mut sandbox, streams, plan, &mut reader, pin!(pending()))
        .await
        .unwrap()
}

#[tokio::test]
async fn time_that_a_program_is_held_back_is_not_its_own() {
    let limits = Limits {
        wall_time_ms: 500,
        ..roomy()
    };
    let mut holding = Holding {
        gives_up: false,
        looks: 0,
        ended: None,
    };
    let watched = adjusted("sleep 1000", limits, &mut holding).await;
    assert_eq!(watched.cause, Cause::Limit(LimitName::WallTime));
    assert!(
        holding.ended >= Some(Duration::from_millis(1_200)),
        "{:?}",
        holding.ended
    );
    assert!(holding.looks > 1);
}

#[tokio::test]
async fn a_program_that_there_is_no_memory_for_is_ended() {
    let mut holding = Holding {
        gives_up: true,
        looks: 0,
        ended: None,
    };
    let watched = adjusted("sleep 1000", roomy(), &mut holding).await;
    assert_eq!(watched.cause, Cause::NoMemoryLeft);
    assert!(holding.ended.is_some());
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_the_program() {
    let mut reader = Reader {
        close_after: Some(10),
        ..Reader::default()
    };
    let watched = run_with("yes", roomy(), Input::Empty, &mut reader).await;
    assert_eq!(watched.cause, Cause::OutputClosed);
    assert_eq!(watched.ending, Some(Ending::Signalled(9)));
}

#[tokio::test]
async fn a_slow_reader_gets_everything_in_bounded_pieces() {
    let told = Arc::new(Notify::new());
    let mut reader = Reader {
        blocked_until: Some(Arc::clone(&told)),
        ..Reader::default()
    };
    let release = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        told.notify_one();
    });
    let script = "head -c 1000000 /dev/zero";
    let watched = run_with(script, roomy(), Input::Empty, &mut reader).await;
    release.await.unwrap();
    assert_eq!(watched.cause, Cause::Ended);
    assert_eq!(reader.stdout.len(), 1_000_000);
    assert!(reader.chunk_bytes_max <= 64 * 1024);
}

#[tokio::test]
async fn a_reader_that_is_stuck_does_not_stop_the_clock() {
    let told = Arc::new(Notify::new());
    let mut reader = Reader {
        blocked_until: Some(Arc::clone(&told)),
        ..Reader::default()
    };
    let limits = Limits {
        wall_time_ms: 200,
        ..roomy()
    };
    let (mut sandbox, streams) = Bare::start("yes", limits);
    let plan = Plan {
        adjust: None,
        limits: &limits,
        input: Input::Empty,
        keep_output: false,
    };
    let mut stop = pin!(pending());
    let watching = watch(&mut sandbox, streams, plan, &mut reader, stop.as_mut());
    let release = async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        told.notify_one();
    };
    let (watched, ()) = tokio::join!(watching, release);
    let watched = watched.unwrap();
    assert_eq!(watched.cause, Cause::Limit(LimitName::WallTime));
    assert!(watched.usage.wall_time_us < 1_000_000);
}

#[tokio::test]
async fn the_stop_signal_ends_the_program_even_with_a_stuck_reader() {
    for stuck in [false, true] {
        let told = Arc::new(Notify::new());
        let mut reader = Reader {
            first_output: Some(Arc::clone(&told)),
            blocked_until: stuck.then(|| Arc::new(Notify::new())),
            ..Reader::default()
        };
        let limits = roomy();
        let (mut sandbox, streams) = Bare::start("echo out; sleep 1000", limits);
        let plan = Plan {
            adjust: None,
            limits: &limits,
            input: Input::Empty,
            keep_output: false,
        };
        let stop = pin!(async move { told.notified().await });
        let watched = watch(&mut sandbox, streams, plan, &mut reader, stop)
            .await
            .unwrap();
        assert_eq!(watched.cause, Cause::Stopped);
        assert_eq!(watched.ending, Some(Ending::Signalled(9)));
        assert_eq!(sandbox.members(), 0);
    }
}

#[tokio::test]
async fn a_stop_before_the_start_is_heard() {
    let limits = roomy();
    let (mut sandbox, streams) = Bare::start("sleep 1000", limits);
    let plan = Plan {
        adjust: None,
        limits: &limits,
        input: Input::Empty,
        keep_output: false,
    };
    let mut reader = Reader::default();
    let watched = watch(&mut sandbox, streams, plan, &mut reader, pin!(ready(())))
        .await
        .unwrap();
    assert_eq!(watched.cause, Cause::Stopped);
}

#[tokio::test]
async fn progress_is_told_while_a_program_runs() {
    let mut reader = Reader::default();
    run_with("sleep 0.5", roomy(), Input::Empty, &mut reader).await;
    assert!(!reader.progress.is_empty());
    assert!(reader.progress.is_sorted_by_key(|usage| usage.wall_time_us));
}
