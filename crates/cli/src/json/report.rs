//! What the other commands print with `--json`.

use atoll_engine::policy::Diagnostic;
use atoll_engine::{Diagnosis, Explanation, KvmDiagnosis, LevelDiagnosis, Record, Row, Totals};
use atoll_types::calls::CallAudit;
use atoll_types::{
    Analysis, Decision, Enforcement, EventKind, Layer, Level, LimitHit, Message, MessageId, Origin,
    Profile, ProgramHash, ProgramKind, Reason, Risk, Status, TenantId, Timings, Trust, Usage,
};
use serde::Serialize;

use super::line;

#[derive(Debug, Serialize)]
struct ExplanationForm<'a> {
    program: ProgramForm<'a>,
    tenant: &'a TenantId,
    trust: Trust,
    /// Outcomes of the tenant and earlier runs of the program that were looked at.
    tenant_messages: u64,
    past_runs: u64,
    analysis: &'a Analysis,
    risk: &'a Risk,
    profile: &'a Profile,
    decision: Option<&'a Decision>,
    denied: Option<DeniedForm<'a>>,
    runnable: bool,
    /// Why this host cannot run it as decided.
    obstacle: Option<&'a str>,
    would_change: &'a [String],
    timings_us: &'a Timings,
}

#[derive(Debug, Serialize)]
struct ProgramForm<'a> {
    name: &'a str,
    kind: ProgramKind,
    hash: ProgramHash,
}

#[derive(Debug, Serialize)]
struct DeniedForm<'a> {
    rule: &'a str,
    reasons: &'a [Reason],
}

/// What `atoll explain --json` prints.
pub(crate) fn explanation(message: &Message, explanation: &Explanation) -> String {
    let decision = explanation.decision.as_ref();
    line(&ExplanationForm {
        program: ProgramForm {
            name: &message.program.name,
            kind: message.program.kind,
            hash: message.program.hash,
        },
        tenant: &message.tenant,
        trust: explanation.trust,
        tenant_messages: explanation.history.messages,
        past_runs: explanation.past_runs,
        analysis: &explanation.analysis,
        risk: &explanation.risk,
        profile: &explanation.profile,
        decision: decision.ok(),
        denied: decision.err().map(|denied| DeniedForm {
            rule: &denied.rule,
            reasons: &denied.reasons,
        }),
        runnable: matches!(explanation.runnable, Some(Ok(()))),
        obstacle: match &explanation.runnable {
            Some(Err(why)) => Some(why),
            Some(Ok(())) | None => None,
        },
        would_change: &explanation.would_change,
        timings_us: &explanation.timings_us,
    })
}

#[derive(Debug, Serialize)]
struct DiagnosisForm<'a> {
    levels: Vec<LevelForm<'a>>,
    kinds: Vec<KindForm<'a>>,
    kvm: KvmForm<'a>,
    instructions: StateForm<'a>,
    large_programs: StateForm<'a>,
    state: StateForm<'a>,
}

#[derive(Debug, Serialize)]
struct LevelForm<'a> {
    level: Level,
    available: bool,
    because: &'a str,
    mechanisms: Vec<MechanismForm<'a>>,
}

#[derive(Debug, Serialize)]
struct MechanismForm<'a> {
    name: Layer,
    available: bool,
    detail: &'a str,
    advice: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct KindForm<'a> {
    kind: ProgramKind,
    levels: Vec<KindLevelForm<'a>>,
}

#[derive(Debug, Serialize)]
struct KindLevelForm<'a> {
    level: Level,
    available: bool,
    because: Option<&'a str>,
}

/// `usable` is null when it was not checked.
#[derive(Debug, Serialize)]
struct KvmForm<'a> {
    usable: Option<bool>,
    detail: &'a str,
    advice: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct StateForm<'a> {
    available: bool,
    /// The database, or why it cannot be used.
    detail: &'a str,
}

/// What `atoll doctor --json` prints.
pub(crate) fn diagnosis(diagnosis: &Diagnosis) -> String {
    let kinds = diagnosis.kinds.iter().map(|kind| KindForm {
        kind: kind.kind,
        levels: kind
            .levels
            .iter()
            .map(|(level, able)| KindLevelForm {
                level: *level,
                available: able.is_ok(),
                because: able.as_ref().err().map(String::as_str),
            })
            .collect(),
    });
    let (available, detail) = match &diagnosis.state {
        Ok(path) => (true, path),
        Err(why) => (false, why),
    };
    line(&DiagnosisForm {
        levels: diagnosis.levels.iter().map(level).collect(),
        kinds: kinds.collect(),
        kvm: kvm(&diagnosis.kvm),
        instructions: ability(&diagnosis.instructions, "the processor counts them"),
        large_programs: ability(&diagnosis.large_programs, "read in a jail"),
        state: StateForm { available, detail },
    })
}

fn ability<'a>(found: &'a Result<(), String>, able: &'a str) -> StateForm<'a> {
    StateForm {
        available: found.is_ok(),
        detail: found.as_ref().err().map_or(able, String::as_str),
    }
}

fn level(level: &LevelDiagnosis) -> LevelForm<'_> {
    let mechanisms = level.mechanisms.iter().map(|mechanism| MechanismForm {
        name: mechanism.layer,
        available: mechanism.available,
        detail: &mechanism.detail,
        advice: mechanism.advice,
    });
    LevelForm {
        level: level.level,
        available: level.available,
        because: &level.because,
        mechanisms: mechanisms.collect(),
    }
}

fn kvm(diagnosis: &KvmDiagnosis) -> KvmForm<'_> {
    let (usable, detail, advice) = match diagnosis {
        KvmDiagnosis::Usable { detail } => (Some(true), detail, None),
        KvmDiagnosis::Unusable { detail, advice } => (Some(false), detail, Some(*advice)),
        KvmDiagnosis::NotChecked { detail, advice } => (None, detail, Some(*advice)),
    };
    KvmForm {
        usable,
        detail,
        advice,
    }
}

#[derive(Debug, Serialize)]
struct HistoryForm<'a> {
    messages: Vec<RowForm<'a>>,
    totals: TotalsForm,
}

#[derive(Debug, Serialize)]
struct TotalsForm {
    messages_kept: u64,
    unfinished: u64,
    outcomes: u64,
    incidents: u64,
    tenants: u64,
    database_bytes: u64,
}

/// `status` is null while a message is unfinished.
#[derive(Debug, Serialize)]
struct RowForm<'a> {
    id: MessageId,
    tenant: &'a TenantId,
    origin: Origin,
    program: ProgramHash,
    program_name: &'a str,
    kind: ProgramKind,
    received_unix_ms: u64,
    ended_unix_ms: Option<u64>,
    status: Option<Status>,
    exit_code: Option<i32>,
    signal: Option<i32>,
    limit: Option<LimitHit>,
    reason: Option<&'a str>,
    truncated: bool,
    level: Option<Level>,
    rule: Option<&'a str>,
    risk_score: Option<f64>,
    usage: Option<Usage>,
}

impl<'a> From<&'a Row> for RowForm<'a> {
    fn from(row: &'a Row) -> Self {
        Self {
            id: row.id,
            tenant: &row.tenant,
            origin: row.origin,
            program: row.program,
            program_name: &row.program_name,
            kind: row.kind,
            received_unix_ms: row.received_unix_ms,
            ended_unix_ms: row.ended_unix_ms,
            status: row.status,
            exit_code: row.exit_code,
            signal: row.signal,
            limit: row.limit,
            reason: row.reason.as_deref(),
            truncated: row.truncated,
            level: row.level,
            rule: row.rule.as_deref(),
            risk_score: row.risk_score,
            usage: row.usage,
        }
    }
}

/// What `atoll history --json` prints.
pub(crate) fn history(rows: &[Row], totals: &Totals) -> String {
    line(&HistoryForm {
        messages: rows.iter().map(RowForm::from).collect(),
        totals: TotalsForm {
            messages_kept: totals.messages_kept,
            unfinished: totals.unfinished,
            outcomes: totals.outcomes,
            incidents: totals.incidents,
            tenants: totals.tenants,
            database_bytes: totals.database_bytes,
        },
    })
}

#[derive(Debug, Serialize)]
struct RecordForm<'a> {
    #[serde(flatten)]
    row: RowForm<'a>,
    events: &'a [EventKind],
    analysis: Option<&'a Analysis>,
    risk: Option<&'a Risk>,
    profile: Option<&'a Profile>,
    decision: Option<&'a Decision>,
    enforcement: Option<&'a Enforcement>,
    calls: Option<&'a CallAudit>,
    timings_us: Option<&'a Timings>,
    /// Whether long parts were cut before they were stored.
    shortened: bool,
}

/// What `atoll history ID --json` prints.
pub(crate) fn record(record: &Record) -> String {
    let details = record.details.as_ref();
    line(&RecordForm {
        row: (&record.row).into(),
        events: &record.events,
        analysis: details.and_then(|details| details.analysis.as_ref()),
        risk: details.and_then(|details| details.risk.as_ref()),
        profile: details.and_then(|details| details.profile.as_ref()),
        decision: details.and_then(|details| details.decision.as_ref()),
        enforcement: details.and_then(|details| details.enforcement.as_ref()),
        calls: details.and_then(|details| details.calls.as_ref()),
        timings_us: details.map(|details| &details.timings_us),
        shortened: details.is_some_and(|details| details.shortened),
    })
}

#[derive(Debug, Serialize)]
struct CheckForm<'a> {
    usable: bool,
    diagnostics: Vec<DiagnosticForm<'a>>,
}

#[derive(Debug, Serialize)]
struct DiagnosticForm<'a> {
    severity: &'static str,
    line: u64,
    column: u64,
    message: &'a str,
    help: Option<&'a str>,
}

/// What `atoll policy check --json` prints.
pub(crate) fn check(usable: bool, diagnostics: &[Diagnostic]) -> String {
    let diagnostics = diagnostics.iter().map(|diagnostic| DiagnosticForm {
        severity: diagnostic.severity.name(),
        line: diagnostic.line,
        column: diagnostic.column,
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
    });
    line(&CheckForm {
        usable,
        diagnostics: diagnostics.collect(),
    })
}
