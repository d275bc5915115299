//! Looking back: single messages, lists of them, tenants and totals.

use atoll_types::{MessageId, ProgramHash, Status, TenantId};
use sqlx::{QueryBuilder, Sqlite};

use crate::codes::unsigned;
use crate::history::ATTEMPT;
use crate::row::{read_record, read_row};
use crate::{Record, Row, Store, StoreError};

/// Which messages to list. The default is the newest 100 of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Only messages of this tenant.
    pub tenant: Option<TenantId>,
    /// Only messages with this program.
    pub program: Option<ProgramHash>,
    /// Only messages that got this far.
    pub progress: Progress,
    /// Only messages accepted before this one: the last of one page gives the next page. No
    /// messages at all when the store does not know it.
    pub before: Option<MessageId>,
    /// The most messages to return; more than [`Filter::LIMIT_MAX`] counts as that.
    pub limit: u32,
}

impl Filter {
    /// The most messages one list can have.
    pub const LIMIT_MAX: u32 = 10_000;
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            tenant: None,
            program: None,
            progress: Progress::Any,
            before: None,
            limit: 100,
        }
    }
}

/// How far a message got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Progress {
    /// No matter how far.
    #[default]
    Any,
    /// It was accepted and has no outcome yet.
    Unfinished,
    /// It has an outcome.
    Finished,
    /// It has an outcome with this status.
    Ended(Status),
}

/// What is known of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantSummary {
    /// Who.
    pub tenant: TenantId,
    /// Messages that reached an outcome, ever.
    pub messages: u64,
    /// Incidents, ever.
    pub incidents: u64,
    /// When its latest outcome was recorded, in milliseconds since the Unix epoch.
    pub last_seen_unix_ms: u64,
}

/// What the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Messages with a row of their own, finished or not.
    pub messages_kept: u64,
    /// Messages without an outcome yet.
    pub unfinished: u64,
    /// Outcomes ever recorded for the tenants that are remembered.
    pub outcomes: u64,
    /// Incidents ever recorded for the tenants that are remembered.
    pub incidents: u64,
    /// Tenants that are remembered.
    pub tenants: u64,
    /// Size of the database, in bytes, without its write-ahead log.
    pub database_bytes: u64,
}

impl Store {
    /// Lists messages, the last accepted first.
    ///
    /// # Errors
    /// When the store is locked by another process for too long, damaged or unreadable.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Row>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM messages WHERE 1");
        if let Some(tenant) = &filter.tenant {
            query.push(" AND tenant = ").push_bind(tenant.as_str());
        }
        if let Some(program) = &filter.program {
            query
                .push(" AND program = ")
                .push_bind(program.as_bytes().as_slice());
        }
        match filter.progress {
            Progress::Any => {}
            Progress::Unfinished => {
                query.push(" AND status IS NULL");
            }
            Progress::Finished => {
                query.push(" AND status IS NOT NULL");
            }
            Progress::Ended(status) => {
                query.push(" AND status = ").push_bind(status.name());
            }
        }
        if let Some(before) = filter.before {
            query
                .push(" AND seq < (SELECT seq FROM messages WHERE id = ")
                .push_bind(before.to_string())
                .push(")");
        }
        query
            .push(" ORDER BY seq DESC LIMIT ")
            .push_bind(filter.limit.min(Filter::LIMIT_MAX));
        let rows = query
            .build()
            .fetch_all(&mut *self.lock().await)
            .await
            .map_err(self.fail(ATTEMPT))?;
        rows.iter()
            .map(|row| read_row(row).map_err(self.fail(ATTEMPT)))
            .collect()
    }

    /// Everything stored about one message; `None` when the store does not know it.
    ///
    /// # Errors
    /// When the store is locked by another process for too long, damaged or unreadable.
    pub async fn outcome(&self, id: MessageId) -> Result<Option<Record>, StoreError> {
        let found = sqlx::query(
            "SELECT m.*, d.json AS details,
                (SELECT group_concat(kind) FROM events WHERE message = m.id AND tenant = m.tenant)
                    AS event_kinds
             FROM messages AS m LEFT JOIN details AS d USING (seq) WHERE m.id = ?1",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *self.lock().await)
        .await
        .map_err(self.fail(ATTEMPT))?;
        found
            .map(|row| read_record(&row).map_err(self.fail(ATTEMPT)))
            .transpose()
    }

    /// The tenants that were seen last, at most `newest` of them.
    ///
    /// # Errors
    /// When the store is locked by another process for too long, damaged or unreadable.
    pub async fn tenants(&self, newest: u32) -> Result<Vec<TenantSummary>, StoreError> {
        let rows: Vec<(String, i64, i64, i64)> = sqlx::query_as(
            "SELECT tenant, messages, incidents, last_seen_unix_ms FROM tenants
             ORDER BY last_seq DESC LIMIT ?1",
        )
        .bind(newest.min(Filter::LIMIT_MAX))
        .fetch_all(&mut *self.lock().await)
        .await
        .map_err(self.fail(ATTEMPT))?;
        let read = |(tenant, messages, incidents, last_seen): (String, i64, i64, i64)| {
            Ok(TenantSummary {
                tenant: tenant.parse().map_err(|error| {
                    StoreError::bad_value(ATTEMPT, &self.path, format!("{tenant:?}: {error}"))
                })?,
                messages: unsigned(messages),
                incidents: unsigned(incidents),
                last_seen_unix_ms: unsigned(last_seen),
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// How much the store holds. Counts rows, so it takes milliseconds where there are many.
    ///
    /// # Errors
    /// When the store is locked by another process for too long, damaged or unreadable.
    pub async fn totals(&self) -> Result<Totals, StoreError> {
        let (messages_kept, unfinished, outcomes, incidents, tenants, database_bytes): (
            i64,
            i64,
            i64,
            i64,
            i64,
            i64,
        ) = sqlx::query_as(
            "SELECT
                (SELECT count(*) FROM messages),
                (SELECT count(*) FROM messages WHERE status IS NULL),
                (SELECT coalesce(sum(messages), 0) FROM tenants),
                (SELECT coalesce(sum(incidents), 0) FROM tenants),
                (SELECT count(*) FROM tenants),
                (SELECT page_count FROM pragma_page_count)
                    * (SELECT page_size FROM pragma_page_size)",
        )
        .fetch_one(&mut *self.lock().await)
        .await
        .map_err(self.fail(ATTEMPT))?;
        Ok(Totals {
            messages_kept: unsigned(messages_kept),
            unfinished: unsigned(unfinished),
            outcomes: unsigned(outcomes),
            incidents: unsigned(incidents),
            tenants: unsigned(tenants),
            database_bytes: unsigned(database_bytes),
        })
    }
}
