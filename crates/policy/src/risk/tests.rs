use std::collections::BTreeSet;

use atoll_types::{Capability, Event, EventKind, LimitName, ProgramKind};
use proptest::prelude::*;

use super::*;
use crate::testing::{NOW, able, program};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

fn hash(text: &str) -> ProgramHash {
    ProgramHash::of(text.as_bytes())
}

fn event(kind: EventKind, age_ms: u64, program: &str, by_tenant: bool) -> Event {
    Event {
        kind,
        unix_ms: NOW - age_ms,
        program: hash(program),
        by_tenant,
    }
}

/// A settled tenant that has sent the program `judged` before.
fn settled() -> SenderHistory {
    SenderHistory {
        messages: 100,
        program_messages: 10,
        program_messages_anyone: 12,
        events: Vec::new(),
        arrivals_unix_ms: Vec::new(),
    }
}

fn judge_at(history: &SenderHistory, now_unix_ms: u64) -> Risk {
    assess(&RiskInput {
        origin: Origin::CommandLine,
        trust: Trust::Known,
        history,
        analysis: &program(ProgramKind::Python),
        program: hash("judged"),
        now_unix_ms,
    })
}

fn judge(history: &SenderHistory) -> Risk {
    judge_at(history, NOW)
}

fn part(risk: &Risk, name: &str) -> RiskPart {
    risk.parts
        .iter()
        .find(|part| part.name == name)
        .unwrap()
        .clone()
}

fn after(events: Vec<Event>) -> SenderHistory {
    SenderHistory {
        events,
        ..settled()
    }
}

#[test]
fn a_settled_sender_of_a_harmless_program_is_nearly_no_risk() {
    let risk = judge(&settled());
    assert!(risk.score < 0.06, "{risk:?}");
    let names: Vec<&str> = risk.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, PARTS);
}

#[test]
fn parts_combine_as_independent_chances() {
    let risk = judge(&SenderHistory::default());
    let rest: f64 = risk.parts.iter().map(|part| 1.0 - part.value).product();
    assert!((risk.score - (1.0 - rest)).abs() < 1e-12);
}

#[test]
fn repeated_violations_climb_past_the_threshold_for_a_virtual_machine() {
    let violations = |count: usize, program: &str| {
        let violation = event(EventKind::Violation, HOUR_MS, program, true);
        judge(&after(vec![violation; count])).score
    };
    assert!(violations(3, "judged") < 0.8);
    assert!(violations(4, "judged") >= 0.8);
    assert!(violations(6, "other") < 0.8);
    assert!(violations(7, "other") >= 0.8);
}

#[test]
fn limits_crashes_and_deviations_alone_never_reach_it() {
    let kinds = [
        EventKind::Limit(LimitName::Processes),
        EventKind::Limit(LimitName::Memory),
    ];
    let events: Vec<Event> = (0..500)
        .map(|index| event(kinds[index % 2], 0, "judged", true))
        .collect();
    let score = judge(&after(events)).score;
    assert!((0.5..0.7).contains(&score), "{score}");
}

#[test]
fn other_tenants_cannot_lock_a_tenant_out_of_a_program() {
    let foreign = vec![event(EventKind::Violation, 0, "judged", false); 500];
    let risk = judge(&after(foreign));
    assert!((0.5..0.6).contains(&risk.score), "{risk:?}");
    assert_eq!(part(&risk, "history of the tenant").value, 0.0);
}

#[test]
fn incidents_of_other_programs_count_for_the_tenant_only() {
    let risk = judge(&after(vec![event(EventKind::Violation, 0, "other", true)]));
    assert_eq!(part(&risk, "history of the program").value, 0.0);
    assert!(part(&risk, "history of the tenant").value > 0.19);
}

#[test]
fn a_violation_counts_half_after_a_week_and_a_limit_after_a_day() {
    let value = |kind, age_ms| {
        let risk = judge(&after(vec![event(kind, age_ms, "other", true)]));
        part(&risk, "history of the tenant").value
    };
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let fresh = value(EventKind::Violation, 0);
    assert!(close(value(EventKind::Violation, 7 * DAY_MS), fresh / 2.0));
    let limit = EventKind::Limit(LimitName::WallTime);
    assert!(close(value(limit, DAY_MS), value(limit, 0) / 2.0));
}

#[test]
fn parts_say_what_they_were_judged_from() {
    let risk = judge(&after(vec![
        event(EventKind::Violation, 3 * HOUR_MS, "judged", true),
        event(EventKind::Violation, 9 * DAY_MS, "other", true),
        event(
            EventKind::Limit(LimitName::CpuTime),
            DAY_MS,
            "judged",
            false,
        ),
    ]));
    let because = |name| part(&risk, name).because;
    assert_eq!(
        because("history of the tenant"),
        "2 violations of this tenant, the latest 3 hours ago"
    );
    assert_eq!(
        because("history of the program"),
        "1 violation of this program under this tenant, the latest 3 hours ago; \
         1 limit hit of it under other tenants, the latest 1 day ago"
    );
    assert_eq!(
        because("novelty"),
        "this tenant sent this program 10 times; 100 earlier messages of this tenant"
    );
    assert_eq!(
        because("origin"),
        "a known tenant, at this machine's command line"
    );
    assert_eq!(because("analysis"), "nothing in the program stands out");
}

#[test]
fn a_burst_is_measured_against_the_tenants_own_rhythm() {
    let burst = |gap_ms: u64, recent: u64| {
        let earlier = (0..40).map(|index| NOW - 100_000 - index * gap_ms);
        let latest = (0..recent).map(|index| NOW - index * 100);
        let history = SenderHistory {
            arrivals_unix_ms: latest.chain(earlier).collect(),
            ..settled()
        };
        part(&judge(&history), "bursts")
    };
    // Sixty a minute is nothing new for one a second, and a burst for one an hour.
    assert_eq!(burst(1000, 60).value, 0.0);
    assert!(burst(HOUR_MS, 60).value > 0.25);
    assert_eq!(burst(HOUR_MS, 5).value, 0.0);
    assert_eq!(
        burst(HOUR_MS, 60).because,
        "60 messages in the last minute, where this tenant usually sends one every 1 h"
    );
}

#[test]
fn without_a_rhythm_a_burst_counts_at_most_half() {
    let flood = SenderHistory {
        arrivals_unix_ms: (0..1000).map(|index| NOW - index).collect(),
        ..settled()
    };
    assert_eq!(part(&judge(&flood), "bursts").value, 0.15);
}

#[test]
fn the_worst_program_of_a_clean_known_sender_stays_below_the_threshold() {
    for origin in [Origin::CommandLine, Origin::Api] {
        let risk = assess(&RiskInput {
            origin,
            trust: Trust::Known,
            history: &SenderHistory::default(),
            analysis: &able(ProgramKind::Python, &Capability::ALL),
            program: hash("judged"),
            now_unix_ms: NOW,
        });
        assert!((0.6..0.8).contains(&risk.score), "{risk:?}");
    }
}

fn any_kind() -> impl Strategy<Value = EventKind> {
    prop::sample::select(vec![
        EventKind::Violation,
        EventKind::Crash,
        EventKind::Deviation,
        EventKind::Limit(LimitName::Processes),
        EventKind::Limit(LimitName::WallTime),
        EventKind::Limit(LimitName::Memory),
    ])
}

fn any_event() -> impl Strategy<Value = Event> {
    let program = prop::sample::select(vec!["judged", "other"]);
    // Also from the future, as after a clock was set back.
    (any_kind(), 0..(NOW + DAY_MS), program, any::<bool>()).prop_map(
        |(kind, unix_ms, program, by_tenant)| Event {
            kind,
            unix_ms,
            program: hash(program),
            by_tenant,
        },
    )
}

fn any_history() -> impl Strategy<Value = SenderHistory> {
    (
        (0..30_u64, 0..5_u64, 0..5_u64),
        prop::collection::vec(any_event(), 0..20),
        prop::collection::vec(NOW - 2 * HOUR_MS..NOW + 1000, 0..80),
    )
        .prop_map(
            |((messages, own, anyone), events, arrivals_unix_ms)| SenderHistory {
                messages,
                program_messages: own,
                program_messages_anyone: anyone,
                events,
                arrivals_unix_ms,
            },
        )
}

fn any_capabilities() -> impl Strategy<Value = BTreeSet<Capability>> {
    let all = Capability::ALL.to_vec();
    prop::sample::subsequence(all, 0..=15).prop_map(|some| some.into_iter().collect())
}

fn any_origin() -> impl Strategy<Value = Origin> {
    prop::sample::select(vec![Origin::CommandLine, Origin::Api, Origin::Anonymous])
}

fn any_trust() -> impl Strategy<Value = Trust> {
    prop::sample::select(vec![Trust::Unknown, Trust::Known, Trust::Trusted])
}

/// Sums of the same numbers in another order may differ in the last bits.
const NOISE: f64 = 1e-12;

proptest! {
    #[test]
    fn more_evidence_never_lowers_the_score(
        history in any_history(),
        capabilities in any_capabilities(),
        (origin, trust) in (any_origin(), any_trust()),
        another_event in any_event(),
        another_capability in prop::sample::select(Capability::ALL.to_vec()),
        another_arrival in NOW - 59_999..NOW + 1000,
    ) {
        let analysis = Analysis { capabilities, ..program(ProgramKind::Python) };
        let score = |origin, trust, history: &SenderHistory, analysis: &Analysis| {
            let program = hash("judged");
            let input = RiskInput {
                origin, trust, history, analysis, program, now_unix_ms: NOW,
            };
            let risk = assess(&input);
            assert!((0.0..=1.0).contains(&risk.score));
            assert!(risk.parts.iter().all(|part| (0.0..=1.0).contains(&part.value)));
            risk.score
        };
        let before = score(origin, trust, &history, &analysis);

        let mut worse = history.clone();
        worse.events.push(another_event);
        prop_assert!(score(origin, trust, &worse, &analysis) >= before - NOISE);

        let mut busier = history.clone();
        busier.arrivals_unix_ms.push(another_arrival);
        prop_assert!(score(origin, trust, &busier, &analysis) >= before - NOISE);

        let mut abler = analysis.clone();
        abler.capabilities.insert(another_capability);
        prop_assert!(score(origin, trust, &history, &abler) >= before - NOISE);

        for less in [Trust::Unknown, Trust::Known].into_iter().filter(|less| *less <= trust) {
            prop_assert!(score(origin, less, &history, &analysis) >= before - NOISE);
        }
        prop_assert!(score(Origin::Anonymous, trust, &history, &analysis) >= before - NOISE);
        if origin == Origin::CommandLine {
            prop_assert!(score(Origin::Api, trust, &history, &analysis) >= before - NOISE);
        }
    }

    #[test]
    fn incidents_fade(history in any_history(), wait_ms in 0..60 * DAY_MS) {
        let value = |now| {
            let risk = judge_at(&history, now);
            let names = ["history of the tenant", "history of the program"];
            names.map(|name| part(&risk, name).value)
        };
        let (now, later) = (value(NOW + DAY_MS), value(NOW + DAY_MS + wait_ms));
        for (now, later) in now.iter().zip(later) {
            prop_assert!(later <= now + NOISE);
        }
    }
}
