//! What is remembered of a sender and of a program, as risk and prediction need it.
//!
//! Each question is one statement with one row, lists as JSON arrays: handing rows from SQLite's
//! thread to the caller's one by one costs more than finding them.

use atoll_types::{
    Event, IoUsage, Lesson, Level, LimitHit, LimitName, Past, PastBounds, PastRun, ProgramHash,
    SenderHistory, Status, TenantId, Told, Usage,
};
use serde::Deserialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::codes::{parse, parse_event, unsigned};
use crate::{Store, StoreError};

/// Reads the history of tenant ?1 and program ?2: three counts and two lists, 64 arrivals and up
/// to 64 events each of the tenant and of the program, newest first.
macro_rules! sender_history_sql {
    () => {
        "SELECT
            (SELECT messages FROM tenants WHERE tenant = ?1),
            (SELECT messages FROM programs WHERE program = ?2 AND tenant = ?1),
            (SELECT messages FROM programs WHERE program = ?2 AND tenant = ''),
            (SELECT json_group_array(received_unix_ms) FROM (
                SELECT received_unix_ms FROM messages WHERE tenant = ?1 ORDER BY seq DESC LIMIT 64
            )),
            (SELECT json_group_array(json_array(kind, unix_ms, hex(program), tenant = ?1)) FROM (
                SELECT kind, unix_ms, program, tenant FROM events WHERE event IN (
                    SELECT event FROM (
                        SELECT event FROM events WHERE tenant = ?1 ORDER BY event DESC LIMIT 64
                    )
                    UNION SELECT event FROM (
                        SELECT event FROM events WHERE program = ?2 ORDER BY event DESC LIMIT 64
                    )
                ) ORDER BY event DESC
            ))"
    };
}

/// Reads the newest ?3 runs of program ?2, what the newest 32 of them were given, and, unless its
/// own runs say enough, how the newest 100 predictions for tenant ?1 fared.
macro_rules! past_sql {
    () => {
        "SELECT
            (SELECT json_group_array(json_array(
                status, limit_name, limit_value, ended_unix_ms, wall_time_us, cpu_time_us,
                memory_peak_bytes, output_bytes, disk_bytes, processes_peak, level, reads, writes,
                read_bytes, written_bytes
            )) FROM (
                SELECT status, limit_name, limit_value, ended_unix_ms, wall_time_us, cpu_time_us,
                    memory_peak_bytes, output_bytes, disk_bytes, processes_peak, level, reads,
                    writes, read_bytes, written_bytes
                FROM messages
                WHERE program = ?2 AND (status IN ('exited', 'signalled', 'limit')
                    OR status = 'failed' AND memory_peak_bytes > 0)
                ORDER BY seq DESC LIMIT ?3
            )),
            (SELECT json_group_array(input) FROM (
                SELECT (SELECT input FROM lessons WHERE lessons.seq = messages.seq) AS input
                FROM messages
                WHERE program = ?2 AND (status IN ('exited', 'signalled', 'limit')
                    OR status = 'failed' AND memory_peak_bytes > 0)
                ORDER BY seq DESC LIMIT min(?3, 32)
            )),
            (SELECT json_group_array(json_array(
                level, memory_plain, memory_given, cpu_plain, cpu_given, memory_used, cpu_used,
                at_least
            )) FROM (
                SELECT level, memory_plain, memory_given, cpu_plain, cpu_given, memory_used,
                    cpu_used, at_least
                FROM lessons WHERE tenant = ?1 AND memory_plain IS NOT NULL
                ORDER BY seq DESC LIMIT iif((
                    SELECT count(*) FROM (
                        SELECT 1 FROM messages
                        WHERE program = ?2 AND (status IN ('exited', 'signalled', 'limit')
                            OR status = 'failed' AND memory_peak_bytes > 0)
                        LIMIT 8
                    )
                ) < 8, 100, 0)
            ))"
    };
}

pub(crate) use past_sql;
pub(crate) use sender_history_sql;

pub(crate) const ATTEMPT: &str = "read the history";

/// The most runs one question may ask for.
const RUNS_MAX: u32 = 1_000;

impl Store {
    /// What is remembered of a tenant and a program: counts of outcomes, the newest 64 incidents
    /// of the tenant and of the program under anyone, and the newest 64 arrivals of the tenant,
    /// the unfinished ones too. A message that was accepted before this call is among the
    /// arrivals; [`Store::arrive`] reads first and accepts then.
    ///
    /// # Errors
    /// When the store is locked by another process for too long, damaged or unreadable.
    pub async fn sender_history(
        &self,
        tenant: &TenantId,
        program: ProgramHash,
    ) -> Result<SenderHistory, StoreError> {
        let row = sqlx::query(sender_history_sql!())
            .bind(tenant.as_str())
            .bind(program.as_bytes().as_slice())
            .fetch_one(&mut *self.lock().await)
            .await
            .map_err(self.fail(ATTEMPT))?;
        self.read_history(&row)
    }

    /// What a prediction is made from: the newest runs of a program under any tenant, newest first,
    /// at most 1,000, and, for one with fewer than eight runs, how the newest 100 predictions for a
    /// tenant fared. Messages that were refused, or failed before anything was used, are no runs.
    ///
    /// # Errors
    /// When the store is locked by another process for too long, damaged or unreadable.
    pub async fn past(
        &self,
        tenant: &TenantId,
        program: ProgramHash,
        newest: u32,
    ) -> Result<Past, StoreError> {
        let row = sqlx::query(past_sql!())
            .bind(tenant.as_str())
            .bind(program.as_bytes().as_slice())
            .bind(runs_limit(newest))
            .fetch_one(&mut *self.lock().await)
            .await
            .map_err(self.fail(ATTEMPT))?;
        self.read_past(&row)
    }

    pub(crate) fn read_history(&self, row: &SqliteRow) -> Result<SenderHistory, StoreError> {
        let count = |index: usize| {
            let value: Result<Option<i64>, _> = row.try_get(index);
            value.map(|value| unsigned(value.unwrap_or(0)))
        };
        let fail = self.fail(ATTEMPT);
        let arrivals: Vec<i64> = self.read_json(row, 3, "arrivals")?;
        let events: Vec<StoredEvent> = self.read_json(row, 4, "events")?;
        let events = events.into_iter().map(StoredEvent::read).collect();
        Ok(SenderHistory {
            messages: count(0).map_err(&fail)?,
            program_messages: count(1).map_err(&fail)?,
            program_messages_anyone: count(2).map_err(&fail)?,
            events: self.known("an event", events)?,
            arrivals_unix_ms: arrivals.into_iter().map(unsigned).collect(),
        })
    }

    pub(crate) fn read_past(&self, row: &SqliteRow) -> Result<Past, StoreError> {
        let runs: Vec<StoredRun> = self.read_json(row, 0, "runs")?;
        let inputs: Vec<Option<i64>> = self.read_json(row, 1, "inputs")?;
        let inputs = inputs.into_iter().chain(std::iter::repeat(None));
        let runs = runs.into_iter().zip(inputs);
        let runs = runs.map(|(run, input)| run.read(input)).collect();
        let bounds: Vec<StoredBounds> = self.read_json(row, 2, "bounds")?;
        let bounds = bounds.into_iter().map(StoredBounds::read).collect();
        Ok(Past {
            runs: self.known("a run", runs)?,
            bounds: self.known("a lesson", bounds)?,
        })
    }

    fn read_json<T: serde::de::DeserializeOwned>(
        &self,
        row: &SqliteRow,
        index: usize,
        what: &str,
    ) -> Result<T, StoreError> {
        let text: &str = row.try_get(index).map_err(self.fail(ATTEMPT))?;
        serde_json::from_str(text)
            .map_err(|error| StoreError::bad_value(ATTEMPT, &self.path, format!("{what}: {error}")))
    }

    fn known<T>(&self, what: &str, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| {
            StoreError::bad_value(ATTEMPT, &self.path, format!("{what} has an unknown name"))
        })
    }
}

pub(crate) const fn runs_limit(newest: u32) -> u32 {
    if newest < RUNS_MAX { newest } else { RUNS_MAX }
}

/// Kind, time, program in hexadecimal digits, whether the tenant in question did it.
#[derive(Deserialize)]
struct StoredEvent(String, i64, String, i64);

impl StoredEvent {
    fn read(self) -> Option<Event> {
        let Self(kind, unix_ms, program, by_tenant) = self;
        Some(Event {
            kind: parse_event(&kind)?,
            unix_ms: unsigned(unix_ms),
            program: program.parse().ok()?,
            by_tenant: by_tenant != 0,
        })
    }
}

/// Status, limit name and value, end, the fields of [`Usage`] in their order but for the last,
/// level, those of [`IoUsage`].
#[derive(Deserialize)]
struct StoredRun(
    String,
    Option<String>,
    Option<i64>,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
);

impl StoredRun {
    fn read(self, input: Option<i64>) -> Option<PastRun> {
        let Self(status, limit_name, limit_value, ended, ..) = self;
        let Self(_, _, _, _, wall, cpu, memory, output, disk, tasks, name, ..) = self;
        let Self(.., reads, writes, read_bytes, written_bytes) = self;
        Some(PastRun {
            usage: Usage {
                io: io([reads, writes, read_bytes, written_bytes]),
                ..usage([wall, cpu, memory, output, disk, tasks])
            },
            status: parse::<Status>(&status)?,
            limit: limit(limit_name.as_deref(), limit_value)?,
            unix_ms: unsigned(ended),
            level: level(name.as_deref())?,
            input: input.map(unsigned),
        })
    }
}

/// Level, plain and given bounds of memory and of CPU time, what was used of both, and whether that
/// was cut short.
#[derive(Deserialize)]
struct StoredBounds(
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    i64,
    i64,
    i64,
);

impl StoredBounds {
    fn read(self) -> Option<PastBounds> {
        let Self(name, memory_plain, memory_given, cpu_plain, cpu_given, memory, cpu, cut) = self;
        let told = |plain: Option<i64>, given: Option<i64>| {
            Some(Told {
                plain: unsigned(plain?),
                given: unsigned(given?),
            })
        };
        Some(PastBounds {
            level: level(name.as_deref())?,
            lesson: Lesson {
                input: 0,
                memory: told(memory_plain, memory_given),
                cpu: told(cpu_plain, cpu_given),
            },
            memory_bytes: unsigned(memory),
            cpu_us: unsigned(cpu),
            at_least: cut != 0,
        })
    }
}

/// The level of a row: none is fine, an unknown name is not.
fn level(name: Option<&str>) -> Option<Option<Level>> {
    name.map_or(Some(None), |name| parse::<Level>(name).map(Some))
}

/// The limit of a row: none is fine, an unknown name is not.
pub(crate) fn limit(name: Option<&str>, value: Option<i64>) -> Option<Option<LimitHit>> {
    let Some(name) = name else {
        return Some(None);
    };
    let name = parse::<LimitName>(name)?;
    let value = unsigned(value.unwrap_or(0));
    Some(Some(LimitHit { name, value }))
}

/// [`IoUsage`] from its columns, in the order of its fields; `None` where nobody counted.
pub(crate) fn io(columns: [Option<i64>; 4]) -> Option<IoUsage> {
    let [reads, writes, read_bytes, written_bytes] = columns;
    Some(IoUsage {
        reads: unsigned(reads?),
        writes: unsigned(writes?),
        read_bytes: unsigned(read_bytes?),
        written_bytes: unsigned(written_bytes?),
    })
}

/// [`Usage`] from its columns, in the order of its fields; reads and writes are in others.
pub(crate) fn usage(columns: [i64; 6]) -> Usage {
    let [wall, cpu, memory, output, disk, processes] = columns;
    Usage {
        wall_time_us: unsigned(wall),
        cpu_time_us: unsigned(cpu),
        memory_peak_bytes: unsigned(memory),
        output_bytes: unsigned(output),
        disk_bytes: unsigned(disk),
        processes_peak: u32::try_from(processes).unwrap_or(u32::MAX),
        io: None,
    }
}
