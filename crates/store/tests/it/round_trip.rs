//! Any outcome comes back as it went in.

use std::collections::BTreeMap;

use atoll_store::{Accepted, Owner};
use atoll_types::{
    EventKind, IoUsage, LimitHit, LimitName, Origin, Outcome, ProgramKind, Risk, RiskPart, Status,
    TenantId, Timings, Usage,
};
use proptest::prelude::*;

use crate::open;
use crate::sample::{accepted, outcome};

const STATUSES: [Status; 5] = [
    Status::Exited,
    Status::Signalled,
    Status::Limit,
    Status::Refused,
    Status::Failed,
];
const ORIGINS: [Origin; 3] = [Origin::CommandLine, Origin::Api, Origin::Anonymous];

fn limit() -> impl Strategy<Value = LimitHit> {
    let name = prop::sample::select(LimitName::ALL.to_vec());
    (name, any::<u64>()).prop_map(|(name, value)| LimitHit { name, value })
}

fn event() -> impl Strategy<Value = EventKind> {
    let limit = prop::sample::select(LimitName::ALL.to_vec()).prop_map(EventKind::Limit);
    let others = [EventKind::Violation, EventKind::Crash, EventKind::Deviation];
    prop_oneof![limit, prop::sample::select(others.to_vec())]
}

fn usage() -> impl Strategy<Value = Usage> {
    let io = prop::option::of(any::<[u64; 4]>());
    (any::<[u64; 5]>(), any::<u32>(), io).prop_map(|(used, processes, io)| {
        let [wall, cpu, memory, output, disk] = used;
        Usage {
            wall_time_us: wall,
            cpu_time_us: cpu,
            memory_peak_bytes: memory,
            output_bytes: output,
            disk_bytes: disk,
            processes_peak: processes,
            io: io.map(|[reads, writes, read_bytes, written_bytes]| IoUsage {
                reads,
                writes,
                read_bytes,
                written_bytes,
            }),
        }
    })
}

/// Values that decimal digits hold exactly, so that JSON cannot be the reason for a difference.
fn share() -> impl Strategy<Value = f64> {
    (0_u32..=64).prop_map(|n| f64::from(n) / 64.0)
}

fn risk() -> impl Strategy<Value = Risk> {
    let part = (".{0,40}", share(), ".{0,80}").prop_map(|(name, value, because)| RiskPart {
        name,
        value,
        because,
    });
    (share(), prop::collection::vec(part, 0..6)).prop_map(|(score, parts)| Risk { score, parts })
}

fn messages() -> impl Strategy<Value = Accepted> {
    (
        "[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}",
        prop::sample::select(ORIGINS.to_vec()),
        prop::sample::select(ProgramKind::ALL.to_vec()),
        any::<String>(),
        any::<u64>(),
        any::<(u32, u32)>(),
    )
        .prop_map(
            |(tenant, origin, kind, name, received, (pid, start))| Accepted {
                tenant: TenantId::new(&tenant).unwrap(),
                origin,
                kind,
                program_name: name,
                received_unix_ms: received,
                owner: Owner {
                    pid,
                    start_ticks: start.into(),
                    boot_id: "b".to_owned(),
                },
                ..accepted(0, "a", "p")
            },
        )
}

type Ends = (
    Status,
    Option<i32>,
    Option<i32>,
    Option<LimitHit>,
    Option<String>,
    bool,
);

fn ends() -> impl Strategy<Value = Ends> {
    (
        prop::sample::select(STATUSES.to_vec()),
        any::<Option<i32>>(),
        any::<Option<i32>>(),
        prop::option::of(limit()),
        any::<Option<String>>(),
        any::<bool>(),
    )
}

fn bounded(value: u64) -> u64 {
    value.min(i64::MAX as u64)
}

#[test]
fn rows_survive() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (_directory, store) = runtime.block_on(open());
    let number = std::cell::Cell::new(0);
    let stages = prop::collection::btree_map("[a-z]{1,9}", any::<u64>(), 0..9);
    proptest!(ProptestConfig::with_cases(200), |(
        message in messages(),
        ends in ends(),
        usage in usage(),
        risk in prop::option::of(risk()),
        timings in (stages, any::<u64>()),
        events in prop::collection::vec(event(), 0..5),
        ended in any::<u64>(),
    )| {
        number.set(number.get() + 1);
        let message = Accepted { id: crate::sample::id(number.get()), ..message };
        let outcome = with(&message, ends, usage, risk, timings);
        let record = runtime.block_on(async {
            store.accept(&message).await.unwrap();
            store.finish(&outcome, &events, ended).await.unwrap();
            store.outcome(message.id).await.unwrap().unwrap()
        });
        let row = &record.row;
        prop_assert_eq!(&row.tenant, &message.tenant);
        prop_assert_eq!(row.origin, message.origin);
        prop_assert_eq!(row.kind, message.kind);
        prop_assert_eq!(row.received_unix_ms, bounded(message.received_unix_ms));
        prop_assert_eq!(row.ended_unix_ms, Some(bounded(ended)));
        prop_assert_eq!(row.status, Some(outcome.status));
        prop_assert_eq!(row.exit_code, outcome.exit_code);
        prop_assert_eq!(row.signal, outcome.signal);
        let limit = outcome.limit.map(|hit| LimitHit { value: bounded(hit.value), ..hit });
        prop_assert_eq!(row.limit, limit);
        prop_assert_eq!(row.truncated, outcome.truncated);
        prop_assert_eq!(row.risk_score, outcome.risk.as_ref().map(|risk| risk.score));
        let stored = Usage {
            wall_time_us: bounded(usage.wall_time_us),
            cpu_time_us: bounded(usage.cpu_time_us),
            memory_peak_bytes: bounded(usage.memory_peak_bytes),
            output_bytes: bounded(usage.output_bytes),
            disk_bytes: bounded(usage.disk_bytes),
            processes_peak: usage.processes_peak,
            io: usage.io.map(|io| IoUsage {
                reads: bounded(io.reads),
                writes: bounded(io.writes),
                read_bytes: bounded(io.read_bytes),
                written_bytes: bounded(io.written_bytes),
            }),
        };
        prop_assert_eq!(row.usage, Some(stored));
        if message.program_name.len() <= 255 {
            prop_assert_eq!(&row.program_name, &message.program_name);
        }
        if outcome.reason.as_ref().is_none_or(|reason| reason.len() <= 2_000) {
            prop_assert_eq!(&row.reason, &outcome.reason);
        }
        let mut kinds = events;
        kinds.sort_unstable();
        kinds.dedup();
        prop_assert_eq!(record.events, kinds);
        let details = record.details.unwrap();
        prop_assert_eq!(details.risk, outcome.risk);
        prop_assert_eq!(details.timings_us, outcome.timings_us);
        prop_assert_eq!(details.analysis, outcome.analysis);
    });
}

fn with(
    message: &Accepted,
    (status, exit_code, signal, limit, reason, truncated): Ends,
    usage: Usage,
    risk: Option<Risk>,
    (stages, total): (BTreeMap<String, u64>, u64),
) -> Outcome {
    Outcome {
        status,
        exit_code,
        signal,
        limit,
        reason,
        truncated,
        usage,
        risk,
        timings_us: Timings { stages, total },
        ..outcome(message)
    }
}
