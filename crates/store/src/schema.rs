//! Connecting to the file: SQLite's settings, making a new database, knowing its version.
//!
//! The version is SQLite's own `user_version`, so that opening an up-to-date store costs one look
//! at the file's first page. A change to the schema adds a step from the version before it.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};

use crate::StoreError;
use crate::error::sqlite_code;

/// The schema this program reads and writes.
pub(crate) const VERSION: i64 = 3;

/// Marks the file as Atoll's ("ATOL"), as SQLite's `application_id` is meant to.
const APPLICATION_ID: i64 = 0x4154_4f4c;

const SCHEMA: &str = include_str!("schema.sql");
const ATTEMPT: &str = "open the store";

/// Stands in the schema before all that version 1 did not have or had otherwise.
const SINCE_2: &str = "-- Below: what version 1 did not have, or had otherwise.";

/// Of version 1, what version 2 makes anew.
const GONE_SINCE_1: &str = "DROP TRIGGER messages_forgotten;";

/// Stands in the schema before all that version 2 did not have or had otherwise.
const SINCE_3: &str = "-- Below: what version 2 did not have, or had otherwise.";

/// Of version 2 and before, what version 3 makes anew, and what it adds to tables.
const GONE_SINCE_2: &str = "DROP TRIGGER outcomes_record; DROP VIEW outcomes; \
    DROP INDEX messages_runs; \
    ALTER TABLE messages ADD COLUMN reads INTEGER; \
    ALTER TABLE messages ADD COLUMN writes INTEGER; \
    ALTER TABLE messages ADD COLUMN read_bytes INTEGER; \
    ALTER TABLE messages ADD COLUMN written_bytes INTEGER;";

/// What the first page says the file is.
enum Content {
    /// A new file.
    Nothing,
    /// A store of this version.
    Store(i64),
    /// Tables of another program.
    Foreign,
}

/// Opens a connection to an existing, possibly empty, file and brings the schema up to date.
pub(crate) async fn connect(
    path: &Path,
    busy_timeout: Duration,
) -> Result<SqliteConnection, StoreError> {
    let deadline = Instant::now() + busy_timeout;
    let fail = |error| StoreError::from_sqlx(ATTEMPT, path, error);
    loop {
        let mut connection = options(path, busy_timeout).connect().await.map_err(fail)?;
        match content(&mut connection).await.map_err(fail)? {
            Content::Store(VERSION) if is_whole(&mut connection).await.map_err(fail)? => {
                return Ok(connection);
            }
            Content::Store(VERSION) => {
                return Err(StoreError::Damaged {
                    attempt: ATTEMPT,
                    path: path.to_owned(),
                    source: "the descriptions of its tables are not those that were made".into(),
                });
            }
            Content::Store(from @ 1..VERSION) => match update(&mut connection, from).await {
                Ok(()) => {}
                Err(error) if is_busy(&error) && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(error) => return Err(fail(error)),
            },
            Content::Store(found) => {
                let known = VERSION;
                let path = path.to_owned();
                return Err(StoreError::NewerVersion { path, found, known });
            }
            Content::Foreign => {
                return Err(StoreError::Foreign {
                    path: path.to_owned(),
                });
            }
            Content::Nothing => match create(&mut connection).await {
                Ok(()) => {}
                Err(error) if is_busy(&error) && Instant::now() < deadline => {
                    // Another process makes the same new store, and SQLite does not wait for a
                    // change of the journal mode. Once in a store's life, and for milliseconds,
                    // so a timer (which the caller's runtime may not have) is not worth it.
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(error) => return Err(fail(error)),
            },
        }
        // Look again, through a new connection: whoever made the store, it is there now.
        let _ = connection.close().await;
    }
}

fn options(path: &Path, busy_timeout: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(busy_timeout)
        // In a write-ahead log this promises: what was recorded survives the end of the process,
        // however sudden, because the kernel has it. After a power failure or a crash of the
        // kernel the last moments may be missing, but the file is whole. The stronger promise
        // (FULL) costs a flush of the disk for each message.
        .synchronous(SqliteSynchronous::Normal)
        // The file is checked for its owner, yet nothing in it needs functions with side effects.
        .pragma("trusted_schema", "OFF")
        // Finds damaged pages when they are read, before they lead somewhere else.
        .pragma("cell_size_check", "ON")
        // Not memory-mapped, which is SQLite's default: a disk error would be a signal that ends
        // the process, and the lookups here are too small to gain from it.
        .pragma("mmap_size", "0")
        // Merging the log into the file flushes the disk, which takes milliseconds. At SQLite's
        // usual 1,000 pages that meets more than one message in a hundred, at 4,000 (16 MiB) about
        // one in 300.
        .pragma("wal_autocheckpoint", "4000")
        .disable_statement_logging()
}

async fn content(connection: &mut SqliteConnection) -> Result<Content, sqlx::Error> {
    // Both marks are written together, so what looks like a store is one.
    if let (APPLICATION_ID, version @ 1..) = marks(connection).await? {
        return Ok(Content::Store(version));
    }
    // Another process may be making the store right now: only one view of all three facts tells
    // its half-seen work from another program's.
    let mut transaction = connection.begin().await?;
    let marks = marks(&mut transaction).await?;
    let objects: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(match (marks, objects) {
        ((APPLICATION_ID, version @ 1..), _) => Content::Store(version),
        ((0, 0), 0) => Content::Nothing,
        _ => Content::Foreign,
    })
}

/// Whether the tables are those that were made. A name in their descriptions that is damaged would
/// end the thread that the connection has, and whoever asks it something then may wait for ever.
async fn is_whole(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let described: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT CAST(sql AS BLOB) FROM sqlite_schema \
         WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .fetch_all(connection)
    .await?;
    let is_ours =
        |text: &Vec<u8>| std::str::from_utf8(text).is_ok_and(|text| SCHEMA.contains(text));
    let made = SCHEMA.lines().filter(|line| line.starts_with("CREATE "));
    Ok(described.len() == made.count() && described.iter().all(is_ours))
}

/// The application id and the version.
async fn marks(connection: &mut SqliteConnection) -> Result<(i64, i64), sqlx::Error> {
    let rows = sqlx::query("PRAGMA application_id; PRAGMA user_version")
        .fetch_all(connection)
        .await?;
    let number = |index: usize| rows.get(index).map_or(Ok(0), |row| row.try_get(0));
    Ok((number(0)?, number(1)?))
}

/// Makes the tables, all or nothing. The journal mode comes first: it cannot change inside a
/// transaction, and a store with a version must have it.
async fn create(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("PRAGMA journal_mode = WAL")
        .execute(&mut *connection)
        .await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    if let Content::Nothing = content(&mut transaction).await? {
        sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await?;
        let marks =
            format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(marks))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

/// Brings a store of an earlier version up to date, all or nothing. Records stay as they are.
async fn update(connection: &mut SqliteConnection, from: i64) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    // Somebody else may have been faster.
    if marks(&mut transaction).await? == (APPLICATION_ID, from) {
        let (gone, mark) = match from {
            1 => (GONE_SINCE_1, SINCE_2),
            _ => ("", SINCE_3),
        };
        let since = SCHEMA.split_once(mark).map_or("", |(_, since)| since);
        let step = format!("{GONE_SINCE_2} {gone} {since} PRAGMA user_version = {VERSION}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(step))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

fn is_busy(error: &sqlx::Error) -> bool {
    sqlite_code(error).is_some_and(|code| matches!(code & 0xff, 5 | 6))
}
