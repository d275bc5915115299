//! What is said survives the way, and bytes that are something else do no harm.

use atoll_frame::{FrameReader, write_frame};
use atoll_types::{Limits, ProgramKind, SkipReason};
use proptest::prelude::*;
use serde_bytes::ByteBuf;

use super::*;

const LIMITS: Limits = Limits {
    wall_time_ms: 1,
    cpu_time_ms: 2,
    cpu_percent: 3,
    memory_bytes: 4,
    processes: 5,
    disk_bytes: 6,
    disk_files: 7,
    output_bytes: 8,
    open_files: 9,
};

fn any_run() -> impl Strategy<Value = Order> {
    let strings = || prop::collection::vec(any::<Vec<u8>>().prop_map(ByteBuf::from), 0..4);
    (any::<String>(), strings(), any::<Vec<u8>>(), any::<u64>()).prop_map(
        |(name, arguments, content, bytes)| {
            Order::Run(Box::new(Run {
                name,
                kind: ProgramKind::Shell,
                bytes,
                environment: arguments.iter().cloned().zip(arguments.clone()).collect(),
                arguments,
                files: vec![JobFile {
                    name: content.clone(),
                    bytes,
                }],
                limits: LIMITS,
                content,
            }))
        },
    )
}

fn any_notice() -> impl Strategy<Value = Notice> {
    let bytes = || any::<Vec<u8>>();
    prop_oneof![
        (bytes(), any::<u64>()).prop_map(|(path, bytes)| Notice::Left {
            path,
            file: Ok(LeftFile {
                bytes,
                executable: true,
                shared: Some(bytes),
                follows: false,
            }),
        }),
        bytes().prop_map(|path| Notice::Left {
            path,
            file: Err(SkipReason::Socket),
        }),
        bytes().prop_map(Notice::LeftBytes),
        any::<String>().prop_map(|text| Notice::NotStarted(Refusal::Program(text))),
        any::<String>().prop_map(|reason| Notice::Failed { reason }),
    ]
}

proptest! {
    #[test]
    fn orders_and_notices_survive_the_way(run in any_run(), notice in any_notice()) {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &run, ORDER_BYTES_MAX).unwrap();
        let mut reader = FrameReader::new(ORDER_BYTES_MAX);
        reader.push(&bytes);
        prop_assert_eq!(reader.next_frame::<Order>(), Ok(Some(run)));
        bytes.clear();
        write_frame(&mut bytes, &notice, NOTICE_BYTES_MAX).unwrap();
        reader.push(&bytes);
        prop_assert_eq!(reader.next_frame::<Notice>(), Ok(Some(notice)));
    }

    #[test]
    fn any_bytes_are_notices_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut reader = FrameReader::new(NOTICE_BYTES_MAX);
        reader.push(&bytes);
        let mut found = 0;
        while let Ok(Some(notice)) = reader.next_frame::<Notice>() {
            let _ = notice.tidied();
            found += 1;
        }
        // A frame has at least a length and one byte.
        prop_assert!(found <= bytes.len() / 5);
    }
}

#[test]
fn nobody_reads_the_random_bytes_of_an_identity() {
    let identity = Identity {
        entropy: b"secret".to_vec(),
        unix_ns: 0,
        hostname: "name".to_owned(),
        machine_id: [7; 16],
    };
    let shown = format!("{identity:?}");
    assert!(shown.contains("name") && !shown.contains("115"), "{shown}");
}
