//! Whatever an agent says, only so much of it counts.

use atoll_types::{LimitName, Usage};
use proptest::prelude::*;

use super::*;
use crate::protocol::{Ended, Hello, OutputStream, ProgramEnd, Refusal};

const LIMITS: Limits = Limits {
    wall_time_ms: 1,
    cpu_time_ms: 1,
    cpu_percent: 1,
    memory_bytes: 1,
    processes: 1,
    disk_bytes: 1_000,
    disk_files: 3,
    output_bytes: 1_000,
    open_files: 1,
};

fn hello(version: u32) -> Notice {
    Notice::Hello(Hello {
        version,
        kernel: String::new(),
        memory_bytes: 0,
        processors: 0,
    })
}

fn ended() -> Notice {
    Notice::Ended(Ended {
        end: ProgramEnd::Exited(0),
        usage: Usage::default(),
        limit: None,
    })
}

fn any_path() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[a-c./]{0,6}".prop_map(String::into_bytes),
        any::<Vec<u8>>(),
    ]
}

fn any_notice() -> impl Strategy<Value = Notice> {
    let file = (0..2_000_u64, any::<bool>()).prop_map(|(bytes, follows)| LeftFile {
        bytes,
        executable: false,
        shared: None,
        follows,
    });
    let file = prop_oneof![file.prop_map(Ok), Just(Err(SkipReason::Pipe))];
    prop_oneof![
        Just(hello(VERSION)),
        Just(hello(VERSION + 1)),
        Just(Notice::Prepared),
        Just(Notice::Ready { layers: Vec::new() }),
        Just(Notice::Refused(Refusal::Limit(LimitName::Disk))),
        Just(Notice::Rehearsed),
        Just(Notice::Started),
        Just(Notice::NotStarted(Refusal::Limit(LimitName::Disk))),
        Just(Notice::WantsInput),
        Just(Notice::InputClosed),
        (0..70_000_usize).prop_map(|length| Notice::Output {
            stream: OutputStream::Stderr,
            bytes: vec![0; length],
        }),
        Just(Notice::Progress {
            usage: Usage::default(),
            limit: None,
        }),
        Just(ended()),
        (any_path(), file).prop_map(|(path, file)| Notice::Left { path, file }),
        (0..2_000_usize).prop_map(|length| Notice::LeftBytes(vec![0; length])),
        Just(Notice::Collected),
        Just(Notice::Failed {
            reason: String::new(),
        }),
    ]
}

/// A conversation in which a program runs.
fn running() -> Ledger {
    let mut ledger = Ledger::new();
    ledger.accept(&hello(VERSION)).unwrap();
    ledger.take(Step::Begin).unwrap();
    ledger
        .accept(&Notice::Ready { layers: Vec::new() })
        .unwrap();
    ledger.take(Step::Run(&LIMITS)).unwrap();
    ledger.accept(&Notice::Started).unwrap();
    ledger
}

fn collecting() -> Ledger {
    let mut ledger = running();
    ledger.accept(&ended()).unwrap();
    let step = Step::Collect {
        bytes_max: LIMITS.disk_bytes,
        files_max: LIMITS.disk_files,
    };
    ledger.take(step).unwrap();
    ledger
}

#[test]
fn the_order_of_a_whole_conversation_is_accepted() {
    let mut ledger = Ledger::new();
    ledger.accept(&hello(VERSION)).unwrap();
    ledger.take(Step::Prepare).unwrap();
    ledger.accept(&Notice::Prepared).unwrap();
    // Its clones go on from here.
    let mut ledger = Ledger::greeted();
    ledger.take(Step::Begin).unwrap();
    ledger
        .accept(&Notice::Ready { layers: Vec::new() })
        .unwrap();
    ledger.take(Step::Rehearse).unwrap();
    ledger.accept(&Notice::Rehearsed).unwrap();
    ledger.take(Step::Run(&LIMITS)).unwrap();
    ledger.take(Step::Input).unwrap();
    ledger.take(Step::Input).unwrap_err();
    ledger.accept(&Notice::Started).unwrap();
    ledger.accept(&Notice::WantsInput).unwrap();
    ledger.take(Step::Input).unwrap();
    ledger.accept(&ended()).unwrap();
    ledger.take(Step::Input).unwrap_err();
}

#[test]
fn nothing_counts_after_a_breach() {
    let mut ledger = running();
    ledger.accept(&Notice::Rehearsed).unwrap_err();
    ledger.accept(&ended()).unwrap_err();
    let mut ledger = running();
    let reason = String::new();
    ledger.accept(&Notice::Failed { reason }).unwrap();
    ledger.accept(&ended()).unwrap_err();
}

proptest! {
    #[test]
    fn a_program_ends_once_and_writes_no_more_than_it_may(
        notices in prop::collection::vec(any_notice(), 0..40),
    ) {
        let mut ledger = running();
        let (mut ends, mut bytes) = (0, 0);
        for notice in &notices {
            if ledger.accept(notice).is_err() {
                break;
            }
            match notice {
                Notice::Ended(_) => ends += 1,
                Notice::Output { bytes: piece, .. } => {
                    prop_assert_eq!(ends, 0);
                    bytes += piece.len() as u64;
                }
                _ => {}
            }
        }
        prop_assert!(ends <= 1);
        prop_assert!(bytes <= LIMITS.output_bytes + OUTPUT_SPARE_BYTES);
    }

    #[test]
    fn no_more_is_left_than_fits_and_only_below_the_working_directory(
        notices in prop::collection::vec(any_notice(), 0..40),
    ) {
        let mut ledger = collecting();
        let mut bytes = 0;
        for notice in &notices {
            if ledger.accept(notice).is_err() {
                break;
            }
            match notice {
                Notice::Left { path, file } => {
                    let path = String::from_utf8_lossy(path);
                    let plain = std::path::Path::new(&*path).components().all(|part| {
                        matches!(part, std::path::Component::Normal(_))
                    });
                    prop_assert!(plain && (file.is_err() || !path.is_empty()), "{}", path);
                }
                Notice::LeftBytes(piece) => bytes += piece.len() as u64,
                _ => {}
            }
        }
        prop_assert!(bytes <= LIMITS.disk_bytes);
    }
}
