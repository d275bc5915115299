//! Rules for calls, held by real workers: for modules, for components, beside others.

use std::time::Duration;

use atoll_sandbox::conformance::limits;
use atoll_sandbox::{Backend, Ending, Job};
use atoll_sandbox_wasm::WasmBackend;
use atoll_types::calls::{Call, CallAudit, CallRecord, CallRules};
use atoll_types::{Limits, Program, ProgramKind};

use crate::fixtures::{self, NO_ERROR};
use crate::support::{
    Going, Ran, block_on, component, in_time, job, module, program, run_job, tenant,
};

/// The numbers that WASI gives to errors: in preview 1, and in `wasi:filesystem`.
const NO_SPACE: (i32, u32) = (51, 23);
const READ_ONLY: (i32, u32) = (69, 33);

fn ruled(program: Program, rules: &[&str]) -> Job {
    let calls = CallRules {
        rules: rules.iter().map(|text| text.parse().unwrap()).collect(),
        audit: true,
    };
    // A rule that cannot be held would say nothing here.
    let backend = WasmBackend::new();
    assert_eq!(backend.unenforceable(program.kind, &calls), None);
    Job {
        calls,
        ..job(program)
    }
}

fn run(program: &Program, rules: &[&str]) -> Ran {
    run_job(ruled(program.clone(), rules), limits()).unwrap()
}

fn audit(ran: &Ran) -> &CallAudit {
    ran.calls.as_ref().unwrap()
}

/// Allowed, denied, delayed and trapped.
fn counts(ran: &Ran, call: Call) -> [u64; 4] {
    let counts = audit(ran).counts.get(&call).copied().unwrap_or_default();
    [
        counts.allowed,
        counts.denied,
        counts.delayed,
        counts.trapped,
    ]
}

fn arguments(ran: &Ran, call: Call) -> Vec<Vec<u8>> {
    let records = audit(ran).records.iter();
    let those = records.filter(|record| record.call == call);
    let argument = |record: &CallRecord| record.argument.as_ref()?.decode();
    those.filter_map(argument).collect()
}

#[test]
fn without_rules_there_is_no_audit() {
    let ran = run_job(job(module(&fixtures::make_and_tell())), limits()).unwrap();
    assert_eq!(ran.ending, Ending::Exited(0), "{ran:?}");
    assert_eq!(ran.calls, None);
}

#[test]
fn a_module_s_calls_are_counted_and_recorded_with_their_arguments() {
    let ran = run(&module(&fixtures::make_and_tell()), &[]);
    assert_eq!(
        (ran.ending.clone(), ran.stdout.as_str()),
        (Ending::Exited(0), "made\n")
    );
    for call in [Call::FileOpen, Call::FileWrite, Call::StreamWrite] {
        assert_eq!(counts(&ran, call), [1, 0, 0, 0], "{call}: {ran:?}");
    }
    assert_eq!((audit(&ran).total(), audit(&ran).records_left_off), (3, 0));
    assert_eq!(arguments(&ran, Call::FileOpen), [b"/work/out.txt"]);
    assert_eq!(arguments(&ran, Call::FileWrite), [b"/work/out.txt"]);
    let times = audit(&ran)
        .records
        .iter()
        .map(|record| record.since_start_us);
    assert!(times.is_sorted(), "{ran:?}");
}

#[test]
fn a_component_s_calls_are_counted_and_recorded_with_their_arguments() {
    let ran = run(&component(&fixtures::open_component(NO_ERROR)), &[]);
    assert_eq!(ran.ending, Ending::Exited(0), "{ran:?}");
    for call in [
        Call::FileOpen,
        Call::FileWrite,
        Call::ClockRead,
        Call::HostOther,
    ] {
        assert_eq!(counts(&ran, call), [1, 0, 0, 0], "{call}: {ran:?}");
    }
    assert_eq!(audit(&ran).total(), 4);
    assert_eq!(arguments(&ran, Call::FileOpen), [b"/work/out.txt"]);
    assert_eq!(arguments(&ran, Call::FileWrite), [b"/work/out.txt"]);
}

#[test]
fn a_call_is_denied_with_the_error_of_the_rule() {
    for (name, (errno, code)) in [("ENOSPC", NO_SPACE), ("EROFS", READ_ONLY)] {
        let rule = format!("deny={name} file.open /work/*.txt");
        let ran = run(&module(&fixtures::make_and_tell()), &[&rule]);
        assert_eq!(ran.ending, Ending::Exited(errno), "{ran:?}");
        assert_eq!(ran.stdout, "");
        assert_eq!(counts(&ran, Call::FileOpen), [0, 1, 0, 0]);
        assert_eq!(audit(&ran).records[0].verdict, format!("deny={name}"));

        let ran = run(&component(&fixtures::open_component(code)), &[&rule]);
        assert_eq!(ran.ending, Ending::Exited(0), "{ran:?}");
        assert_eq!(counts(&ran, Call::FileOpen), [0, 1, 0, 0]);
        assert_eq!(counts(&ran, Call::FileWrite), [0, 0, 0, 0]);
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let rules = [
        "allow file.open /work/out.txt",
        "deny=EACCES file.open",
        "deny=EIO after=1 file.write",
    ];
    for program in [
        module(&fixtures::make_and_tell()),
        component(&fixtures::open_component(NO_ERROR)),
    ] {
        let ran = run(&program, &rules);
        assert_eq!(ran.ending, Ending::Exited(0), "{ran:?}");
    }
}

#[test]
fn a_call_is_delayed_and_made() {
    for program in [
        module(&fixtures::make_and_tell()),
        component(&fixtures::open_component(NO_ERROR)),
    ] {
        let ran = run(
            &program,
            &["delay=150ms file.open", "delay=100ms file.write"],
        );
        assert_eq!(ran.ending, Ending::Exited(0), "{ran:?}");
        assert!(ran.usage.wall_time_us >= 250_000, "{ran:?}");
        // What it waited for is no time of the processor's.
        let both_us = ran.usage.cpu_time_us + 250_000;
        assert!(both_us <= ran.usage.wall_time_us, "{ran:?}");
        assert_eq!(counts(&ran, Call::FileOpen), [0, 0, 1, 0]);
        assert_eq!(counts(&ran, Call::FileWrite), [0, 0, 1, 0]);
    }
}

#[test]
fn a_delay_ends_with_the_time_of_the_program() {
    // The time for compiling it is bounded by the same limit.
    let short = Limits {
        wall_time_ms: 2_000,
        ..limits()
    };
    let delayed = ruled(module(&fixtures::make_and_tell()), &["delay=60s file.open"]);
    let ran = run_job(delayed, short).unwrap();
    assert_eq!(ran.limit, Some(atoll_types::LimitName::WallTime), "{ran:?}");
    assert!(ran.usage.wall_time_us < 30_000_000, "{ran:?}");
    assert_eq!(counts(&ran, Call::FileOpen), [0, 0, 1, 0]);
}

#[test]
fn a_trap_is_a_violation_with_the_call_in_it() {
    for program in [
        module(&fixtures::make_and_tell()),
        component(&fixtures::open_component(NO_ERROR)),
    ] {
        let ran = run(&program, &["trap file.write /work/**"]);
        let says = "it made the call file.write /work/out.txt, for which a rule for calls ends \
                    programs";
        assert_eq!(ran.ending, Ending::Violated(says.to_owned()), "{ran:?}");
        assert_eq!(
            (ran.limit, ran.stdout.as_str(), ran.stderr.as_str()),
            (None, "", "")
        );
        assert_eq!(counts(&ran, Call::FileOpen), [1, 0, 0, 0]);
        assert_eq!(counts(&ran, Call::FileWrite), [0, 0, 0, 1]);
    }
}

/// The first thousand calls are recorded, and all are counted, whatever a guest does.
#[test]
fn a_million_calls_are_counted_and_no_more_is_kept_than_fits() {
    const TIMES: u32 = 1_000_000;
    const OPEN_EVERY: u32 = 500;
    let generous = Limits {
        wall_time_ms: 60_000,
        cpu_time_ms: 60_000,
        ..limits()
    };
    let program = module(&fixtures::call_often(TIMES, OPEN_EVERY, 400_000));
    let rules = [
        "deny=EIO after=400000 clock.read",
        "deny=EACCES file.open /work/a*",
    ];
    let ran = run_job(ruled(program, &rules), generous).unwrap();
    assert_eq!(
        ran.ending,
        Ending::Exited(0),
        "{:?} {}",
        ran.ending,
        ran.stderr
    );
    assert_eq!(counts(&ran, Call::ClockRead), [400_000, 600_000, 0, 0]);
    assert_eq!(counts(&ran, Call::FileOpen), [0, 2000, 0, 0]);
    let audit = audit(&ran);
    assert_eq!((audit.total(), audit.records.len()), (1_002_000, 1000));
    assert_eq!(audit.records_left_off, 1_001_000);
    let longest = arguments(&ran, Call::FileOpen)
        .into_iter()
        .map(|path| path.len());
    assert_eq!(longest.max(), Some(CallRecord::ARGUMENT_BYTES_MAX));
    // What is recorded counts as the guest's memory, beside its three pages.
    let memory = ran.usage.memory_peak_bytes;
    assert!(
        (3 * 65536..3 * 65536 + 500_000).contains(&memory),
        "{memory}"
    );
}

/// Rules of one message are not those of the others in the same worker.
#[test]
fn rules_are_those_of_one_message() {
    block_on(async {
        let backend = WasmBackend::new();
        let everybody = tenant("a");
        let program = module(&fixtures::make_and_tell());
        let mut going = Vec::new();
        for number in 0..30 {
            let job = match number % 3 {
                0 => job(program.clone()),
                1 => ruled(program.clone(), &["deny=EROFS file.open"]),
                _ => ruled(program.clone(), &["delay=20ms file.*"]),
            };
            going.push(Going::start(&backend, job, &everybody).await);
        }
        for (number, one) in going.into_iter().enumerate() {
            let ran = one.end().await;
            let (code, said) = match number % 3 {
                1 => (READ_ONLY.0, ""),
                _ => (0, "made\n"),
            };
            assert_eq!(ran.ending, Ending::Exited(code), "{number}: {ran:?}");
            assert_eq!(ran.stdout, said, "{number}");
            assert_eq!(ran.calls.is_some(), number % 3 != 0, "{number}");
        }
        in_time(backend.close()).await;
    });
}

#[test]
fn a_message_that_is_stopped_while_it_is_delayed_has_an_audit() {
    block_on(async {
        let backend = WasmBackend::new();
        let everybody = tenant("a");
        let slow = ruled(module(&fixtures::make_and_tell()), &["delay=30s file.open"]);
        let mut one = Going::start(&backend, slow, &everybody).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        one.sandbox.stop();
        let ran = one.end().await;
        assert_eq!(ran.ending, Ending::Signalled(9), "{ran:?}");
        assert_eq!(counts(&ran, Call::FileOpen), [0, 0, 1, 0]);
        in_time(backend.close()).await;
    });
}

const SCRIPT: &str = "
import errno
try:
    with open('out.txt', 'w') as file:
        file.write('kept')
    print('made')
except OSError as error:
    print(errno.errorcode[error.errno])
";

/// An instance of an interpreter that has waited knows no rules until it has a message.
#[test]
fn a_script_is_held_to_its_rules_in_an_instance_that_has_waited() {
    let backend = WasmBackend::new();
    if let Err(why) = backend.supports(ProgramKind::Python) {
        println!("left out: {why}");
        return;
    }
    block_on(async {
        let everybody = tenant("a");
        let script = || {
            let mut script = program(ProgramKind::Python, SCRIPT.into());
            script.name = "script.py".to_owned();
            script
        };
        for turn in 0..4 {
            let rules = &["deny=EROFS file.open /work/out.txt"];
            for (job, said) in [
                (job(script()), "made\n"),
                (ruled(script(), rules), "EROFS\n"),
                (ruled(script(), &["delay=5ms file.write"]), "made\n"),
            ] {
                let is_ruled = !job.calls.is_empty();
                let ran = Going::start(&backend, job, &everybody).await.end().await;
                assert_eq!(ran.ending, Ending::Exited(0), "{turn}: {ran:?}");
                assert_eq!(ran.stdout, said, "{turn}: {ran:?}");
                assert_eq!(ran.calls.is_some(), is_ruled);
                let opened = said == "made\n";
                if is_ruled {
                    // It also looks for modules in the directory.
                    let denied = counts(&ran, Call::FileOpen)[1];
                    assert_eq!(denied, u64::from(!opened), "{turn}: {ran:?}");
                    assert_eq!(
                        counts(&ran, Call::FileWrite)[2] > 0,
                        opened,
                        "{turn}: {ran:?}"
                    );
                }
            }
            // More get ready to wait.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        in_time(backend.close()).await;
    });
}
