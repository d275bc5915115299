//! A message as it is read back from its row.

use std::fmt::Display;

use atoll_types::{
    EventKind, Level, LimitHit, MessageId, Origin, ProgramHash, ProgramKind, Status, TenantId,
    Usage,
};
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::codes::{parse, parse_event, unsigned};
use crate::details::{self, Details};
use crate::history::{io, usage};

/// One message in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its id.
    pub id: MessageId,
    /// Who sent it.
    pub tenant: TenantId,
    /// How it reached the node.
    pub origin: Origin,
    /// Identity of the program.
    pub program: ProgramHash,
    /// The name the program came under, at most 255 bytes of it.
    pub program_name: String,
    /// What the program was recognised as.
    pub kind: ProgramKind,
    /// Arrival, in milliseconds since the Unix epoch.
    pub received_unix_ms: u64,
    /// How it ended; `None` while it is unfinished.
    pub status: Option<Status>,
    /// When its outcome was recorded, in milliseconds since the Unix epoch.
    pub ended_unix_ms: Option<u64>,
    /// The program's exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended the program.
    pub signal: Option<i32>,
    /// The limit that ended the program.
    pub limit: Option<LimitHit>,
    /// Why it ended, in plain words, at most 2,000 bytes.
    pub reason: Option<String>,
    /// Whether output was cut at the output limit.
    pub truncated: bool,
    /// The level that was decided.
    pub level: Option<Level>,
    /// The policy rule that matched.
    pub rule: Option<String>,
    /// The risk score.
    pub risk_score: Option<f64>,
    /// What it used; `None` when it is unfinished or was interrupted. Each amount is at most
    /// [`i64::MAX`].
    pub usage: Option<Usage>,
}

/// Everything stored about one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What lists show too.
    pub row: Row,
    /// The long parts; `None` when it is unfinished or was interrupted, and for all but the
    /// newest 10,000 messages.
    pub details: Option<Details>,
    /// Its incidents, in the order of [`EventKind`].
    pub events: Vec<EventKind>,
}

pub(crate) fn read_record(row: &SqliteRow) -> Result<Record, sqlx::Error> {
    let details = match row.try_get("details")? {
        Some(json) => Some(details::decode(json).ok_or_else(|| unknown("details", json))?),
        None => None,
    };
    let mut events = Vec::new();
    if let Some(kinds) = row.try_get::<Option<&str>, _>("event_kinds")? {
        for kind in kinds.split(',') {
            events.push(parse_event(kind).ok_or_else(|| unknown("event", kind))?);
        }
    }
    events.sort_unstable();
    Ok(Record {
        row: read_row(row)?,
        details,
        events,
    })
}

pub(crate) fn read_row(row: &SqliteRow) -> Result<Row, sqlx::Error> {
    let unsigned_column = |column| {
        let value: Option<i64> = row.try_get(column)?;
        Ok::<_, sqlx::Error>(value.map(unsigned))
    };
    Ok(Row {
        id: parsed(row, "id")?,
        tenant: parsed(row, "tenant")?,
        origin: required(row, "origin")?,
        program: program(row)?,
        program_name: row.try_get("program_name")?,
        kind: required(row, "kind")?,
        received_unix_ms: unsigned(row.try_get("received_unix_ms")?),
        status: named(row, "status")?,
        ended_unix_ms: unsigned_column("ended_unix_ms")?,
        exit_code: row.try_get("exit_code")?,
        signal: row.try_get("signal")?,
        limit: read_limit(row)?,
        reason: row.try_get("reason")?,
        truncated: row
            .try_get::<Option<bool>, _>("truncated")?
            .unwrap_or(false),
        level: named(row, "level")?,
        rule: row.try_get("rule")?,
        risk_score: row.try_get("risk_score")?,
        usage: read_usage(row)?,
    })
}

fn read_limit(row: &SqliteRow) -> Result<Option<LimitHit>, sqlx::Error> {
    let Some(name) = named(row, "limit_name")? else {
        return Ok(None);
    };
    let value = unsigned(row.try_get("limit_value")?);
    Ok(Some(LimitHit { name, value }))
}

fn read_usage(row: &SqliteRow) -> Result<Option<Usage>, sqlx::Error> {
    let Some(wall_time_us) = row.try_get("wall_time_us")? else {
        return Ok(None);
    };
    let others = usage([
        wall_time_us,
        row.try_get("cpu_time_us")?,
        row.try_get("memory_peak_bytes")?,
        row.try_get("output_bytes")?,
        row.try_get("disk_bytes")?,
        row.try_get("processes_peak")?,
    ]);
    let io = io([
        row.try_get("reads")?,
        row.try_get("writes")?,
        row.try_get("read_bytes")?,
        row.try_get("written_bytes")?,
    ]);
    Ok(Some(Usage { io, ..others }))
}

fn program(row: &SqliteRow) -> Result<ProgramHash, sqlx::Error> {
    let bytes: &[u8] = row.try_get("program")?;
    let bytes = bytes.try_into();
    bytes
        .map(ProgramHash::from_bytes)
        .map_err(|_| unknown("program", "a hash of another length"))
}

fn parsed<T: std::str::FromStr>(row: &SqliteRow, column: &str) -> Result<T, sqlx::Error> {
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|_| unknown(column, text))
}

fn named<T: DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<Option<T>, sqlx::Error> {
    let name: Option<&str> = row.try_get(column)?;
    name.map(|name| parse(name).ok_or_else(|| unknown(column, name)))
        .transpose()
}

fn required<T: DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<T, sqlx::Error> {
    named(row, column)?.ok_or_else(|| unknown(column, "nothing"))
}

fn unknown(column: &str, value: impl Display) -> sqlx::Error {
    sqlx::Error::Decode(format!("column {column} holds {value}, which is not known").into())
}
