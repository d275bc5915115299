//! The end of a message's way: its outcome is recorded, exactly once, and old records go.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use atoll_types::{EventKind, MessageId, Outcome};
use sqlx::SqliteConnection;

use crate::codes::{cut, event_name, integer, unsigned};
use crate::details;
use crate::error::sqlite_code;
use crate::{Owner, Store, StoreError};

/// The reason recorded for a message whose process died before it had an outcome.
pub const INTERRUPTED: &str = "interrupted: the process that ran it ended";

const FINISH_SQL: &str = "INSERT INTO outcomes (
    id, status, ended_unix_ms, exit_code, signal, limit_name, limit_value, reason, truncated,
    level, rule, risk_score, wall_time_us, cpu_time_us, memory_peak_bytes, output_bytes,
    disk_bytes, processes_peak, details, event_kinds, input, memory_plain, memory_given, cpu_plain,
    cpu_given, reads, writes, read_bytes, written_bytes
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
    ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29
)";

const INTERRUPT_SQL: &str = "INSERT INTO outcomes (
    id, status, ended_unix_ms, reason, truncated, event_kinds
) VALUES (?1, 'failed', ?2, ?3, 0, '[]')";

/// Forgets the oldest finished messages beyond the newest 100,000, and the details beyond the
/// newest 10,000; a few at a time, so that no message waits for it noticeably.
const TIDY_MESSAGES_SQL: &str = "
DELETE FROM messages WHERE seq IN (
    SELECT seq FROM messages
    WHERE seq <= (SELECT max(seq) FROM messages) - 100000 AND status IS NOT NULL
    ORDER BY seq LIMIT 32
);
DELETE FROM details WHERE seq IN (
    SELECT seq FROM details WHERE seq <= (SELECT max(seq) FROM messages) - 10000
    ORDER BY seq LIMIT 32
);
DELETE FROM events WHERE event IN (
    SELECT event FROM events ORDER BY event LIMIT 32
) AND unix_ms < ?1";

/// Forgets the tenants not seen for longest beyond 100,000 of them. It counts them all, so it is
/// asked less often.
const TIDY_TENANTS_SQL: &str = "DELETE FROM tenants WHERE tenant IN (
    SELECT tenant FROM tenants ORDER BY last_seq
    LIMIT max(0, min(2048, (SELECT count(*) FROM tenants) - 100000))
)";

const ATTEMPT: &str = "record an outcome";
const RAISED_BY_TRIGGER: i32 = 1811;
const REASON_BYTES_MAX: usize = 2_000;
const TIDY_TENANTS_EVERY: i64 = 1_024;
const EVENTS_KEPT_MS: u64 = 90 * 24 * 60 * 60 * 1_000;

impl Store {
    /// Records the outcome of an accepted message, with its incidents (each kind counts once),
    /// whole or not at all. Output is not stored; the analysis is shortened where it is long.
    ///
    /// # Errors
    /// [`StoreError::AlreadyFinished`] when the message has an outcome: the first one stands;
    /// [`StoreError::UnknownMessage`] when it was not accepted; otherwise when the store is full,
    /// read-only, damaged, or locked by another process for too long.
    pub async fn finish(
        &self,
        outcome: &Outcome,
        events: &[EventKind],
        ended_unix_ms: u64,
    ) -> Result<(), StoreError> {
        let decision = outcome.decision.as_ref();
        let usage = &outcome.usage;
        let reason = outcome.reason.as_deref();
        let lesson = outcome.profile.as_ref().map(|profile| profile.lesson);
        let memory = lesson.and_then(|lesson| lesson.memory);
        let cpu = lesson.and_then(|lesson| lesson.cpu);
        let query = sqlx::query(FINISH_SQL)
            .bind(outcome.id.to_string())
            .bind(outcome.status.name())
            .bind(integer(ended_unix_ms))
            .bind(outcome.exit_code)
            .bind(outcome.signal)
            .bind(outcome.limit.map(|limit| limit.name.name()))
            .bind(outcome.limit.map(|limit| integer(limit.value)))
            .bind(reason.map(|reason| cut(reason, REASON_BYTES_MAX)))
            .bind(outcome.truncated)
            .bind(decision.map(|decision| decision.level.name()))
            .bind(decision.map(|decision| cut(&decision.rule, REASON_BYTES_MAX)))
            .bind(outcome.risk.as_ref().map(|risk| risk.score))
            .bind(integer(usage.wall_time_us))
            .bind(integer(usage.cpu_time_us))
            .bind(integer(usage.memory_peak_bytes))
            .bind(integer(usage.output_bytes))
            .bind(integer(usage.disk_bytes))
            .bind(i64::from(usage.processes_peak))
            .bind(details::encode(outcome))
            .bind(event_list(events))
            .bind(lesson.map(|lesson| integer(lesson.input)))
            .bind(memory.map(|told| integer(told.plain)))
            .bind(memory.map(|told| integer(told.given)))
            .bind(cpu.map(|told| integer(told.plain)))
            .bind(cpu.map(|told| integer(told.given)))
            .bind(usage.io.map(|io| integer(io.reads)))
            .bind(usage.io.map(|io| integer(io.writes)))
            .bind(usage.io.map(|io| integer(io.read_bytes)))
            .bind(usage.io.map(|io| integer(io.written_bytes)));
        let mut connection = self.lock().await;
        if let Err(error) = query.execute(&mut *connection).await {
            return Err(self.finish_error(&mut connection, error, outcome.id).await);
        }
        let seq = self.tidy_due.swap(0, Ordering::Relaxed);
        if seq != 0 {
            tidy(&mut connection, seq, ended_unix_ms).await;
        }
        Ok(())
    }

    /// Gives every unfinished message whose process no longer lives the outcome
    /// `failed` with the reason [`INTERRUPTED`], and returns which. Of several callers
    /// at the same time, exactly one gets each message. [`Owner::is_alive`] is the usual question.
    ///
    /// # Errors
    /// When the store is full, read-only, damaged, or locked by another process for too long.
    /// Messages that were marked before the error stay marked.
    pub async fn recover(
        &self,
        is_alive: impl Fn(&Owner) -> bool,
        now_unix_ms: u64,
    ) -> Result<Vec<MessageId>, StoreError> {
        let mut interrupted = Vec::new();
        for owner in self.open_owners().await? {
            if is_alive(&owner) {
                continue;
            }
            for id in self.open_messages(&owner).await? {
                match self.interrupt(id, now_unix_ms).await {
                    Ok(()) => interrupted.push(id),
                    // Somebody else was faster.
                    Err(StoreError::AlreadyFinished { .. } | StoreError::UnknownMessage { .. }) => {
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(interrupted)
    }

    async fn open_owners(&self) -> Result<Vec<Owner>, StoreError> {
        let rows: Vec<(u32, i64, String)> = sqlx::query_as(
            "SELECT DISTINCT owner_pid, owner_start_ticks, owner_boot_id
             FROM messages WHERE status IS NULL",
        )
        .fetch_all(&mut *self.lock().await)
        .await
        .map_err(self.fail(ATTEMPT))?;
        let owners = rows.into_iter().map(|(pid, start_ticks, boot_id)| Owner {
            pid,
            start_ticks: unsigned(start_ticks),
            boot_id,
        });
        Ok(owners.collect())
    }

    async fn open_messages(&self, owner: &Owner) -> Result<Vec<MessageId>, StoreError> {
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM messages WHERE status IS NULL
             AND owner_pid = ?1 AND owner_start_ticks = ?2 AND owner_boot_id = ?3 ORDER BY seq",
        )
        .bind(owner.pid)
        .bind(integer(owner.start_ticks))
        .bind(owner.boot_id.as_str())
        .fetch_all(&mut *self.lock().await)
        .await
        .map_err(self.fail(ATTEMPT))?;
        let parse = |id: String| {
            id.parse()
                .map_err(|_| StoreError::bad_value(ATTEMPT, &self.path, format!("id {id:?}")))
        };
        ids.into_iter().map(parse).collect()
    }

    async fn interrupt(&self, id: MessageId, now_unix_ms: u64) -> Result<(), StoreError> {
        let query = sqlx::query(INTERRUPT_SQL)
            .bind(id.to_string())
            .bind(integer(now_unix_ms))
            .bind(INTERRUPTED);
        let mut connection = self.lock().await;
        match query.execute(&mut *connection).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.finish_error(&mut connection, error, id).await),
        }
    }

    /// The trigger refuses unknown and finished messages alike; here they are told apart.
    async fn finish_error(
        &self,
        connection: &mut SqliteConnection,
        error: sqlx::Error,
        id: MessageId,
    ) -> StoreError {
        if sqlite_code(&error) != Some(RAISED_BY_TRIGGER) {
            return StoreError::from_sqlx(ATTEMPT, &self.path, error);
        }
        let known = sqlx::query("SELECT 1 FROM messages WHERE id = ?1")
            .bind(id.to_string())
            .fetch_optional(connection)
            .await;
        match known {
            Ok(Some(_)) => StoreError::AlreadyFinished { id },
            Ok(None) => StoreError::UnknownMessage { id },
            Err(error) => StoreError::from_sqlx(ATTEMPT, &self.path, error),
        }
    }
}

/// Each kind once, as a JSON array of names.
fn event_list(events: &[EventKind]) -> String {
    let kinds: BTreeSet<EventKind> = events.iter().copied().collect();
    // The names have no characters that JSON would escape.
    let names: Vec<String> = kinds
        .into_iter()
        .map(|kind| format!("\"{}\"", event_name(kind)))
        .collect();
    format!("[{}]", names.join(","))
}

/// Failing to forget is no reason to fail a message: it is tried again a few messages later.
async fn tidy(connection: &mut SqliteConnection, seq: i64, now_unix_ms: u64) {
    let forget_before = now_unix_ms.saturating_sub(EVENTS_KEPT_MS);
    let _ = sqlx::query(TIDY_MESSAGES_SQL)
        .bind(integer(forget_before))
        .execute(&mut *connection)
        .await;
    if seq % TIDY_TENANTS_EVERY == 0 {
        let _ = sqlx::query(TIDY_TENANTS_SQL).execute(connection).await;
    }
}
