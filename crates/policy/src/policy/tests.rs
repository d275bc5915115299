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
    let obscure = ("obscure-script-from-strangers".to_owned(), Level::Gvisor);
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

/// A message on a host whose interpreters on WebAssembly suit it.
fn suited(policy: &Policy, kind: ProgramKind, tenant: &str) -> Sent {
    let mut sent = Sent::by(policy, program(kind), tenant, Origin::CommandLine);
    sent.profile.cpu_demand.quantiles.p50 = 20_000;
    sent.host.lacks = "";
    sent.host.is_compiled = true;
    sent
}

#[test]
fn plain_scripts_of_strangers_run_on_webassembly_where_they_find_the_same() {
    use ProgramKind::{JavaScript, Native, Python, Shell};
    let policy = default_policy();
    let plain = ("plain-script-from-strangers".to_owned(), Level::Instance);
    let script = ("script".to_owned(), Level::Process);
    for kind in [Python, JavaScript] {
        assert_eq!(decided(&suited(&policy, kind, "stranger")), plain, "{kind}");
        // Who is known has no reason to wait longer.
        assert_eq!(decided(&suited(&policy, kind, "local")), script, "{kind}");
    }
    assert_eq!(decided(&suited(&policy, Shell, "stranger")), script);
    assert_ne!(decided(&suited(&policy, Native, "stranger")), plain);
    let but = |change: &dyn Fn(&mut Sent)| {
        let mut sent = suited(&policy, Python, "stranger");
        change(&mut sent);
        decided(&sent)
    };
    assert_eq!(but(&|sent| sent.host.lacks = "imports numpy"), script);
    assert_eq!(but(&|sent| sent.host.differs = "says hash"), script);
    assert_eq!(but(&|sent| sent.host.is_compiled = false), script);
    let computes = |p50, p99| {
        but(&|sent| {
            sent.profile.cpu_demand.quantiles.p50 = p50;
            sent.profile.cpu_demand.quantiles.p99 = p99;
        })
    };
    assert_eq!(computes(100_000, 2_000_000), plain);
    assert_eq!(computes(100_001, 2_000_000), script);
    assert_eq!(computes(100_000, 2_000_001), script);
    let doubtful = but(&|sent| sent.risk.score = 0.5);
    assert_eq!(doubtful, ("doubtful-sender".to_owned(), Level::Process));
}

#[test]
fn javascript_runs_on_webassembly_where_an_interpreter_waits() {
    let policy = default_policy();
    let mut sent = suited(&policy, ProgramKind::JavaScript, "local");
    sent.host.keeps_ready = true;
    let decision = policy.decide(&sent.input()).unwrap();
    assert_eq!(decision.rule, "cheap-javascript");
    assert_eq!(decision.level, Level::Instance);
    // Nobody else's messages are in the same worker.
    assert_eq!(decision.sharing, Sharing::Tenant);
    sent.analysis.kind = ProgramKind::Python;
    assert_eq!(decided(&sent).0, "script");
}

#[test]
fn scripts_that_hide_what_they_reach_go_up_where_they_can() {
    let policy = default_policy();
    let mut sent = Sent::new(&policy, able(ProgramKind::Python, &[Capability::Processes]));
    assert_eq!(decided(&sent).0, "script");
    sent.analysis.disguised = ["os.system".to_owned()].into();
    let disguised = |level| ("disguised-script".to_owned(), level);
    assert_eq!(decided(&sent), disguised(Level::Gvisor));
    sent.host.levels = [Level::Process, Level::Vm].into();
    assert_eq!(decided(&sent), disguised(Level::Vm));
    // It still runs where there is neither, and the decision says so.
    sent.host.levels = [Level::Instance, Level::Process].into();
    assert_eq!(decided(&sent), disguised(Level::Process));
    let reasons = policy.decide(&sent.input()).unwrap().reasons;
    let says = |reason: &atoll_types::Reason| reason.text.contains("has neither `gvisor` nor");
    assert!(reasons.iter().any(says), "{reasons:?}");
    // A name alone is harmless.
    sent.analysis.capabilities = [Capability::Time].into();
    assert_eq!(decided(&sent).0, "script");
}

#[test]
fn dangerous_combinations_of_strangers_go_up_where_they_can() {
    use Capability::{DynamicCode, Network, Processes, UnsafeDeserialization};
    let policy = default_policy();
    for (capabilities, flags) in [
        (
            [Network, DynamicCode],
            ["network", "network-and-dynamic-code"],
        ),
        ([Network, Processes], ["network", "processes"]),
        (
            [Network, UnsafeDeserialization],
            ["network", "network-and-unsafe-deserialization"],
        ),
    ] {
        let by = |tenant| {
            let analysis = able(ProgramKind::Python, &capabilities);
            let mut sent = Sent::by(&policy, analysis, tenant, Origin::CommandLine);
            sent.profile.security_flags = flags
                .map(|name| atoll_types::SecurityFlag {
                    name: name.to_owned(),
                    capabilities: capabilities.into(),
                    because: "it could".to_owned(),
                })
                .into();
            decided(&sent)
        };
        let (rule, level) = by("stranger");
        assert_eq!(rule, "dangerous-script-from-strangers");
        assert_eq!(level, Level::Gvisor);
        assert_eq!(by("local").0, "script", "{flags:?}");
    }
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
    assert_eq!(rules.len(), 13);
    assert_eq!(rules[0].id, "dangerous-sender");
    assert_eq!(rules[0].when, Some("risk.score >= 0.8"));
    assert_eq!(rules[12].effect, "refuse the message");
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
