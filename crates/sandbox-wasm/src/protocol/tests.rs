//! The protocol survives its own encoding, and anything else that is thrown at it.

use std::io;

use proptest::prelude::*;

use super::*;

fn request() -> Request {
    Request {
        kind: GuestKind::Component,
        name: "count.wasm".to_owned(),
        arguments: vec![b"-l".to_vec(), vec![0xff, 0xfe]],
        environment: vec![(b"LANG".to_vec(), b"C".to_vec())],
        working_directory: "/work".to_owned(),
        limits: GuestLimits::new(64 << 20, 5000),
    }
}

fn read_all(bytes: &[u8], step: usize) -> (Vec<Status>, Option<StatusError>) {
    let mut reader = StatusReader::default();
    let mut found = Vec::new();
    for part in bytes.chunks(step.max(1)) {
        reader.push(part);
        loop {
            match reader.next_status() {
                Ok(Some(status)) => found.push(status),
                Ok(None) => break,
                Err(error) => return (found, Some(error)),
            }
        }
    }
    (found, None)
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z\u{202e}\u{1b}\n]{0,64}"]
}

fn any_status() -> impl Strategy<Value = Status> {
    let limit = prop_oneof![
        Just(None),
        Just(Some(LimitName::Memory)),
        Just(Some(LimitName::WallTime)),
    ];
    prop_oneof![
        any::<u32>().prop_map(|system_calls| Status::Ready { system_calls }),
        any::<u64>().prop_map(|compile_us| Status::Started { compile_us }),
        (any::<i32>(), limit.clone()).prop_map(|(code, limit)| Status::Exited { code, limit }),
        (any_text(), limit).prop_map(|(text, limit)| Status::Trapped { text, limit }),
        any_text().prop_map(|reason| Status::Refused { reason }),
        any_text().prop_map(|reason| Status::Failed { reason }),
    ]
}

#[test]
fn a_request_survives_the_way() {
    let mut bytes = Vec::new();
    write_request(&mut bytes, &request(), b"\0asm").unwrap();
    let (read, program) = read_request(&mut bytes.as_slice()).unwrap();
    assert_eq!(read, request());
    assert_eq!(program, b"\0asm");
}

#[test]
fn a_cut_request_is_an_error() {
    let mut bytes = Vec::new();
    write_request(&mut bytes, &request(), b"\0asm").unwrap();
    for end in 0..bytes.len() {
        let error = read_request(&mut &bytes[..end]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "cut at {end}");
    }
}

#[test]
fn a_request_that_claims_too_much_is_refused_before_memory_is_taken() {
    let bytes = u32::MAX.to_le_bytes();
    let error = read_request(&mut bytes.as_slice()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_program_past_the_bound_cannot_be_sent() {
    let program = vec![0; PROGRAM_BYTES_MAX + 1];
    let error = write_request(&mut io::sink(), &request(), &program).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn long_texts_are_cut_at_a_character() {
    let text = "é".repeat(TEXT_BYTES_MAX);
    let frame = encode_status(&Status::Refused { reason: text }).unwrap();
    let (found, error) = read_all(&frame, frame.len());
    assert_eq!(error, None);
    let [Status::Refused { reason }] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(reason.len(), TEXT_BYTES_MAX);
    assert!(reason.chars().all(|character| character == 'é'));
}

#[test]
fn texts_cannot_carry_terminal_commands() {
    let frame = encode_status(&Status::Trapped {
        text: "a\u{1b}[2Jb\u{202e}c\nd\0".to_owned(),
        limit: None,
    })
    .unwrap();
    let (found, _) = read_all(&frame, 3);
    let expected = Status::Trapped {
        text: "a\u{fffd}[2Jb\u{fffd}c\nd\u{fffd}".to_owned(),
        limit: None,
    };
    assert_eq!(found, [expected]);
}

#[test]
fn bytes_after_the_value_inside_a_frame_are_an_error() {
    let frame = [6, 0, 0, 0, 2, 0, 0, 0, 0, 0];
    assert_eq!(read_all(&frame, 10).1, Some(StatusError::Malformed));
}

#[test]
fn a_frame_past_the_bound_is_an_error_at_once() {
    let length = u32::try_from(STATUS_BYTES_MAX + 1).unwrap();
    let (_, error) = read_all(&length.to_le_bytes(), 4);
    assert_eq!(error, Some(StatusError::TooLarge(STATUS_BYTES_MAX + 1)));
}

#[test]
fn a_broken_stream_stays_broken() {
    let mut reader = StatusReader::default();
    reader.push(&[0xff; 4]);
    assert!(reader.next_status().is_err());
    reader.push(
        &encode_status(&Status::Exited {
            code: 0,
            limit: None,
        })
        .unwrap(),
    );
    assert!(reader.next_status().is_err());
}

#[test]
fn a_report_takes_frames_only_in_order() {
    let ready = Status::Ready { system_calls: 30 };
    let started = Status::Started { compile_us: 1 };
    let exited = Status::Exited {
        code: 3,
        limit: None,
    };
    let refused = Status::Refused {
        reason: String::new(),
    };
    let accepts = |frames: &[&Status]| {
        let mut report = Report::default();
        frames
            .iter()
            .all(|frame| report.accept((*frame).clone()).is_ok())
    };
    assert!(accepts(&[&ready, &started, &exited]));
    assert!(accepts(&[&ready, &refused]));
    assert!(!accepts(&[&started]));
    assert!(!accepts(&[&ready, &ready]));
    assert!(!accepts(&[&ready, &exited]));
    assert!(!accepts(&[&ready, &started, &started]));
    assert!(!accepts(&[&ready, &started, &refused]));
    assert!(!accepts(&[&ready, &started, &exited, &exited]));
    assert!(!accepts(&[&refused]));
}

proptest! {
    #[test]
    fn statuses_survive_any_cutting(
        statuses in prop::collection::vec(any_status(), 0..6),
        step in 1_usize..200,
    ) {
        let mut bytes = Vec::new();
        for status in &statuses {
            bytes.extend(encode_status(status).unwrap());
        }
        let (found, error) = read_all(&bytes, step);
        prop_assert_eq!(error, None);
        let tidied: Vec<Status> = statuses.into_iter().map(status::tidy).collect();
        prop_assert_eq!(found, tidied);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic_and_in_bounded_memory(
        bytes in prop::collection::vec(any::<u8>(), 0..4096),
        step in 1_usize..64,
    ) {
        let (found, _) = read_all(&bytes, step);
        let mut report = Report::default();
        for status in found {
            let before = report.clone();
            if report.accept(status).is_err() {
                prop_assert_eq!(&before, &report);
            }
        }
    }

    #[test]
    fn frames_with_flipped_bits_are_read_without_a_panic(
        status in any_status(),
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let mut frame = encode_status(&status).unwrap();
        let index = at.index(frame.len());
        frame[index] ^= 1 << bit;
        let (found, _) = read_all(&frame, 7);
        for status in found {
            prop_assert_eq!(status.clone(), status::tidy(status));
        }
    }

    #[test]
    fn any_bytes_as_a_request_are_read_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..2048),
    ) {
        let _ = read_request(&mut bytes.as_slice());
        let mut framed = u32::try_from(bytes.len()).unwrap().to_le_bytes().to_vec();
        framed.extend(&bytes);
        let _ = read_request(&mut framed.as_slice());
    }
}
