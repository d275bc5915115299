//! What rules for calls cost a message. Run by name, with `--ignored --nocapture`.

use std::time::{Duration, Instant};

use atoll_sandbox::conformance::{accepted_by_environment, limits};
use atoll_sandbox::{Backend, Job};
use atoll_sandbox_wasm::WasmBackend;
use atoll_sandbox_wasm::protocol::GuestEnd;
use atoll_types::calls::CallRules;

use crate::fixtures;
use crate::support::{block_on, in_time, job, module, tenant};

const ROUNDS: usize = 4000;

/// Name, rules, and whether calls are taken down.
const WAYS: [(&str, &[&str], bool); 5] = [
    ("no rules", &[], false),
    ("rules about other calls", &["deny=EIO file.remove"], false),
    ("a rule that every call meets", &["allow *"], false),
    (
        "the same, linked for delays",
        &["allow *", "delay=1ms *"],
        false,
    ),
    ("an audit", &[], true),
];

fn report(name: &str, mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |part: usize| times[times.len() * part / 100].as_nanos();
    format!("{name:32} median {:>9} ns  90 % {:>9} ns", at(50), at(90))
}

/// One message after the other in a worker that is there, each kind in turn.
#[test]
#[ignore = "measures; run it alone"]
fn rules_for_calls() {
    for (what, text) in [
        ("a module that does nothing", NOTHING.to_owned()),
        ("a module that makes three calls", fixtures::hello()),
        (
            "a module that makes 10,000 calls",
            fixtures::call_often(10_000, 20_000, 10_000),
        ),
    ] {
        println!("{what}:");
        block_on(async {
            let backend = WasmBackend::new();
            let mut ways = Vec::new();
            for (name, rules, audit) in WAYS {
                let calls = CallRules {
                    rules: rules.iter().map(|text| text.parse().unwrap()).collect(),
                    audit,
                };
                let job = Job {
                    calls,
                    ..job(module(&text))
                };
                let (limits, accepted) = (limits(), accepted_by_environment());
                let prepared = backend.prepare(job, &limits, &accepted).await;
                ways.push((name, prepared.unwrap(), Vec::new()));
            }
            for round in 0..ROUNDS {
                for (_, prepared, times) in &mut ways {
                    let began = Instant::now();
                    let ran = backend.run(prepared, &[], &tenant("a")).await.unwrap();
                    let took = began.elapsed();
                    assert!(matches!(ran.end, Ok(GuestEnd::Exited { .. })), "{ran:?}");
                    if round >= ROUNDS / 10 {
                        times.push(took);
                    }
                }
            }
            for (name, _, times) in ways {
                println!("{}", report(name, times));
            }
            in_time(backend.close()).await;
        });
    }
}

const NOTHING: &str = r#"(module (func (export "_start")))"#;
