//! The protocol survives its own encoding, and anything else that is thrown at it.

use std::io;

use atoll_types::LimitName;
use atoll_types::calls::{Call, CallAudit, CallAuditor, CallRules, ErrorName, Verdict};
use proptest::prelude::*;
use serde_bytes::ByteBuf;

use super::*;

fn limits() -> GuestLimits {
    GuestLimits::of(&crate::PROBE_LIMITS)
}

/// One of everything.
fn links(program: u64) -> Links {
    let call = |to| CallOut {
        interface: "a:b/c@1.0.0".to_owned(),
        exported_as: "a:b/c@1.1.0".to_owned(),
        to,
    };
    Links {
        stores: vec![PartStore {
            program,
            name: "part".to_owned(),
            calls: vec![call(CallTarget::Stream(7))],
            callers: vec![Caller {
                stream: 1,
                interfaces: vec!["a:b/c".to_owned()],
            }],
        }],
        calls: vec![call(CallTarget::Store(0))],
        call_time_us: program,
    }
}

fn rules(audit: bool) -> CallRules {
    let texts = ["deny=EACCES file.open /a/*", "delay=20ms after=9 *"];
    CallRules {
        rules: texts.map(|text| text.parse().unwrap()).into(),
        audit,
    }
}

fn any_run() -> impl Strategy<Value = Order> {
    let bytes = || any::<Vec<u8>>();
    let arguments = prop::collection::vec(bytes().prop_map(ByteBuf::from), 0..4);
    (
        any::<u64>(),
        any::<String>(),
        bytes(),
        arguments,
        bytes(),
        any::<bool>(),
    )
        .prop_map(|(message, name, script, arguments, input, ends)| {
            Order::Run(Box::new(Run {
                message,
                program: message ^ 1,
                name,
                script,
                environment: arguments.iter().cloned().zip(arguments.clone()).collect(),
                arguments,
                input,
                input_ends: ends,
                keeps_files: !ends,
                calls: rules(ends),
                limits: limits(),
                links: links(message),
            }))
        })
}

fn any_order() -> impl Strategy<Value = Order> {
    let number = any::<u64>();
    prop_oneof![
        any_run(),
        (number, any::<Vec<u8>>(), any::<bool>()).prop_map(|(message, bytes, ends)| Order::Input {
            message,
            bytes,
            ends
        }),
        (any::<u64>(), 0..GuestKind::ALL.len()).prop_map(|(program, kind)| Order::Load {
            program,
            kind: GuestKind::ALL[kind],
        }),
        any::<u64>().prop_map(|message| Order::Stop { message }),
        any::<u64>().prop_map(|message| Order::Stream { message }),
        any::<u64>().prop_map(|message| Order::Serve(Box::new(Serve {
            message,
            limits: limits(),
            links: links(message),
        }))),
        (any::<u64>(), any::<u64>()).prop_map(|(message, bytes)| Order::Memory { message, bytes }),
    ]
}

fn called(argument: &[u8]) -> CallAudit {
    let mut auditor = CallAuditor::default();
    auditor.record(Call::FileOpen, Some(argument), Verdict::Allow, 7);
    auditor.record(Call::ClockRead, None, Verdict::Deny(ErrorName::Access), 8);
    auditor.finish()
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z\u{202e}\u{1b}\n]{0,64}"]
}

fn any_notice() -> impl Strategy<Value = Notice> {
    let usage = GuestUsage {
        cpu_time_us: 7,
        ..GuestUsage::default()
    };
    prop_oneof![
        any::<u32>().prop_map(|system_calls| Notice::Confined { system_calls }),
        (any::<u64>(), any_text())
            .prop_map(|(program, reason)| Notice::Unusable { program, reason }),
        (any::<u64>(), any::<Vec<u8>>()).prop_map(|(message, bytes)| Notice::Output {
            message,
            stream: OutputStream::Stderr,
            bytes,
        }),
        (any::<u64>(), any_text()).prop_map(move |(message, text)| Notice::Ended {
            message,
            end: GuestEnd::Trapped {
                text,
                limit: Some(LimitName::Memory),
            },
            usage,
            calls: None,
        }),
        (any::<u64>(), any_text()).prop_map(move |(message, text)| Notice::Ended {
            message,
            end: GuestEnd::Violated { text },
            usage,
            calls: Some(called(b"/a").counts),
        }),
        (any::<u64>(), any::<Vec<u8>>()).prop_map(|(message, argument)| Notice::Called {
            message,
            records: called(&argument).records,
        }),
        any_text().prop_map(|reason| Notice::Failed { reason }),
    ]
}

fn read_all(bytes: &[u8], step: usize) -> (Vec<Notice>, Option<FrameError>) {
    let mut reader = FrameReader::new(NOTICE_BYTES_MAX);
    let mut found = Vec::new();
    for part in bytes.chunks(step.max(1)) {
        reader.push(part);
        loop {
            match reader.next_frame() {
                Ok(Some(notice)) => found.push(notice),
                Ok(None) => break,
                Err(error) => return (found, Some(error)),
            }
        }
    }
    (found, None)
}

proptest! {
    #[test]
    fn orders_survive_the_way(orders in prop::collection::vec(any_order(), 0..8)) {
        let mut bytes = Vec::new();
        for order in &orders {
            write_frame(&mut bytes, order, ORDER_BYTES_MAX).unwrap();
        }
        let mut reader = FrameReader::new(ORDER_BYTES_MAX);
        reader.push(&bytes);
        for order in orders {
            prop_assert_eq!(reader.next_frame::<Order>(), Ok(Some(order)));
        }
        prop_assert_eq!(reader.next_frame::<Order>(), Ok(None));
    }

    #[test]
    fn notices_survive_any_division(
        notices in prop::collection::vec(any_notice(), 0..8),
        step in 1_usize..200,
    ) {
        let mut bytes = Vec::new();
        for notice in &notices {
            write_frame(&mut bytes, notice, NOTICE_BYTES_MAX).unwrap();
        }
        prop_assert_eq!(read_all(&bytes, step), (notices, None));
    }

    #[test]
    fn hostile_bytes_never_panic_and_stay_bounded(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        step in 1_usize..200,
    ) {
        let (found, _) = read_all(&bytes, step);
        // A frame has at least a length and one byte.
        prop_assert!(found.len() <= bytes.len() / 5);
    }

    #[test]
    fn a_flipped_bit_never_panics(
        notice in any_notice(),
        at: prop::sample::Index,
        bit in 0..8_u32,
    ) {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &notice, NOTICE_BYTES_MAX).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let _ = read_all(&bytes, 64);
    }

    #[test]
    fn texts_of_a_worker_are_safe_to_show(text in any_text()) {
        let shown = tidy(&text);
        prop_assert!(shown.len() <= TEXT_BYTES_MAX);
        let controls = shown.chars().any(|c| c.is_control() && c != '\n');
        prop_assert!(!controls);
        let reorders = shown.contains('\u{202e}');
        prop_assert!(!reorders);
        prop_assert_eq!(tidy(&shown), shown);
    }
}

#[test]
fn a_frame_that_claims_too_much_ends_the_stream() {
    let mut bytes = (NOTICE_BYTES_MAX as u32 + 1).to_le_bytes().to_vec();
    let good = bytes.len();
    write_frame(&mut bytes, &Notice::Loaded { program: 1 }, NOTICE_BYTES_MAX).unwrap();
    let (found, error) = read_all(&bytes, good);
    assert_eq!(found, []);
    assert_eq!(error, Some(FrameError::TooLarge(NOTICE_BYTES_MAX + 1)));
    let mut reader = FrameReader::new(NOTICE_BYTES_MAX);
    reader.push(&bytes);
    assert!(reader.next_frame::<Notice>().is_err());
    reader.push(&bytes[good..]);
    assert_eq!(reader.next_frame::<Notice>(), Err(FrameError::Malformed));
}

#[test]
fn bytes_behind_a_value_are_wrong() {
    let mut bytes = Vec::new();
    write_frame(&mut bytes, &(1_u8, 2_u8), 16).unwrap();
    let mut reader = FrameReader::new(16);
    reader.push(&bytes);
    assert_eq!(reader.next_frame::<u8>(), Err(FrameError::Malformed));
}

#[test]
fn what_does_not_fit_is_not_sent() {
    let mut bytes = b"before".to_vec();
    let error = write_frame(&mut bytes, &vec![0_u8; 100], 50).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(bytes, b"before");
}

#[test]
fn long_texts_are_cut_at_a_character() {
    let text = "ä".repeat(TEXT_BYTES_MAX);
    let shown = tidy(&text);
    assert_eq!(shown.len(), TEXT_BYTES_MAX);
}

#[test]
fn a_compile_request_survives_the_way_and_its_program_is_bounded() {
    let request = CompileRequest {
        kind: GuestKind::Component,
    };
    let mut bytes = Vec::new();
    write_request(&mut bytes, request, b"\0asm").unwrap();
    let (read, program) = read_request(&mut bytes.as_slice()).unwrap();
    assert_eq!((read, program.as_slice()), (request, b"\0asm".as_slice()));
    for cut in 0..bytes.len() {
        assert!(read_request(&mut &bytes[..cut]).is_err(), "{cut}");
    }
    let large = vec![0; PROGRAM_BYTES_MAX + 1];
    let error = write_request(&mut io::sink(), request, &large).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn a_compiler_is_believed_in_one_order_only() {
    let confined = || CompileStatus::Confined { system_calls: 30 };
    let compiled = || CompileStatus::Compiled { bytes: 1 };
    let refused = || CompileStatus::Refused {
        reason: "no".to_owned(),
    };
    let failed = || CompileStatus::Failed {
        reason: "no".to_owned(),
    };
    let accepts = |statuses: &[CompileStatus]| {
        let mut report = CompileReport::default();
        statuses
            .iter()
            .all(|status| report.accept(status.clone()).is_ok())
    };
    for right in [
        vec![confined(), compiled()],
        vec![confined(), refused()],
        vec![confined(), failed()],
        vec![failed()],
    ] {
        assert!(accepts(&right), "{right:?}");
    }
    for wrong in [
        vec![compiled()],
        vec![refused()],
        vec![confined(), confined()],
        vec![confined(), compiled(), compiled()],
        vec![confined(), refused(), compiled()],
    ] {
        assert!(!accepts(&wrong), "{wrong:?}");
    }
}
