//! Agents that break the rules.

use std::sync::atomic::Ordering;
use std::time::Duration;

use atoll_remote::AgentError;
use atoll_remote::protocol::{
    Ended, LeftFile, Notice, Order, OutputStream, PATH_BYTES_MAX, PIECE_BYTES_MAX, ProgramEnd,
    Refusal, VERSION,
};
use atoll_sandbox::conformance::limits;
use atoll_sandbox::{Ending, InputEnd, LeavingsError, Sandbox, StartError};
use atoll_types::{IoUsage, LimitName, SkipReason, Usage};

use crate::taken::{TOO_LARGE, Taken, agent, begin, claim, hello, job, meet, sandbox};

fn run<T>(what: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let patient = async { tokio::time::timeout(Duration::from_secs(60), what).await };
    runtime.block_on(patient).expect("it ends")
}

fn output(length: usize) -> Notice {
    Notice::Output {
        stream: OutputStream::Stdout,
        bytes: vec![b'x'; length],
    }
}

fn ended(end: ProgramEnd) -> Notice {
    Notice::Ended(Ended {
        end,
        usage: Usage::default(),
        limit: None,
    })
}

fn left(path: &[u8], bytes: u64) -> Notice {
    Notice::Left {
        path: path.to_vec(),
        file: Ok(LeftFile {
            bytes,
            executable: false,
            shared: None,
            follows: true,
        }),
    }
}

/// What becomes of an agent instead of a greeting.
fn met(does: impl FnOnce(Taken) + Send + 'static) -> String {
    run(async {
        let (stream, agent) = agent(does);
        let error = meet(&stream).await.map(drop).expect_err("it is not met");
        drop(stream);
        agent.join().unwrap();
        chain(&error)
    })
}

fn chain(error: &dyn std::error::Error) -> String {
    let next = error.source().map(|source| format!(": {}", chain(source)));
    format!("{error}{}", next.unwrap_or_default())
}

#[test]
fn only_a_greeting_of_this_version_is_one() {
    let other = met(|mut taken| taken.say(&hello(VERSION + 1)));
    assert!(other.contains("another version"), "{other}");
    let early = met(|mut taken| taken.say(&ended(ProgramEnd::Exited(0))));
    assert!(early.contains("out of order"), "{early}");
    let large = met(|mut taken| taken.say_bytes(&claim(TOO_LARGE)));
    assert!(large.contains("larger than any frame"), "{large}");
    let noise = met(|mut taken| taken.say_bytes(b"\x04\0\0\0\xff\xff\xff\xff"));
    assert!(noise.contains("cannot be decoded"), "{noise}");
    let none = met(Taken::close);
    assert!(none.contains("ended"), "{none}");
    let silent = met(Taken::sulk);
    assert!(silent.contains("did not answer"), "{silent}");
}

#[test]
fn a_refusal_is_told_and_its_text_is_safe_to_show() {
    run(async {
        let (stream, agent) = agent(|mut taken| {
            taken.greet();
            assert!(matches!(taken.hear(), Some(Order::Begin(_))));
            taken.say(&Notice::Refused(Refusal::Environment(
                "no \x1b[2Jpython".to_owned(),
            )));
        });
        let mut met = meet(&stream).await.unwrap();
        let refused = met.begin(begin(limits())).await.map(drop);
        let Err(AgentError::Refused(Refusal::Environment(text))) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(text, "no \u{fffd}[2Jpython");
        agent.join().unwrap();
    });
}

/// How a job ends whose agent does this, and how often its boundary was ended.
fn ending(does: impl FnOnce(Taken) + Send + 'static) -> (Result<Ending, StartError>, u32) {
    run(async {
        let (stream, agent) = agent(does);
        let (mut sandbox, kills) = sandbox(stream).await;
        let ending = match sandbox.start(job()).await {
            Ok(_streams) => Ok(sandbox.wait().await),
            Err(error) => Err(error),
        };
        let kills = kills.load(Ordering::Relaxed);
        Box::new(sandbox).destroy().await.unwrap();
        agent.join().unwrap();
        (ending, kills)
    })
}

#[test]
fn a_start_that_is_not_told_is_none() {
    for say in [
        || vec![ended(ProgramEnd::Exited(0))],
        || vec![output(5)],
        || vec![Notice::Ready { layers: Vec::new() }],
        || vec![Notice::Collected],
    ] {
        let (ending, kills) = ending(move |mut taken| {
            taken.become_ready();
            taken.hear();
            say().iter().for_each(|notice| taken.say(notice));
            taken.sulk();
        });
        assert!(
            matches!(ending, Err(StartError::Internal { .. })),
            "{ending:?}"
        );
        assert!(kills > 0);
    }
    let (silent, kills) = ending(|mut taken| {
        taken.become_ready();
        taken.sulk();
    });
    assert!(
        matches!(silent, Err(StartError::Internal { .. })),
        "{silent:?}"
    );
    assert!(kills > 0);
    let (refused, _) = ending(|mut taken| {
        taken.become_ready();
        taken.hear();
        taken.say(&Notice::NotStarted(Refusal::Limit(LimitName::Disk)));
        taken.sulk();
    });
    assert!(
        matches!(refused, Err(StartError::Limit(LimitName::Disk))),
        "{refused:?}"
    );
}

/// The program's fate is unknown, and its boundary is ended.
fn loses(why: &str, does: impl FnOnce(&mut Taken) + Send + 'static) {
    let (ending, kills) = ending(|mut taken| {
        taken.start();
        does(&mut taken);
        taken.sulk();
    });
    match ending {
        Ok(Ending::Lost(text)) if text.contains(why) => assert!(kills > 0),
        other => panic!("{why}: {other:?}"),
    }
}

#[test]
fn an_agent_that_breaks_the_rules_loses_its_program() {
    loses("out of order", |taken| taken.say(&Notice::Started));
    loses("out of order", |taken| taken.say(&Notice::Rehearsed));
    loses("out of order", |taken| taken.say(&left(b"a", 0)));
    loses("out of order", |taken| taken.say(&hello(VERSION)));
    loses("wants input", |taken| taken.say(&Notice::WantsInput));
    loses("wrong length", |taken| taken.say(&output(0)));
    loses("wrong length", |taken| {
        taken.say(&output(PIECE_BYTES_MAX + 1))
    });
    loses("more output", |taken| {
        (0..100).for_each(|_| taken.say(&output(PIECE_BYTES_MAX)));
    });
    loses("larger than any frame", |taken| {
        taken.say_bytes(&claim(TOO_LARGE))
    });
    loses("cannot be decoded", |taken| {
        taken.say_bytes(&[[16, 0, 0, 0].as_slice(), &[0xff; 16]].concat());
    });
    loses("failed: broken", |taken| {
        taken.say(&Notice::Failed {
            reason: "broken".to_owned(),
        });
    });
    loses("ended", |taken| {
        let _ = std::mem::replace(taken, Taken::none());
    });
}

#[test]
fn the_first_end_counts_and_a_second_one_ends_the_boundary() {
    run(async {
        let (stream, agent) = agent(|mut taken| {
            taken.start();
            taken.say(&ended(ProgramEnd::Exited(3)));
            taken.say(&ended(ProgramEnd::Exited(4)));
            taken.sulk();
        });
        let (mut sandbox, kills) = sandbox(stream).await;
        drop(sandbox.start(job()).await.unwrap());
        assert_eq!(sandbox.wait().await, Ending::Exited(3));
        let left = sandbox.leavings().await.map(drop);
        assert!(
            matches!(left, Err(LeavingsError::Internal { .. })),
            "{left:?}"
        );
        assert!(kills.load(Ordering::Relaxed) > 0);
        assert_eq!(sandbox.wait().await, Ending::Exited(3));
        Box::new(sandbox).destroy().await.unwrap();
        agent.join().unwrap();
    });
}

#[test]
fn an_agent_that_does_not_stop_is_ended() {
    run(async {
        let (stream, agent) = agent(|mut taken| {
            taken.start();
            taken.sulk();
        });
        let (mut sandbox, kills) = sandbox(stream).await;
        let _streams = sandbox.start(job()).await.unwrap();
        sandbox.stop();
        sandbox.stop();
        let ending = sandbox.wait().await;
        assert!(
            matches!(&ending, Ending::Lost(why) if why.contains("stopped")),
            "{ending:?}"
        );
        assert!(kills.load(Ordering::Relaxed) > 0);
        Box::new(sandbox).destroy().await.unwrap();
        agent.join().unwrap();
    });
}

/// Input that an agent does not take is not kept for it.
#[test]
fn an_agent_that_takes_no_input_holds_whoever_sends_it() {
    run(async {
        let (stream, agent) = agent(|mut taken| {
            taken.start();
            taken.sulk();
        });
        let (mut sandbox, _) = sandbox(stream).await;
        let streams = sandbox.start(job()).await.unwrap();
        let InputEnd::Pieces(pieces) = streams.stdin else {
            panic!("input comes in pieces");
        };
        let all = async {
            for _ in 0..100 {
                pieces.send(vec![0; 1 << 20]).await.unwrap();
            }
        };
        let sent = tokio::time::timeout(Duration::from_millis(500), all).await;
        assert!(sent.is_err());
        Box::new(sandbox).destroy().await.unwrap();
        agent.join().unwrap();
    });
}

#[test]
fn a_sandbox_that_is_dropped_ends_its_boundary() {
    run(async {
        let (stream, agent) = agent(|mut taken| {
            taken.start();
            taken.sulk();
        });
        let (mut sandbox, kills) = sandbox(stream).await;
        let _streams = sandbox.start(job()).await.unwrap();
        drop(sandbox);
        assert!(kills.load(Ordering::Relaxed) > 0);
        agent.join().unwrap();
    });
}

/// A path, and how much of a file is there.
type Left = (Vec<u8>, Result<usize, SkipReason>);

/// What comes of a collection for which an agent says this.
fn collected(says: Vec<Notice>) -> Result<Vec<Left>, String> {
    run(async {
        let (stream, agent) = agent(move |mut taken| {
            taken.start();
            taken.say(&ended(ProgramEnd::Exited(0)));
            while !matches!(taken.hear(), Some(Order::Collect { .. }) | None) {}
            says.iter().for_each(|notice| taken.say(notice));
            taken.sulk();
        });
        let (mut sandbox, kills) = sandbox(stream).await;
        drop(sandbox.start(job()).await.unwrap());
        sandbox.wait().await;
        let left = sandbox.leavings().await;
        let killed = kills.load(Ordering::Relaxed) > 0;
        Box::new(sandbox).destroy().await.unwrap();
        agent.join().unwrap();
        match left {
            Ok(left) => Ok(left
                .map(|one| {
                    let file = one.file.map(|mut file| {
                        let mut content = Vec::new();
                        file.content.read_to_end(&mut content).unwrap();
                        assert_eq!(content.len() as u64, file.bytes);
                        content.len()
                    });
                    (one.path, file)
                })
                .collect()),
            Err(error) => {
                assert!(killed);
                Err(chain(&error))
            }
        }
    })
}

#[test]
fn what_is_left_is_bytes_below_the_working_directory() {
    let whole = collected(vec![
        left(b"a/b", 3),
        Notice::LeftBytes(vec![1, 2]),
        Notice::LeftBytes(vec![3]),
        left(b"empty", 0),
        Notice::Left {
            path: b"link".to_vec(),
            file: Err(SkipReason::SymbolicLink),
        },
        Notice::Collected,
    ]);
    let expected = vec![
        (b"a/b".to_vec(), Ok(3)),
        (b"empty".to_vec(), Ok(0)),
        (b"link".to_vec(), Err(SkipReason::SymbolicLink)),
    ];
    assert_eq!(whole, Ok(expected));

    let long = vec![b'x'; PATH_BYTES_MAX + 1];
    let deep = b"x/".repeat(70);
    let paths: [&[u8]; 10] = [
        b"",
        b"/etc/passwd",
        b"../x",
        b"a/../b",
        b"a/..",
        b".",
        b"a//b",
        b"a/",
        b"a\0b",
        &long,
    ];
    for path in paths.into_iter().chain([deep.as_slice()]) {
        let error = collected(vec![left(path, 0), Notice::Collected]).unwrap_err();
        assert!(error.contains("not below"), "{path:?}: {error}");
    }
}

#[test]
fn what_is_left_is_bounded() {
    let fails = |why: &str, says: Vec<Notice>| {
        let error = collected(says).unwrap_err();
        assert!(error.contains(why), "{why}: {error}");
    };
    fails("more of files", vec![left(b"a", (1 << 20) + 1)]);
    let halves = [left(b"a", 1 << 19), left(b"b", 1 << 19)];
    let pieces = (0..8).map(|_| Notice::LeftBytes(vec![0; PIECE_BYTES_MAX]));
    let pieces: Vec<_> = pieces.collect();
    let [first, second] = halves;
    let full = [vec![first], pieces.clone(), vec![second], pieces].concat();
    fails("more of files", [full, vec![left(b"c", 1)]].concat());
    fails(
        "more than a file has",
        vec![left(b"a", 1), Notice::LeftBytes(vec![0; 2])],
    );
    fails(
        "wrong length",
        vec![left(b"a", 1), Notice::LeftBytes(Vec::new())],
    );
    fails("before all of the last", vec![left(b"a", 1), left(b"b", 1)]);
    fails("out of order", vec![left(b"a", 1), Notice::Collected]);
    fails("more than a file has", vec![Notice::LeftBytes(vec![0])]);
    fails("out of order", vec![output(1)]);
    fails(
        "more files",
        (0..1000)
            .map(|at| left(at.to_string().as_bytes(), 0))
            .collect(),
    );
    fails("did not tell", vec![left(b"a", 1)]);
}

#[test]
fn usage_that_cannot_be_is_not_believed() {
    run(async {
        let (stream, agent) = agent(|mut taken| {
            taken.start();
            let usage = Usage {
                wall_time_us: u64::MAX,
                cpu_time_us: u64::MAX,
                memory_peak_bytes: u64::MAX,
                output_bytes: u64::MAX,
                disk_bytes: u64::MAX,
                processes_peak: 7,
                io: Some(IoUsage {
                    reads: u64::MAX,
                    writes: 3,
                    read_bytes: u64::MAX,
                    written_bytes: 4,
                }),
            };
            let limit = None;
            taken.say(&Notice::Progress { usage, limit });
            let end = ProgramEnd::Exited(0);
            taken.say(&Notice::Ended(Ended { end, usage, limit }));
            taken.sulk();
        });
        let (mut sandbox, _) = sandbox(stream).await;
        drop(sandbox.start(job()).await.unwrap());
        assert_eq!(sandbox.wait().await, Ending::Exited(0));
        let usage = sandbox.usage();
        assert!(usage.wall_time_us < 60_000_000);
        // Of one processor.
        assert_eq!(usage.cpu_time_us, usage.wall_time_us);
        assert_eq!((usage.memory_peak_bytes, usage.output_bytes), (1, 0));
        assert_eq!((usage.disk_bytes, usage.processes_peak), (1 << 20, 7));
        // No processor gets more done in that time.
        let (io, most) = (usage.io.unwrap(), IoUsage::possible_in(usage.cpu_time_us));
        assert!(
            io.reads <= most.reads && io.read_bytes <= most.read_bytes,
            "{io:?}"
        );
        assert_eq!((io.writes, io.written_bytes), (3, 4));
        Box::new(sandbox).destroy().await.unwrap();
        agent.join().unwrap();
    });
}
