//! What the default policy decides, message by message; and whom it trusts.

use atoll_types::calls::Call;
use atoll_types::{Capability, Event, ExecutionClass, LimitName, Origin, ProgramHash, ProgramKind};

use super::*;
use crate::facts::Name;
use crate::limits::{LimitKey, Measure};
use crate::testing::{NOW, Sent, able, policy, program};

fn default_policy() -> Policy {
    policy(Policy::builtin())
}

/// The rule and the level of a message under the default policy.
fn decided(sent: &Sent) -> (String, Level) {
    let decision = default_policy().decide(&sent.input()).unwrap();
    assert_eq!(decision.sharing, Sharing::Message);
    (decision.rule, decision.level)
}

/// What the tenant `local` at the command line gets for a program, on its first day.
fn local(kind: ProgramKind, capabilities: &[Capability]) -> (String, Level) {
    decided(&Sent::new(&default_policy(), able(kind, capabilities)))
}

fn event(kind: EventKind) -> Event {
    Event {
        kind,
        unix_ms: NOW - 60_000,
        program: ProgramHash::of(b"program"),
        by_tenant: true,
    }
}

fn history(messages: u64, events: Vec<Event>) -> SenderHistory {
    SenderHistory {
        messages,
        program_messages: messages,
        program_messages_anyone: messages,
        events,
        arrivals_unix_ms: Vec::new(),
    }
}

#[test]
fn the_operator_can_run_honest_programs_of_every_kind() {
    use Capability::{FilesRead, FilesWrite, Network, Threads};
    let script = ("script".to_owned(), Level::Process);
    assert_eq!(local(ProgramKind::Python, &[FilesRead, FilesWrite]), script);
    assert_eq!(
        local(ProgramKind::JavaScript, &[FilesRead, Network]),
        script
    );
    assert_eq!(
        local(ProgramKind::Shell, &[FilesRead, Capability::Processes]),
        script
    );
    let native = ("native".to_owned(), Level::Process);
    assert_eq!(
        local(ProgramKind::Native, &[Threads, Capability::NativeCode]),
        native
    );
    let wasm = ("wasm".to_owned(), Level::Instance);
    assert_eq!(local(ProgramKind::WasmModule, &[FilesRead]), wasm);
    assert_eq!(local(ProgramKind::WasmComponent, &[]), wasm);
    let obscure = ("wasm-doubtful".to_owned(), Level::Instance);
    assert_eq!(
        local(ProgramKind::WasmModule, &[Capability::Unanalyzed]),
        obscure
    );
}

#[test]
fn the_operator_can_run_hostile_programs_in_a_jail() {
    use Capability::{
        DynamicCode, Environment, FilesRead, FilesWrite, Introspection, NativeCode, Network,
        Processes, SystemChange, SystemInformation, Unanalyzed,
    };
    let escape = [
        FilesRead,
        FilesWrite,
        Network,
        Processes,
        Environment,
        SystemInformation,
        Introspection,
        DynamicCode,
    ];
    let hostile: [(ProgramKind, &[Capability]); 7] = [
        // Endless loop, memory hog, fork bomb.
        (ProgramKind::Python, &[]),
        (ProgramKind::Python, &[Unanalyzed]),
        (ProgramKind::Shell, &[Processes, Unanalyzed]),
        (ProgramKind::Native, &[Processes, NativeCode, Unanalyzed]),
        // Attempts to read the host's files and to reach the network.
        (ProgramKind::Python, &escape),
        (
            ProgramKind::Native,
            &[SystemChange, Network, FilesRead, NativeCode, Unanalyzed],
        ),
        (ProgramKind::Python, &Capability::ALL),
    ];
    for (kind, capabilities) in hostile {
        let (rule, level) = local(kind, capabilities);
        assert_eq!(level, Level::Process, "{kind} {capabilities:?}: {rule}");
    }
}

#[test]
fn a_history_of_limits_still_lets_the_operator_run() {
    let policy = default_policy();
    let hits: Vec<Event> = [
        LimitName::CpuTime,
        LimitName::Memory,
        LimitName::Processes,
        LimitName::Output,
    ]
    .into_iter()
    .cycle()
    .take(200)
    .map(|name| event(EventKind::Limit(name)))
    .collect();
    let mut bomb = able(ProgramKind::Shell, &[Capability::Processes]);
    bomb.execution_class = ExecutionClass::Unbounded;
    let sent = Sent::after(
        &policy,
        bomb,
        "local",
        Origin::CommandLine,
        history(300, hits),
    );
    assert_eq!(
        decided(&sent),
        ("doubtful-sender".to_owned(), Level::Process)
    );
}

#[test]
fn a_tenant_with_repeated_violations_climbs_to_a_virtual_machine() {
    let policy = default_policy();
    let level_after = |violations: usize| {
        let events = vec![event(EventKind::Violation); violations];
        let script = program(ProgramKind::Python);
        let history = history(50, events);
        decided(&Sent::after(
            &policy,
            script,
            "local",
            Origin::CommandLine,
            history,
        ))
    };
    assert_eq!(level_after(0).0, "script");
    assert_eq!(level_after(2).0, "doubtful-sender");
    assert_eq!(level_after(4), ("dangerous-sender".to_owned(), Level::Vm));
}

#[test]
fn strangers_get_less() {
    let policy = default_policy();
    let sent = |kind, capabilities: &[Capability], origin| {
        decided(&Sent::by(
            &policy,
            able(kind, capabilities),
            "stranger",
            origin,
        ))
    };
    let own_kernel = ("native-from-strangers".to_owned(), Level::Gvisor);
    assert_eq!(sent(ProgramKind::Native, &[], Origin::Api), own_kernel);
    assert_eq!(
        sent(ProgramKind::Native, &[], Origin::CommandLine),
        own_kernel
    );
    let obscure = ("obscure-script-from-strangers".to_owned(), Level::Process);
    assert_eq!(
        sent(ProgramKind::Shell, &[Capability::Unanalyzed], Origin::Api),
        obscure
    );
    assert_eq!(sent(ProgramKind::Python, &[], Origin::Api).0, "script");
    assert_eq!(
        sent(ProgramKind::Python, &[], Origin::Anonymous).0,
        "doubtful-sender"
    );
    assert_eq!(
        sent(ProgramKind::WasmModule, &[], Origin::Anonymous),
        ("wasm-doubtful".to_owned(), Level::Instance)
    );
    // Even a known name proves nothing when nobody vouches for the caller.
    let anonymous = Sent::by(
        &policy,
        program(ProgramKind::Native),
        "local",
        Origin::Anonymous,
    );
    assert_eq!(decided(&anonymous), own_kernel);
}

#[test]
fn honest_programs_have_room() {
    let policy = default_policy();
    let sent = Sent::new(&policy, program(ProgramKind::JavaScript));
    let limits = policy.decide(&sent.input()).unwrap().limits;
    assert_eq!((limits.wall_time_ms, limits.cpu_time_ms), (10_000, 10_000));
    assert_eq!((limits.cpu_percent, limits.processes), (100, 64));
    assert!((256 << 20..=512 << 20).contains(&limits.memory_bytes));
    assert_eq!((limits.disk_bytes, limits.disk_files), (256 << 20, 10_000));
    assert_eq!((limits.output_bytes, limits.open_files), (16 << 20, 256));
}

#[test]
fn tenants_earn_being_known_by_ten_messages_without_trouble() {
    let policy = default_policy();
    let trust = |messages, events| {
        let tenant = TenantId::new("new").unwrap();
        policy.trust(&tenant, &history(messages, events))
    };
    let limit = || event(EventKind::Limit(LimitName::Memory));
    assert_eq!(trust(0, vec![]), Trust::Unknown);
    assert_eq!(trust(9, vec![]), Trust::Unknown);
    assert_eq!(trust(10, vec![]), Trust::Known);
    assert_eq!(trust(10, vec![limit()]), Trust::Unknown);
    assert_eq!(trust(11, vec![limit()]), Trust::Known);
    assert_eq!(
        trust(100_000, vec![event(EventKind::Violation)]),
        Trust::Unknown
    );
    let foreign = Event {
        by_tenant: false,
        ..event(EventKind::Violation)
    };
    assert_eq!(trust(10, vec![foreign]), Trust::Known);
    let local = TenantId::new("local").unwrap();
    assert_eq!(
        policy.trust(&local, &SenderHistory::default()),
        Trust::Known
    );
}

#[test]
fn rules_can_be_listed() {
    let policy = default_policy();
    let rules: Vec<RuleSummary<'_>> = policy.rules().collect();
    assert_eq!(rules.len(), 9);
    assert_eq!(rules[0].id, "dangerous-sender");
    assert_eq!(rules[0].when, Some("risk.score >= 0.8"));
    assert_eq!(rules[8].effect, "refuse the message");
    let tenants: Vec<_> = policy
        .tenants()
        .map(|(id, trust)| (id.as_str(), trust))
        .collect();
    assert_eq!(tenants, [("local", Trust::Known)]);
}

/// The documentation is checked against the code, so that neither gains or loses a name alone.
#[test]
fn the_documentation_names_everything() {
    let text = include_str!("../../../../docs/policy.md");
    for name in Name::all() {
        assert!(
            text.contains(&format!("| `{}` |", name.text)),
            "{}",
            name.text
        );
    }
    let documented = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .filter(|(name, _)| name.contains('.'));
    for (name, _) in documented {
        assert!(Name::find(name).is_some(), "{name}");
    }
    for call in Call::ALL {
        assert!(text.contains(&format!("`{call}`")), "{call}");
    }
    let policy = default_policy();
    for rule in policy.rules() {
        assert!(text.contains(&format!("| `{}` |", rule.id)), "{}", rule.id);
    }
    for key in LimitKey::ALL {
        let example = match key.measure() {
            Measure::Duration => "\"10s\"",
            Measure::Size => "MiB\"",
            Measure::Count => "",
        };
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", key.key())));
        assert!(row.is_some_and(|row| row.contains(example)), "{key:?}");
    }
}

/// Every example in the documentation works: policies without findings, conditions that compile.
#[test]
fn the_documented_examples_work() {
    let text = include_str!("../../../../docs/policy.md");
    let blocks = |language: &str| -> Vec<&str> {
        text.split(&format!("```{language}\n"))
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .collect()
    };
    for example in blocks("toml") {
        let rest = "[[rule]]\nid = \"r\"\nbecause = \"x\"\nset.deny = true\n";
        let whole = if example.contains("[[rule]]") {
            ""
        } else {
            rest
        };
        assert_eq!(check(&format!("{example}\n{whole}")), [], "{example}");
    }
    let conditions: Vec<&str> = blocks("text").into_iter().flat_map(str::lines).collect();
    assert_eq!(conditions.len(), 4);
    for condition in conditions {
        assert!(Condition::compile(condition).is_ok(), "{condition}");
    }
}
