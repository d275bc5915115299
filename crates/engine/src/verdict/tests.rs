use atoll_types::Usage;
use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits {
    wall_time_ms: 1,
    cpu_time_ms: 2,
    cpu_percent: 100,
    memory_bytes: 3,
    processes: 4,
    disk_bytes: 5,
    disk_files: 6,
    output_bytes: 7,
    open_files: 8,
};

fn watched(cause: Cause, ending: Option<Ending>) -> Watched {
    Watched {
        cause,
        ending,
        usage: Usage::default(),
        stdout: Vec::new(),
        stderr: Vec::new(),
        truncated: false,
    }
}

fn of(cause: Cause, ending: Option<Ending>) -> Verdict {
    judge(&watched(cause, ending), &LIMITS)
}

fn endings() -> Vec<Option<Ending>> {
    vec![
        None,
        Some(Ending::Exited(0)),
        Some(Ending::Exited(1)),
        Some(Ending::Signalled(9)),
        Some(Ending::Trapped("unreachable".to_owned())),
        Some(Ending::Violated("it made the call file.open".to_owned())),
        Some(Ending::Lost("gone".to_owned())),
    ]
}

#[test]
fn a_limit_wins_over_every_ending() {
    for name in LimitName::ALL {
        for ending in endings() {
            let verdict = of(Cause::Limit(name), ending);
            assert_eq!(verdict.status, Status::Limit);
            let value = LIMITS.value(name);
            assert_eq!(verdict.limit, Some(LimitHit { name, value }));
            assert_eq!(verdict.events, [EventKind::Limit(name)]);
            assert!(verdict.reason.unwrap().contains(&value.to_string()));
        }
    }
}

#[test]
fn a_run_that_was_cut_short_counts_against_nobody() {
    for ending in endings() {
        for (cause, cut) in [
            (Cause::Stopped, CutShort::Interrupted),
            (Cause::OutputClosed, CutShort::OutputClosed),
        ] {
            let verdict = of(cause, ending.clone());
            assert_eq!(verdict.status, Status::Failed);
            assert_eq!(verdict.cut_short, Some(cut));
            assert_eq!(verdict.events, []);
        }
    }
}

#[test]
fn an_exit_is_an_exit_whatever_its_code() {
    for code in [0, 1, 124, 125, 126, 255] {
        let verdict = of(Cause::Ended, Some(Ending::Exited(code)));
        assert_eq!(verdict.status, Status::Exited);
        assert_eq!(verdict.exit_code, Some(code));
        assert_eq!(verdict.reason, None);
        assert_eq!(verdict.events, []);
    }
}

#[test]
fn a_forbidden_system_call_is_a_violation() {
    let verdict = of(Cause::Ended, Some(Ending::Signalled(31)));
    assert_eq!(verdict.status, Status::Signalled);
    assert_eq!(verdict.signal, Some(31));
    assert_eq!(verdict.events, [EventKind::Violation]);
}

#[test]
fn a_call_that_a_rule_traps_is_a_violation() {
    let made = "it made the call program.execute /bin/sh";
    let verdict = of(Cause::Ended, Some(Ending::Violated(made.to_owned())));
    assert_eq!(verdict.status, Status::Signalled);
    assert_eq!((verdict.signal, verdict.exit_code), (None, None));
    assert_eq!(verdict.events, [EventKind::Violation]);
    assert_eq!(verdict.reason.as_deref(), Some(made));
}

#[test]
fn the_kernels_own_limits_are_limits() {
    let cpu = of(Cause::Ended, Some(Ending::Signalled(24)));
    assert_eq!(cpu.limit.unwrap().name, LimitName::CpuTime);
    let disk = of(Cause::Ended, Some(Ending::Signalled(25)));
    assert_eq!(disk.limit.unwrap().name, LimitName::Disk);
}

#[test]
fn a_trap_and_a_lost_sandbox_are_crashes() {
    let trap = of(
        Cause::Ended,
        Some(Ending::Trapped("unreachable".to_owned())),
    );
    assert_eq!(trap.status, Status::Signalled);
    assert_eq!(trap.signal, None);
    assert_eq!(trap.events, [EventKind::Crash]);
    let lost = of(Cause::Ended, Some(Ending::Lost("gone".to_owned())));
    assert_eq!(lost.status, Status::Failed);
    assert_eq!(lost.events, [EventKind::Crash]);
    let unseen = of(Cause::Ended, None);
    assert_eq!(unseen.status, Status::Failed);
    assert_eq!(unseen.events, [EventKind::Crash]);
}

proptest! {
    #[test]
    fn any_other_signal_is_a_crash(signal in 1_i32..65) {
        prop_assume!(![24, 25, 31].contains(&signal));
        let verdict = of(Cause::Ended, Some(Ending::Signalled(signal)));
        prop_assert_eq!(verdict.status, Status::Signalled);
        prop_assert_eq!(verdict.signal, Some(signal));
        prop_assert_eq!(verdict.events, [EventKind::Crash]);
        prop_assert!(verdict.reason.unwrap().contains(&signal.to_string()));
    }
}
