//! Standard input and output of messages in workers.

use std::time::Duration;

use atoll_sandbox::conformance::limits;
use atoll_sandbox::{Backend, Ending};
use atoll_sandbox_wasm::WasmBackend;
use atoll_types::{LimitName, Limits};

use crate::fixtures;
use crate::support::{Going, block_on, in_time, job, module, tenant};

#[test]
fn input_comes_in_pieces_from_a_slow_sender() {
    block_on(async {
        let backend = WasmBackend::new();
        let program = job(module(&fixtures::copy()));
        let going = Going::start(&backend, program, &tenant("a")).await;
        let mut expected = Vec::new();
        for number in 0..20_u8 {
            // Also one that is empty, and one larger than what the worker is told at once.
            let length = match number {
                5 => 0,
                10 => 700_000,
                _ => usize::from(number) + 1,
            };
            let piece = vec![b'a' + number; length];
            going.write(&piece).await;
            expected.extend(piece);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let ran = going.end().await;
        assert_eq!(ran.ending, Ending::Exited(0));
        assert!(ran.stdout.as_bytes() == expected, "{}", ran.stdout.len());
        in_time(backend.close()).await;
    });
}

#[test]
fn whoever_writes_to_a_message_that_has_ended_hears_of_it() {
    block_on(async {
        let backend = WasmBackend::new();
        let program = job(module(&fixtures::grow_when_told(1)));
        let mut going = Going::start(&backend, program, &tenant("a")).await;
        going.write(b"now").await;
        assert_eq!(in_time(going.sandbox.wait()).await, Ending::Exited(0));
        in_time(going.stdin.as_ref().unwrap().closed()).await;
        going.end().await;
        in_time(backend.close()).await;
    });
}

#[test]
fn large_output_of_both_streams_is_whole_and_in_order() {
    block_on(async {
        let backend = WasmBackend::new();
        const LINES: u32 = (4 << 20) / 64;
        let large = Limits {
            output_bytes: 16 << 20,
            ..limits()
        };
        let program = job(module(&fixtures::counted_output(LINES)));
        let going = Going::with(&backend, program, &tenant("a"), large).await;
        let ran = going.end().await;
        assert_eq!(ran.ending, Ending::Exited(0), "{:?}", ran.limit);
        for text in [&ran.stdout, &ran.stderr] {
            assert_eq!(text.len(), 4 << 20);
            for (number, line) in text.as_bytes().chunks(64).enumerate() {
                let expected = format!("{number:08o}");
                assert_eq!(&line[..8], expected.as_bytes(), "{number}");
            }
        }
        in_time(backend.close()).await;
    });
}

#[test]
fn output_past_its_limit_ends_the_message_and_not_the_worker() {
    block_on(async {
        let backend = WasmBackend::new();
        let small = Limits {
            output_bytes: 1000,
            ..limits()
        };
        let program = job(module(&fixtures::counted_output(1000)));
        let beside = job(module(&fixtures::copy()));
        let beside = Going::start(&backend, beside, &tenant("a")).await;
        let going = Going::with(&backend, program, &tenant("a"), small).await;
        let ran = going.end().await;
        assert_eq!(ran.limit, Some(LimitName::Output), "{:?}", ran.ending);
        let written = ran.stdout.len() + ran.stderr.find("atoll:").unwrap_or(ran.stderr.len());
        assert!((1000..=1001).contains(&written), "{written}");
        beside.write(b"still here").await;
        assert_eq!(beside.end().await.stdout, "still here");
        in_time(backend.close()).await;
    });
}
