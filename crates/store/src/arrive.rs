//! The beginning of a message's way: it is accepted, and what is known of its sender is read.

use std::sync::atomic::Ordering;

use atoll_types::{MessageId, Origin, Past, ProgramHash, ProgramKind, SenderHistory, TenantId};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite};

use crate::codes::{cut, integer, origin_name};
use crate::error::sqlite_code;
use crate::history::{past_sql, runs_limit, sender_history_sql};
use crate::{Owner, Store, StoreError};

/// Accepts a message: tenant ?1, program ?2, then ?4 to ?11. (?3 belongs to the past runs.)
macro_rules! accept_sql {
    () => {
        "INSERT INTO messages (
            tenant, program, id, origin, program_name, kind, received_unix_ms,
            owner_pid, owner_start_ticks, owner_boot_id
        ) VALUES (?1, ?2, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        RETURNING seq"
    };
}

/// One text is one trip to SQLite's thread and back, for three answers.
const ARRIVE_SQL: &str = concat!(sender_history_sql!(), ";", past_sql!(), ";", accept_sql!());

const ATTEMPT: &str = "accept a message";
const UNIQUE: i32 = 2067;
const NAME_BYTES_MAX: usize = 255;

/// Old records are looked for after every so many messages.
const TIDY_EVERY: i64 = 16;

/// A message that has arrived, as far as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its id, never used before.
    pub id: MessageId,
    /// Who sent it.
    pub tenant: TenantId,
    /// How it reached this node.
    pub origin: Origin,
    /// Identity of the program.
    pub program: ProgramHash,
    /// The name the program came under; 255 bytes of it are kept.
    pub program_name: String,
    /// What the program was recognised as.
    pub kind: ProgramKind,
    /// Arrival, in milliseconds since the Unix epoch.
    pub received_unix_ms: u64,
    /// The process that will finish it.
    pub owner: Owner,
}

/// What was known when a message arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// Of its sender; the message itself is not in it.
    pub history: SenderHistory,
    /// Of its program and of its tenant's predictions.
    pub past: Past,
}

impl Store {
    /// Writes down that a message was accepted, so that it will have an outcome even if this
    /// process dies.
    ///
    /// # Errors
    /// [`StoreError::AlreadyAccepted`] for an id that is in the store; otherwise when the store
    /// is full, read-only, damaged, or locked by another process for too long.
    pub async fn accept(&self, message: &Accepted) -> Result<(), StoreError> {
        match self.ask(accept_sql!(), message, 0).await?.as_slice() {
            [accepted] => self.note_tidy(accepted),
            answers => Err(self.wrong_answers(answers.len())),
        }
    }

    /// [`Store::sender_history`], [`Store::past`] and [`Store::accept`] in this order, in one
    /// go: the fastest way to begin a message.
    ///
    /// # Errors
    /// As [`Store::accept`] and [`Store::sender_history`]. When it is the history that cannot be
    /// read, the message may have been accepted; finishing it tells.
    pub async fn arrive(
        &self,
        message: &Accepted,
        past_runs_newest: u32,
    ) -> Result<Arrival, StoreError> {
        let newest = runs_limit(past_runs_newest);
        match self.ask(ARRIVE_SQL, message, newest).await?.as_slice() {
            [history, runs, accepted] => {
                self.note_tidy(accepted)?;
                Ok(Arrival {
                    history: self.read_history(history)?,
                    past: self.read_past(runs)?,
                })
            }
            answers => Err(self.wrong_answers(answers.len())),
        }
    }

    /// Asks for all rows, even where there is one: a statement that writes is only committed, and
    /// only fails to, after its last row.
    async fn ask(
        &self,
        sql: &'static str,
        message: &Accepted,
        newest: u32,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        bind(sql, message, newest)
            .fetch_all(&mut *self.lock().await)
            .await
            .map_err(|error| match sqlite_code(&error) {
                Some(UNIQUE) => StoreError::AlreadyAccepted { id: message.id },
                _ => StoreError::from_sqlx(ATTEMPT, &self.path, error),
            })
    }

    fn note_tidy(&self, accepted: &SqliteRow) -> Result<(), StoreError> {
        let seq: i64 = accepted.try_get(0).map_err(self.fail(ATTEMPT))?;
        if seq % TIDY_EVERY == 0 {
            self.tidy_due.store(seq, Ordering::Relaxed);
        }
        Ok(())
    }

    fn wrong_answers(&self, count: usize) -> StoreError {
        let what = format!("{count} answers to an arrival");
        StoreError::bad_value(ATTEMPT, &self.path, what)
    }
}

fn bind<'q>(
    sql: &'static str,
    message: &Accepted,
    newest: u32,
) -> Query<'q, Sqlite, SqliteArguments> {
    sqlx::query(sql)
        .bind(message.tenant.as_str().to_owned())
        .bind(message.program.as_bytes().to_vec())
        .bind(newest)
        .bind(message.id.to_string())
        .bind(origin_name(message.origin))
        .bind(cut(&message.program_name, NAME_BYTES_MAX))
        .bind(message.kind.name())
        .bind(integer(message.received_unix_ms))
        .bind(message.owner.pid)
        .bind(integer(message.owner.start_ticks))
        .bind(message.owner.boot_id.clone())
}
