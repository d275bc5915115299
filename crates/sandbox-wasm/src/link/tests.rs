use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;

use atoll_sandbox::conformance::accepted_by_environment;
use atoll_types::calls::{Call, CallAuditor, CallCounts, Verdict};
use proptest::prelude::*;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::*;
use crate::compile::next_name;
use crate::protocol::{ORDER_BYTES_MAX, Settings, write_frame};
use crate::worker::{Making, begin_jail, command};

const USAGE: GuestUsage = GuestUsage {
    wall_time_us: 1,
    cpu_time_us: 2,
    memory_peak_bytes: 3,
    disk_bytes: 4,
    io: atoll_types::IoUsage {
        reads: 5,
        writes: 6,
        read_bytes: 7,
        written_bytes: 8,
    },
};

fn inside(output_left: u64, input: Input) -> (Inside, oneshot::Receiver<Finished>) {
    let (finished, ended) = oneshot::channel();
    let inside = Inside {
        output: Output::Kept {
            stdout: Vec::new(),
            stderr: Vec::new(),
        },
        output_left,
        input,
        keeps_files: true,
        is_released: false,
        calls: None,
        usage: Arc::default(),
        finished,
    };
    (inside, ended)
}

/// A link with one message inside, whose number is 1.
fn with_message(output_left: u64) -> (Arc<Link>, oneshot::Receiver<Finished>) {
    let link = Link::new();
    let (inside, ended) = inside(output_left, Input::Whole);
    assert_eq!(link.run(inside, |_| Vec::new()).unwrap(), 1);
    (link, ended)
}

fn accept(link: &Arc<Link>, notice: Notice) -> Result<(), &'static str> {
    link.state().accept(notice, link)
}

fn ended(message: u64) -> Notice {
    Notice::Ended {
        message,
        end: GuestEnd::Exited {
            code: 0,
            limit: None,
        },
        usage: USAGE,
        calls: None,
    }
}

fn output(message: u64, bytes: usize) -> Notice {
    Notice::Output {
        message,
        stream: OutputStream::Stdout,
        bytes: vec![7; bytes],
    }
}

fn left(path: &[u8]) -> Notice {
    Notice::Left {
        message: 1,
        path: path.to_vec(),
        bytes: Some(1),
    }
}

fn left_bytes(bytes: usize) -> Notice {
    let bytes = vec![7; bytes];
    Notice::LeftBytes { message: 1, bytes }
}

#[test]
fn nothing_about_the_unknown_is_believed() {
    let message = 2;
    let program = 9;
    let reason = String::new();
    for notice in [
        ended(message),
        output(message, 1),
        Notice::WantsInput { message },
        Notice::WantsMemory { message, bytes: 1 },
        Notice::Progress {
            message,
            usage: USAGE,
        },
        left(b"a"),
        left_bytes(1),
        Notice::Collected { message },
        Notice::Loaded { program },
        Notice::Unusable { program, reason },
    ] {
        let (link, mut finished) = with_message(100);
        assert_eq!(accept(&link, notice.clone()), Err(UNKNOWN), "{notice:?}");
        assert!(finished.try_recv().is_err(), "{notice:?}");
    }
}

#[test]
fn a_message_ends_once() {
    let (link, finished) = with_message(100);
    accept(&link, output(1, 3)).unwrap();
    accept(&link, ended(1)).unwrap();
    let finished = finished.blocking_recv().unwrap();
    assert_eq!((finished.stdout.len(), finished.usage), (3, USAGE));
    assert_eq!(accept(&link, ended(1)), Err(UNKNOWN));
    assert_eq!(accept(&link, output(1, 0)), Err(UNKNOWN));
}

fn called(count: usize) -> Notice {
    let mut auditor = CallAuditor::default();
    for number in 0..count {
        let path = format!("/work/{number}");
        auditor.record(Call::FileOpen, Some(path.as_bytes()), Verdict::Allow, 1);
    }
    Notice::Called {
        message: 1,
        records: auditor.finish().records,
    }
}

#[test]
fn calls_are_told_of_only_where_somebody_asked() {
    let (link, mut finished) = with_message(100);
    assert!(accept(&link, called(1)).is_err());
    assert!(finished.try_recv().is_err());

    let link = Link::new();
    let (mut inside, finished) = inside(100, Input::Whole);
    inside.calls = Some(Vec::new());
    link.run(inside, |_| Vec::new()).unwrap();
    for _ in 0..4 {
        accept(&link, called(250)).unwrap();
    }
    assert!(accept(&link, called(1)).is_err());
    let mut end = ended(1);
    if let Notice::Ended { calls, .. } = &mut end {
        let allowed = CallCounts {
            allowed: 1700,
            ..CallCounts::default()
        };
        *calls = Some([(Call::FileOpen, allowed)].into());
    }
    accept(&link, end).unwrap();
    let audit = finished.blocking_recv().unwrap().calls.unwrap();
    assert_eq!((audit.records.len(), audit.records_left_off), (1000, 700));
}

#[test]
fn what_does_not_fit_is_not_believed() {
    let (link, _finished) = with_message(100);
    accept(&link, Notice::Confined { system_calls: 1 }).unwrap();
    assert!(accept(&link, Notice::Confined { system_calls: 1 }).is_err());
    // Its input came with it.
    assert!(accept(&link, Notice::WantsInput { message: 1 }).is_err());
    let program = 5;
    link.state()
        .programs
        .insert(program, Loaded::Asked(Vec::new()));
    accept(&link, Notice::Loaded { program }).unwrap();
    assert!(accept(&link, Notice::Loaded { program }).is_err());
    assert!(link.has(program));
}

#[test]
fn output_passes_up_to_its_limit() {
    let (link, _finished) = with_message(100);
    accept(&link, output(1, 60)).unwrap();
    accept(&link, output(1, 40)).unwrap();
    assert!(accept(&link, output(1, 1)).is_err());
    assert_eq!(output_allowance(u64::MAX), u64::MAX);
}

/// A link that collects files of message 1.
fn collecting() -> (Arc<Link>, oneshot::Receiver<io::Result<Vec<Left>>>) {
    let link = Link::new();
    let (done, collected) = oneshot::channel();
    let collecting = Collecting {
        files: Vec::new(),
        bytes_left: 10,
        files_left: 2,
        done,
    };
    link.state().collecting.insert(1, collecting);
    (link, collected)
}

#[test]
fn only_paths_that_go_straight_down_are_believed() {
    for path in [
        b"".as_slice(),
        b"/",
        b"/etc/passwd",
        b"..",
        b"../up",
        b"a/../../b",
        b"a/./b",
        b".",
        b"a//b",
        b"a/",
        b"a\0b",
    ] {
        let (link, _) = collecting();
        assert!(accept(&link, left(path)).is_err(), "{path:?}");
    }
    for path in [b"a".as_slice(), b"a/b/c", b"...", b"a b", b"\xff\xfe"] {
        let (link, _) = collecting();
        accept(&link, left(path)).unwrap();
    }
}

#[test]
fn files_are_bounded_in_number_and_size() {
    let (link, _) = collecting();
    assert!(accept(&link, left_bytes(1)).is_err(), "no file yet");
    let (link, _) = collecting();
    accept(&link, left(b"a")).unwrap();
    accept(&link, left_bytes(6)).unwrap();
    accept(&link, left(b"b")).unwrap();
    accept(&link, left_bytes(4)).unwrap();
    assert!(accept(&link, left_bytes(1)).is_err());
    let (link, _) = collecting();
    accept(&link, left(b"a")).unwrap();
    accept(&link, left(b"b")).unwrap();
    assert!(accept(&link, left(b"c")).is_err());
    let (link, _) = collecting();
    let symbolic = Notice::Left {
        message: 1,
        path: b"link".to_vec(),
        bytes: None,
    };
    accept(&link, symbolic).unwrap();
    assert!(accept(&link, left_bytes(1)).is_err(), "a link has no bytes");
}

#[test]
fn collected_files_are_whole() {
    let (link, collected) = collecting();
    accept(&link, left(b"a")).unwrap();
    accept(&link, left_bytes(2)).unwrap();
    accept(&link, left_bytes(3)).unwrap();
    accept(&link, left(b"empty")).unwrap();
    accept(&link, Notice::Collected { message: 1 }).unwrap();
    let expected = [(b"a".to_vec(), 5), (b"empty".to_vec(), 0)];
    let files = collected.blocking_recv().unwrap().unwrap();
    let found: Vec<_> = files
        .into_iter()
        .map(|left| (left.path, left.bytes.unwrap().len()))
        .collect();
    assert_eq!(found, expected);
    assert!(accept(&link, Notice::Collected { message: 1 }).is_err());
}

#[test]
fn a_worker_stays_while_files_may_be_asked_for() {
    let (link, _finished) = with_message(100);
    link.close();
    assert!(!link.state().is_done());
    accept(&link, ended(1)).unwrap();
    assert!(!link.state().is_done(), "its files are still there");
    assert_eq!(link.idle(), None);
    link.release(1);
    assert!(link.state().is_done());
    // One that nobody waits for any more has nothing to keep.
    let (link, _finished) = with_message(100);
    link.release(1);
    link.close();
    accept(&link, ended(1)).unwrap();
    assert!(link.state().is_done());
    // Both times the worker is told to let go of them, once.
    let sent = link.state().outgoing.take().len();
    let mut expected = Vec::new();
    write_frame(&mut expected, &Order::Release { message: 1 }, 100).unwrap();
    assert_eq!(sent, expected.len());
}

#[test]
fn a_worker_that_is_closed_takes_nothing() {
    let link = Link::new();
    link.close();
    let (inside, mut finished) = inside(1, Input::Whole);
    let error = link.run(inside, |_| Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotConnected);
    assert!(finished.try_recv().is_err());
}

#[tokio::test]
async fn whoever_writes_input_hears_of_the_end() {
    let link = Link::new();
    let (write, read) = mpsc::channel(1);
    let (inside, _finished) = inside(100, Input::Pieces(read));
    link.run(inside, |_| Vec::new()).unwrap();
    accept(&link, Notice::WantsInput { message: 1 }).unwrap();
    write.send(Vec::new()).await.unwrap();
    write.send(b"one".to_vec()).await.unwrap();
    // The guest has it and never asks again.
    accept(&link, ended(1)).unwrap();
    tokio::time::timeout(Duration::from_secs(10), write.closed())
        .await
        .expect("the end is heard of");
}

#[tokio::test]
async fn input_is_handed_over_a_piece_at_a_time_and_never_empty() {
    let link = Link::new();
    let (write, read) = mpsc::channel(4);
    let (inside, _finished) = inside(100, Input::Pieces(read));
    link.run(inside, |_| Vec::new()).unwrap();
    for piece in [b"".as_slice(), b"one", b"two"] {
        write.send(piece.to_vec()).await.unwrap();
    }
    drop(write);
    let mut found = Vec::new();
    for _ in 0..3 {
        accept(&link, Notice::WantsInput { message: 1 }).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut reader = FrameReader::new(1000);
        reader.push(&link.state().outgoing.take());
        while let Some(order) = reader.next_frame::<Order>().unwrap() {
            found.push(order);
        }
    }
    let input = |bytes: &[u8], ends| Order::Input {
        message: 1,
        bytes: bytes.to_vec(),
        ends,
    };
    let expected = [input(b"one", false), input(b"two", false), input(b"", true)];
    assert_eq!(found, expected);
}

fn any_notice() -> impl Strategy<Value = Notice> {
    let message = 0..4_u64;
    let bytes = proptest::collection::vec(any::<u8>(), 0..40);
    (0..12_u8, message, bytes, any::<bool>()).prop_map(|(kind, message, bytes, flag)| {
        let usage = USAGE;
        let reason = String::from_utf8_lossy(&bytes).into_owned();
        match kind {
            0 => Notice::Confined { system_calls: 3 },
            1 => Notice::Loaded { program: message },
            2 => Notice::Unusable {
                program: message,
                reason,
            },
            3 => output(message, bytes.len()),
            4 => Notice::WantsMemory { message, bytes: 1 },
            5 => Notice::Progress { message, usage },
            6 => ended(message),
            7 => Notice::Left {
                message,
                path: bytes,
                bytes: flag.then_some(3),
            },
            8 => Notice::LeftBytes { message, bytes },
            9 => Notice::Collected { message },
            10 => Notice::WantsInput { message },
            _ => Notice::Failed { reason },
        }
    })
}

proptest! {
    /// Whatever is said in whatever order: each message ends at most once, and no more comes out
    /// than was allowed.
    #[test]
    fn any_notices_in_any_order_do_no_harm(
        notices in proptest::collection::vec(any_notice(), 0..60)
    ) {
        let link = Link::new();
        let mut ends = Vec::new();
        for _ in 0..2 {
            let (inside, ended) = inside(50, Input::Whole);
            link.run(inside, |_| Vec::new()).unwrap();
            ends.push(ended);
        }
        for notice in notices {
            if accept(&link, notice).is_err() {
                break;
            }
        }
        for mut end in ends {
            if let Ok(finished) = end.try_recv() {
                prop_assert!(finished.stdout.len() <= 50);
            }
        }
    }

    #[test]
    fn any_bytes_are_frames_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut reader = FrameReader::new(NOTICE_BYTES_MAX);
        reader.push(&bytes);
        let (link, _finished) = with_message(100);
        while let Ok(Some(notice)) = reader.next_frame::<Notice>() {
            if accept(&link, notice).is_err() {
                break;
            }
        }
    }
}

/// A real worker in a real jail, and a second hold on its end of the socket: what is written there
/// is what a worker would write that was taken over.
async fn taken_over() -> (Arc<Link>, File) {
    let accept_missing: BTreeSet<_> = accepted_by_environment();
    let making = Making::shared(256 << 20, 4, &accept_missing);
    let beginning = begin_jail(&next_name()).unwrap();
    let finishing = beginning.finish(making.limits, &making.accept_missing);
    let mut jail = finishing.await.unwrap();
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (own, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
    let forger = File::from(theirs.try_clone().unwrap());
    let settings = Settings {
        guests_max: 4,
        memory_bytes: 1 << 20,
        reserves: true,
    };
    let mut frame = Vec::new();
    write_frame(&mut frame, &Order::Begin(settings), ORDER_BYTES_MAX).unwrap();
    rustix::io::write(&own, &frame).unwrap();
    let streams = jail.start(command("serve", vec![theirs])).await.unwrap();
    let socket = UnixStream::from_std(own.into()).unwrap();
    let link = Link::new();
    tokio::spawn(attend(Arc::clone(&link), socket, streams.stderr, jail));
    link.confined().await.unwrap();
    (link, forger)
}

/// Two messages are inside; the worker says this; both are lost, with this reason.
async fn forge(bytes: &[u8], expected: &str) {
    let (link, mut forger) = taken_over().await;
    let mut ends = Vec::new();
    for _ in 0..2 {
        let (inside, ended) = inside(100, Input::Whole);
        link.run(inside, |_| Vec::new()).unwrap();
        ends.push(ended);
    }
    forger.write_all(bytes).unwrap();
    for ended in ends {
        let finished = tokio::time::timeout(Duration::from_secs(30), ended).await;
        let lost = finished.unwrap().unwrap().end.unwrap_err();
        assert!(lost.reason.contains(expected), "{lost:?}");
    }
    tokio::time::timeout(Duration::from_secs(30), link.gone())
        .await
        .unwrap();
    assert!(!link.is_open());
    let (late, _ended) = inside(100, Input::Whole);
    assert!(link.run(late, |_| Vec::new()).is_err());
}

fn frame(notice: &Notice) -> Vec<u8> {
    let mut frame = Vec::new();
    write_frame(&mut frame, notice, NOTICE_BYTES_MAX).unwrap();
    frame
}

#[tokio::test]
async fn a_worker_that_lies_is_ended_and_its_messages_are_lost() {
    for (bytes, expected) in [
        (frame(&ended(77)), "never given"),
        (frame(&output(1, 101)), "more output"),
        (frame(&Notice::Confined { system_calls: 9 }), "twice"),
        (u32::MAX.to_le_bytes().to_vec(), "larger than any frame"),
        (vec![1, 0, 0, 0, 0xff], "cannot be decoded"),
        (
            frame(&Notice::Failed {
                reason: "so it \u{202e}says".to_owned(),
            }),
            "so it",
        ),
    ] {
        forge(&bytes, expected).await;
    }
}

#[tokio::test]
async fn a_worker_that_ends_takes_no_more_messages() {
    let (link, forger) = taken_over().await;
    drop(forger);
    let (inside, ended) = inside(100, Input::Whole);
    link.run(inside, |_| Vec::new()).unwrap();
    link.kill("a test wants it");
    let lost = ended.await.unwrap().end.unwrap_err();
    assert!(lost.reason.contains("a test wants it"), "{lost:?}");
    link.gone().await;
    assert!(link.confined().await.is_err() || !link.is_open());
}

#[test]
fn a_worker_makes_instances_until_it_says_that_enough_wait() {
    let (link, _ended) = with_message(0);
    let waiting = |program, instances| {
        link.state().programs.insert(program, Loaded::Ready);
        accept(&link, Notice::Waiting { program, instances }).unwrap();
    };
    assert!(!link.is_making());
    link.keep(7, 2).unwrap();
    assert!(link.is_making());
    waiting(8, 5);
    assert!(link.is_making());
    waiting(7, 2);
    assert!(!link.is_making());
    waiting(7, 1);
    assert!(link.is_making());
}
