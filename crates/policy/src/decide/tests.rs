use atoll_types::{
    Capability, Confidence, ExecutionClass, Profile, ProfileSource, ProgramKind, Quantiles,
    ResourceEstimate,
};
use proptest::prelude::*;

use super::*;
use crate::testing::{Sent, able, policy, profile, program};

const MIB: u64 = 1 << 20;

fn with_rule(rest: &str) -> Policy {
    policy(&format!(
        "[[rule]]\nid = \"only\"\nbecause = \"it is the only rule\"\n{rest}\n"
    ))
}

fn decide(policy: &Policy, request: Request) -> Decision {
    let mut sent = Sent::new(policy, program(ProgramKind::Python));
    sent.request = request;
    policy.decide(&sent.input()).unwrap()
}

fn texts<'d>(decision: &'d Decision, from: &str) -> Vec<&'d str> {
    decision
        .reasons
        .iter()
        .filter(|reason| reason.from == from)
        .map(|reason| reason.text.as_str())
        .collect()
}

fn level(level: Level) -> Request {
    Request {
        level: Some(level),
        ..Request::default()
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let policy = policy(
        r#"
        [[rule]]
        id = "shell"
        when = "analysis.kind == 'shell'"
        because = "a"
        set.level = "vm"
        [[rule]]
        id = "python"
        when = "analysis.kind == 'python'"
        because = "b"
        set.level = "process"
        [[rule]]
        id = "rest"
        because = "c"
        set.level = "gvisor"
        "#,
    );
    let decided = |kind| {
        let decision = policy
            .decide(&Sent::new(&policy, program(kind)).input())
            .unwrap();
        (decision.rule.clone(), decision.level)
    };
    assert_eq!(decided(ProgramKind::Shell), ("shell".into(), Level::Vm));
    assert_eq!(
        decided(ProgramKind::Python),
        ("python".into(), Level::Process)
    );
    assert_eq!(decided(ProgramKind::Native), ("rest".into(), Level::Gvisor));
    let decision = decide(&policy, Request::default());
    assert_eq!(
        texts(&decision, "rule"),
        ["b", "rule `python` matches: the program's kind is `python`"]
    );
    assert_eq!(
        (decision.sharing, decision.messages_max),
        (Sharing::Message, 1)
    );
    assert_eq!(decision.network, []);
}

#[test]
fn what_cannot_be_judged_is_denied() {
    let broken = policy(
        r#"
        [[rule]]
        id = "broken"
        when = "1 / (analysis.loops - analysis.loops) > 0"
        because = "a"
        set.level = "vm"
        [[rule]]
        id = "rest"
        because = "b"
        set.level = "process"
        "#,
    );
    let sent = Sent::new(&broken, program(ProgramKind::Python));
    let denied = broken.decide(&sent.input()).unwrap_err();
    assert_eq!(denied.rule, "broken");
    assert!(
        denied.reasons[0].text.contains("rule `broken`"),
        "{denied:?}"
    );

    let partial = with_rule("when = \"analysis.kind == 'shell'\"\nset.level = \"process\"");
    let denied = partial.decide(&sent.input()).unwrap_err();
    assert_eq!(denied.rule, Denied::NO_RULE);
    assert!(
        denied.reasons[0]
            .text
            .contains("no rule of the policy matches")
    );

    let refusing = with_rule("set.deny = true");
    let denied = refusing.decide(&sent.input()).unwrap_err();
    assert_eq!(denied.rule, "only");
    assert_eq!(denied.reasons[0].text, "it is the only rule");
}

#[test]
fn memory_is_cut_to_the_prediction() {
    let policy = policy(Policy::builtin());
    let memory = |p99: u64| {
        let mut sent = Sent::new(&policy, program(ProgramKind::Python));
        sent.profile = profile(p99);
        let decision = policy.decide(&sent.input()).unwrap();
        let because = texts(&decision, "limit")[0].to_owned();
        (decision.limits.memory_bytes / MIB, because)
    };
    assert_eq!(
        memory(100 * MIB),
        (
            400,
            "memory 400 MiB: 4 times the predicted p99 of 100 MiB".into()
        )
    );
    assert_eq!(
        memory(10 * MIB),
        (
            256,
            "memory 256 MiB: 4 times the predicted p99 of 10 MiB, \
             raised to the least the policy gives"
                .into()
        )
    );
    assert_eq!(
        memory(u64::MAX).0,
        512,
        "a prediction beyond all bounds is held to the most"
    );
}

#[test]
fn every_predicted_limit_follows_its_own_estimate() {
    let policy = with_rule(
        r#"
        set.level = "process"
        set.limits.wall_time = { from = "profile", times = 10, min = "1s", max = "1h" }
        set.limits.cpu_time = { from = "profile", times = 2, min = "1ms", max = "1h" }
        set.limits.disk = { from = "profile", times = 3, min = "1MiB", max = "1GiB" }
        set.limits.output = { from = "profile", times = 0.5, min = "1MiB", max = "1GiB" }
        "#,
    );
    let decision = decide(&policy, Request::default());
    // The profile predicts 400 ms of CPU time and 4 MiB of input and output.
    assert_eq!(decision.limits.wall_time_ms, 4000);
    assert_eq!(decision.limits.cpu_time_ms, 800);
    assert_eq!(decision.limits.disk_bytes, 12 * MIB);
    assert_eq!(decision.limits.output_bytes, 2 * MIB);
    assert_eq!(
        texts(&decision, "limit")[0],
        "wall time 4 s: 10 times the predicted p99 of 400 ms"
    );
}

#[test]
fn limits_say_where_they_come_from() {
    let policy = with_rule("set.level = \"process\"\nset.limits.processes = 9");
    let decision = decide(&policy, Request::default());
    assert_eq!(decision.limits.processes, 9);
    assert_eq!(
        texts(&decision, "limit")[1..],
        [
            "processes 9, set by the rule",
            "wall time 10 s, CPU time 10 s, CPU share in percent of a core 100, disk 256 MiB, \
             files on disk 10000, output 16 MiB, open files 256, the policy's defaults",
        ]
    );
}

#[test]
fn a_request_may_strengthen_the_level_but_not_weaken_it() {
    let strict = with_rule("set.level = \"process\"");
    assert_eq!(decide(&strict, level(Level::Vm)).level, Level::Vm);
    assert_eq!(decide(&strict, level(Level::Process)).level, Level::Process);
    let kept = decide(&strict, level(Level::Instance));
    assert_eq!(kept.level, Level::Process);
    assert_eq!(
        texts(&kept, "request"),
        [
            "level `instance` was asked for, but it is weaker than `process`; a request may only \
          strengthen the level, so it stays"
        ]
    );
    let lenient = with_rule("set.level = \"process\"\nset.allow_weaker_level = true");
    assert_eq!(
        decide(&lenient, level(Level::Instance)).level,
        Level::Instance
    );
}

#[test]
fn layers_may_be_missing_only_where_the_policy_names_them() {
    let accepted = |rest: &str, defaults: &str| {
        let rule = "[[rule]]\nid = \"only\"\nbecause = \"b\"\nset.level = \"process\"";
        let decision = decide(
            &policy(&format!("{defaults}\n{rule}\n{rest}")),
            Request::default(),
        );
        let reason = texts(&decision, "missing").join("; ");
        (Vec::from_iter(decision.accept_missing), reason)
    };
    assert_eq!(accepted("", ""), (vec![], String::new()));
    let default = "[defaults]\naccept_missing = [\"memory-limit\", \"own-user\"]";
    assert_eq!(
        accepted("", default),
        (
            vec![Layer::OwnUser, Layer::MemoryLimit],
            "where this host cannot enforce them, it runs without own-user, memory-limit".into()
        )
    );
    let own = accepted("set.accept_missing = [\"cpu-limit\"]", default);
    assert_eq!(own.0, [Layer::CpuLimit]);
    assert_eq!(accepted("set.accept_missing = []", default).0, []);
    let shipped = decide(&policy(Policy::builtin()), Request::default());
    assert!(shipped.accept_missing.is_empty(), "{shipped:?}");
}

#[test]
fn requests_lower_limits_freely_and_raise_them_up_to_the_policy() {
    let policy = policy(Policy::builtin());
    let asked = |wall_time_ms, memory_mib: u64| {
        let request = Request {
            level: None,
            wall_time_ms: Some(wall_time_ms),
            memory_bytes: Some(memory_mib * MIB),
            ..Request::default()
        };
        let decision = decide(&policy, request);
        let reasons = texts(&decision, "request").join("; ");
        (
            decision.limits.wall_time_ms,
            decision.limits.cpu_time_ms,
            decision.limits.memory_bytes / MIB,
            reasons,
        )
    };
    assert_eq!(
        asked(2_000, 64),
        (
            2_000,
            10_000,
            64,
            "memory 64 MiB, as asked for; wall time 2 s, as asked for".into()
        )
    );
    let (wall, cpu, memory, _) = asked(60_000, 1024);
    assert_eq!((wall, cpu, memory), (60_000, 60_000, 1024));
    let (wall, cpu, memory, reasons) = asked(3_600_000, 9000);
    assert_eq!((wall, cpu, memory), (600_000, 600_000, 4096));
    assert!(reasons.contains("wall time 10 min: 1 h was asked for, and the policy allows no more"));
    let (wall, _, memory, reasons) = asked(0, 0);
    assert_eq!((wall, memory), (1, 4));
    assert!(
        reasons.contains("0 B was asked for, and a sandbox needs that much"),
        "{reasons}"
    );
}

#[test]
fn requests_cannot_raise_what_a_rule_fixed() {
    let policy = with_rule("set.level = \"process\"\nset.limits.wall_time = \"5s\"");
    let request = Request {
        wall_time_ms: Some(60_000),
        ..Request::default()
    };
    assert_eq!(decide(&policy, request).limits.wall_time_ms, 5_000);
}

#[test]
fn floors_hold_whatever_rules_and_requests_say() {
    let policy = policy(
        r#"
        [floor]
        sharing = "tenant"
        limits.wall_time = "1min"
        [tenants.local.floor]
        level = "process"
        limits = { memory = "128MiB", open_files = 64 }
        [[rule]]
        id = "only"
        because = "x"
        set = { level = "instance", sharing = "shared", messages_max = 50 }
        "#,
    );
    let request = Request {
        level: Some(Level::Instance),
        wall_time_ms: Some(600_000),
        memory_bytes: Some(1024 * MIB),
        ..Request::default()
    };
    let decision = decide(&policy, request);
    assert_eq!(decision.level, Level::Process);
    assert_eq!(
        (decision.sharing, decision.messages_max),
        (Sharing::Tenant, 50)
    );
    assert_eq!(decision.limits.wall_time_ms, 60_000);
    assert_eq!(decision.limits.memory_bytes, 128 * MIB);
    assert_eq!(decision.limits.open_files, 64);
    assert_eq!(
        texts(&decision, "floor"),
        [
            "the floor for every message tightens sharing from `shared` to `tenant`",
            "the floor for every message lowers wall time from 10 min to 1 min",
            "the floor of tenant `local` raises the level from `instance` to `process`",
            "the floor of tenant `local` lowers memory from 1 GiB to 128 MiB",
            "the floor of tenant `local` lowers open files from 256 to 64",
        ]
    );
    let stranger = Sent::by(&policy, program(ProgramKind::Python), "other", Origin::Api);
    let decision = policy.decide(&stranger.input()).unwrap();
    assert_eq!(decision.level, Level::Instance);
}

#[test]
fn tenants_never_share_a_sandbox_that_is_no_instance() {
    let policy =
        with_rule("set = { level = \"instance\", sharing = \"shared\", messages_max = 50 }");
    let decision = decide(&policy, level(Level::Process));
    assert_eq!(
        (decision.level, decision.sharing),
        (Level::Process, Sharing::Tenant)
    );
}

#[test]
fn decisions_can_be_made_on_many_threads() {
    fn shareable<T: Send + Sync>() {}
    shareable::<Policy>();
}

fn any_level() -> impl Strategy<Value = Option<Level>> {
    prop::option::of(prop::sample::select(&Level::ALL[..]))
}

#[test]
fn a_program_gets_the_system_calls_it_needs() {
    let policy = with_rule("set.level = 'process'");
    let strict = decide(&policy, Request::default());
    assert_eq!(strict.system_calls, SystemCalls::Strict);
    assert!(texts(&strict, "program")[0].starts_with("system calls `strict`: "));
    let threads = able(ProgramKind::Python, &[Capability::Threads]);
    let wide = policy.decide(&Sent::new(&policy, threads).input()).unwrap();
    assert_eq!(wide.system_calls, SystemCalls::Processes);
    let expected = "system calls `processes`: it has the capability `threads`";
    assert_eq!(texts(&wide, "program"), [expected]);
}

#[test]
fn only_a_rule_that_says_so_widens_the_system_calls_and_no_rule_gets_past_a_floor() {
    let rule = |rest: &str| format!("set.level = 'process'\n{rest}");
    let floor = "[floor]\nsystem_calls = 'strict'";
    let wide = with_rule(&rule("set.system_calls = 'processes'"));
    let decision = decide(&wide, Request::default());
    assert_eq!(decision.system_calls, SystemCalls::Processes);
    let text = "system calls `processes`, set by the rule; without it system calls `strict`";
    assert!(
        texts(&decision, "rule")
            .iter()
            .any(|reason| reason.starts_with(text))
    );
    for rest in ["", "set.system_calls = 'processes'"] {
        let policy = with_rule(&format!("{}\n{floor}", rule(rest)));
        let threads = able(ProgramKind::Python, &[Capability::Threads]);
        let decision = policy.decide(&Sent::new(&policy, threads).input()).unwrap();
        assert_eq!(decision.system_calls, SystemCalls::Strict, "{rest}");
        let text = "the floor for every message narrows the system calls from `processes` to \
                    `strict`";
        assert_eq!(texts(&decision, "floor"), [text], "{rest}");
    }
    let demanded = with_rule(&rule("set.system_calls = 'strict'"));
    let shell = Sent::new(&demanded, program(ProgramKind::Shell));
    let decision = demanded.decide(&shell.input()).unwrap();
    assert_eq!(decision.system_calls, SystemCalls::Strict);
}

/// Any quantiles, from any source.
fn any_profile() -> impl Strategy<Value = Profile> {
    let amounts = || prop::array::uniform3(any::<u64>());
    let sure = prop::sample::select(vec![Confidence::Low, Confidence::Medium, Confidence::High]);
    (amounts(), amounts(), amounts(), sure, any::<u64>()).prop_map(
        |(cpu, memory, io, confidence, runs)| {
            let estimate = |mut amounts: [u64; 3]| {
                amounts.sort_unstable();
                let [p50, p90, p99] = amounts;
                ResourceEstimate {
                    quantiles: Quantiles { p50, p90, p99 },
                    confidence,
                    source: ProfileSource::History { runs },
                }
            };
            Profile {
                cpu_demand: estimate(cpu),
                memory_footprint: estimate(memory),
                io_intensity: atoll_types::IoIntensity::without_network(
                    estimate(io),
                    estimate(io),
                    estimate(io),
                ),
                ..profile(MIB)
            }
        },
    )
}

proptest! {
    /// Whatever is asked for and predicted, the decision is usable, no weaker than the rule, unless
    /// it allows that, and inside every bound.
    #[test]
    fn decisions_stay_inside_the_policy(
        asked_level in any_level(),
        wall_time_ms: Option<u64>,
        memory_bytes: Option<u64>,
        p99: u64,
        kind in prop::sample::select(&ProgramKind::ALL[..]),
        score in 0.0..1.0,
        tenant in "local|other",
        origin in prop::sample::select(vec![Origin::CommandLine, Origin::Api, Origin::Anonymous]),
    ) {
        let policy = policy(Policy::builtin());
        let mut sent = Sent::by(&policy, program(kind), &tenant, origin);
        sent.profile = profile(p99);
        sent.risk.score = score;
        let plain = policy.decide(&sent.input()).unwrap();
        sent.request = Request {
            level: asked_level,
            wall_time_ms,
            memory_bytes,
            ..Request::default()
        };
        let asked = policy.decide(&sent.input()).unwrap();
        prop_assert_eq!(asked.limits.check(), Ok(()));
        // The one rule of the default policy that lets a request choose a weaker level.
        let may_be_weaker = plain.rule == "script";
        prop_assert!(asked.level >= plain.level || may_be_weaker);
        prop_assert!(asked.sharing >= plain.sharing);
        prop_assert!(asked.limits.wall_time_ms <= 600_000);
        prop_assert!(asked.limits.cpu_time_ms <= 600_000);
        prop_assert!(asked.limits.memory_bytes <= 4096 * MIB);
        prop_assert_eq!(asked.limits.processes, plain.limits.processes);
        if score >= 0.8 {
            prop_assert_eq!(plain.level, Level::Vm);
        }
    }

    /// A prediction comes from what programs and their senders did, so it may be what somebody
    /// wants it to be. It moves nothing of the default policy's decisions but the limit of memory,
    /// inside the bounds which the policy sets, and which of two levels runs a plain script: on
    /// WebAssembly, or where every script of the sender may run.
    #[test]
    fn no_prediction_weakens_a_decision(
        (one, other) in (any_profile(), any_profile()),
        kind in prop::sample::select(&ProgramKind::ALL[..]),
        score in 0.0..1.0,
        tenant in "local|other",
        origin in prop::sample::select(vec![Origin::CommandLine, Origin::Api, Origin::Anonymous]),
        interprets: bool,
        keeps_ready: bool,
    ) {
        let policy = policy(Policy::builtin());
        let mut sent = Sent::by(&policy, program(kind), &tenant, origin);
        if interprets {
            sent.host.lacks = "";
            sent.host.is_compiled = true;
            sent.host.keeps_ready = keeps_ready;
        }
        sent.risk.score = score;
        sent.profile = one;
        let mut first = policy.decide(&sent.input()).unwrap();
        sent.profile = other;
        let mut second = policy.decide(&sent.input()).unwrap();
        for decision in [&first, &second] {
            prop_assert!((256 * MIB..=512 * MIB).contains(&decision.limits.memory_bytes));
        }
        first.limits.memory_bytes = second.limits.memory_bytes;
        first.reasons.clone_from(&second.reasons);
        for decision in [&mut first, &mut second] {
            let on_webassembly = ["plain-script-from-strangers", "cheap-javascript"];
            if interprets && on_webassembly.contains(&decision.rule.as_str()) {
                prop_assert_eq!(decision.level, Level::Instance);
                decision.rule = "script".to_owned();
                decision.level = Level::Process;
                decision.sharing = Sharing::Message;
                decision.messages_max = 1;
            }
        }
        prop_assert_eq!(first, second);
    }

    /// A higher risk never gets a weaker level or more room.
    #[test]
    fn more_risk_never_gives_more(
        (one, other) in (0.0..1.0, 0.0..1.0),
        kind in prop::sample::select(&ProgramKind::ALL[..]),
        is_obscure: bool,
        tenant in "local|other",
        class in prop::sample::select(vec![ExecutionClass::Trivial, ExecutionClass::Unbounded]),
    ) {
        let policy = policy(Policy::builtin());
        let capabilities: &[Capability] = if is_obscure { &[Capability::Unanalyzed] } else { &[] };
        let mut analysis = able(kind, capabilities);
        analysis.execution_class = class;
        let mut sent = Sent::by(&policy, analysis, &tenant, Origin::Api);
        let mut at = |score: f64| {
            sent.risk.score = score;
            policy.decide(&sent.input()).unwrap()
        };
        let (calm, risky) = (at(f64::min(one, other)), at(f64::max(one, other)));
        prop_assert!(risky.level >= calm.level);
        prop_assert!(risky.limits.memory_bytes <= calm.limits.memory_bytes);
        if risky.level == calm.level {
            prop_assert!(risky.limits.wall_time_ms <= calm.limits.wall_time_ms);
            prop_assert!(risky.limits.processes <= calm.limits.processes);
        }
    }
}

#[test]
fn a_rule_can_take_the_next_stronger_level_that_is_there() {
    let strict = with_rule("set.level = \"gvisor\"");
    let lenient = with_rule("set.level = \"gvisor\"\nset.or_stronger_level = true");
    let decide = |policy: &Policy, present: BTreeSet<Level>| {
        let mut sent = Sent::new(policy, program(ProgramKind::Native));
        sent.host.levels = present;
        policy.decide(&sent.input()).unwrap()
    };
    let without: BTreeSet<Level> = [Level::Instance, Level::Process, Level::Vm].into();
    assert_eq!(decide(&strict, without.clone()).level, Level::Gvisor);
    let decision = decide(&lenient, without);
    assert_eq!(decision.level, Level::Vm);
    let reasons = texts(&decision, "rule");
    assert!(
        reasons
            .iter()
            .any(|text| text.starts_with("`vm` instead of `gvisor`")),
        "{reasons:?}"
    );
    assert_eq!(decide(&lenient, Level::ALL.into()).level, Level::Gvisor);
    // Never a weaker one.
    assert_eq!(
        decide(&lenient, [Level::Process].into()).level,
        Level::Gvisor
    );
}

#[test]
fn a_rule_can_prefer_a_stronger_level() {
    let policy = with_rule("set.level = \"process\"\nset.prefer_level = \"gvisor\"");
    let decide = |present: &[Level], asked: Option<Level>| {
        let mut sent = Sent::new(&policy, program(ProgramKind::Python));
        sent.host.levels = present.iter().copied().collect();
        sent.request.level = asked;
        policy.decide(&sent.input()).unwrap()
    };
    let all = Level::ALL;
    assert_eq!(decide(&all, None).level, Level::Gvisor);
    assert_eq!(decide(&[Level::Process, Level::Vm], None).level, Level::Vm);
    // It is the rule's own level then, which a request does not weaken.
    assert_eq!(decide(&all, Some(Level::Process)).level, Level::Gvisor);
    assert_eq!(decide(&all, Some(Level::Vm)).level, Level::Vm);
    let without = decide(&[Level::Instance, Level::Process], None);
    assert_eq!(without.level, Level::Process);
    let reasons = texts(&without, "rule");
    assert!(
        reasons
            .iter()
            .any(|text| text.starts_with("`process`, because this host has neither")),
        "{reasons:?}"
    );
}

#[test]
fn a_trial_is_granted_where_its_condition_holds() {
    let text = "[trial]\nwhen = \"message.input_bytes > 100 && profile.runs == 0\"\nbudget = \"2s\"\n\
                [[rule]]\nid = \"only\"\nbecause = \"b\"\nset.level = \"process\"\n";
    let policy = policy(text);
    let sent = Sent::new(&policy, program(ProgramKind::Python));
    let decided = |input_bytes: u64| {
        let input = DecisionInput {
            input_bytes,
            ..sent.input()
        };
        policy.decide(&input).unwrap()
    };
    assert_eq!(decided(100).trial_ms, 0);
    let granted = decided(101);
    assert_eq!(granted.trial_ms, 2_000);
    assert!(
        texts(&granted, "trial")[0].starts_with("trials of up to 2 s"),
        "{granted:?}"
    );
}

#[test]
fn a_trial_that_cannot_be_judged_is_not_made() {
    let text = "[trial]\nwhen = \"1000 / message.input_bytes > 1\"\n\
                [[rule]]\nid = \"only\"\nbecause = \"b\"\nset.level = \"process\"\n";
    let policy = policy(text);
    let sent = Sent::new(&policy, program(ProgramKind::Python));
    let decision = policy.decide(&sent.input()).unwrap();
    assert_eq!(decision.trial_ms, 0);
    assert!(
        texts(&decision, "trial")[0].starts_with("no trial"),
        "{decision:?}"
    );
}
