-- Version 3 of the store. Times are milliseconds since the Unix epoch; amounts that SQLite's
-- 64-bit signed integers cannot hold are stored as the largest one.

-- One row for each accepted message. `status` is NULL until the message has its outcome. Reads and
-- writes, calls and bytes, are NULL where nobody counted. These were added to stores of earlier
-- versions, and stand here as SQLite writes that down.
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    origin TEXT NOT NULL,
    program BLOB NOT NULL,
    program_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    received_unix_ms INTEGER NOT NULL,
    owner_pid INTEGER NOT NULL,
    owner_start_ticks INTEGER NOT NULL,
    owner_boot_id TEXT NOT NULL,
    status TEXT,
    ended_unix_ms INTEGER,
    exit_code INTEGER,
    signal INTEGER,
    limit_name TEXT,
    limit_value INTEGER,
    reason TEXT,
    truncated INTEGER,
    level TEXT,
    rule TEXT,
    risk_score REAL,
    wall_time_us INTEGER,
    cpu_time_us INTEGER,
    memory_peak_bytes INTEGER,
    output_bytes INTEGER,
    disk_bytes INTEGER,
    processes_peak INTEGER
, reads INTEGER, writes INTEGER, read_bytes INTEGER, written_bytes INTEGER) STRICT;

-- Holds everything the arrivals of a tenant are judged by, so that the table is not read.
CREATE INDEX messages_by_tenant ON messages (tenant, seq, received_unix_ms);

-- Small: only messages that are being worked on, or whose process died, are in it.
CREATE INDEX messages_open ON messages (owner_pid, owner_start_ticks, owner_boot_id)
    WHERE status IS NULL;

-- The long parts of an outcome, as JSON. A table of its own, because they are kept for fewer
-- messages and are not needed where many messages are read.
CREATE TABLE details (
    seq INTEGER PRIMARY KEY,
    json TEXT NOT NULL
) STRICT;

-- Incidents. They may outlive the message they came from.
CREATE TABLE events (
    event INTEGER PRIMARY KEY,
    message TEXT NOT NULL,
    tenant TEXT NOT NULL,
    program BLOB NOT NULL,
    kind TEXT NOT NULL,
    unix_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX events_by_tenant ON events (tenant, event);
CREATE INDEX events_by_program ON events (program, event);

-- No tenant, however busy, can make the store grow by misbehaving: its oldest incidents go.
CREATE TRIGGER events_bounded AFTER INSERT ON events
BEGIN
    DELETE FROM events
    WHERE tenant = NEW.tenant AND event <= (
        SELECT event FROM events WHERE tenant = NEW.tenant
        ORDER BY event DESC LIMIT 1 OFFSET 1024
    );
END;

-- Totals that outlive the messages they count.
CREATE TABLE tenants (
    tenant TEXT PRIMARY KEY,
    messages INTEGER NOT NULL,
    incidents INTEGER NOT NULL,
    last_seen_unix_ms INTEGER NOT NULL,
    last_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX tenants_by_age ON tenants (last_seq);

-- Outcomes by program and tenant. The empty tenant stands for all tenants together; no real
-- tenant has that name.
CREATE TABLE programs (
    program BLOB NOT NULL,
    tenant TEXT NOT NULL,
    messages INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (program, tenant)
) STRICT, WITHOUT ROWID;

-- Below: what version 1 did not have, or had otherwise.

-- What a run was given and what was predicted for it, beside what it used. A table of its own: it
-- is found by tenant, newest first, or joined to the runs of a program.
CREATE TABLE lessons (
    seq INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    level TEXT,
    input INTEGER NOT NULL,
    memory_plain INTEGER,
    memory_given INTEGER,
    cpu_plain INTEGER,
    cpu_given INTEGER,
    memory_used INTEGER NOT NULL,
    cpu_used INTEGER NOT NULL,
    at_least INTEGER NOT NULL
) STRICT;

-- Holds all that a tenant's predictions are corrected by, so that the table is not read.
CREATE INDEX lessons_by_tenant ON lessons (
    tenant, seq, level, memory_plain, memory_given, cpu_plain, cpu_given, memory_used, cpu_used,
    at_least
) WHERE memory_plain IS NOT NULL;

-- A count of a program goes together with the last message it counts, which bounds the table.
CREATE TRIGGER messages_forgotten AFTER DELETE ON messages
BEGIN
    DELETE FROM details WHERE seq = OLD.seq;
    DELETE FROM lessons WHERE seq = OLD.seq;
    DELETE FROM programs
    WHERE program = OLD.program AND tenant IN (OLD.tenant, '') AND last_seq <= OLD.seq;
END;

-- Below: what version 2 did not have, or had otherwise.

-- Holds everything the next prediction is made from, so that the table is not read.
CREATE INDEX messages_runs ON messages (
    program, seq, status, limit_name, limit_value, ended_unix_ms, wall_time_us, cpu_time_us,
    memory_peak_bytes, output_bytes, disk_bytes, processes_peak, reads, writes, read_bytes,
    written_bytes, level
) WHERE status IN ('exited', 'signalled', 'limit') OR status = 'failed' AND memory_peak_bytes > 0;

-- Inserting into this view records an outcome. A view with a trigger makes one statement out of
-- everything that has to happen together: it is done whole or not at all, whether the process is
-- killed or the caller stops waiting, and no other way to an outcome exists.
CREATE VIEW outcomes AS
SELECT
    id, status, ended_unix_ms, exit_code, signal, limit_name, limit_value, reason, truncated,
    level, rule, risk_score, wall_time_us, cpu_time_us, memory_peak_bytes, output_bytes,
    disk_bytes, processes_peak, reads, writes, read_bytes, written_bytes,
    NULL AS details, NULL AS event_kinds, NULL AS input,
    NULL AS memory_plain, NULL AS memory_given, NULL AS cpu_plain, NULL AS cpu_given
FROM messages WHERE status IS NOT NULL;

CREATE TRIGGER outcomes_record INSTEAD OF INSERT ON outcomes
BEGIN
    SELECT RAISE(ABORT, 'the message is unknown or has its outcome')
    WHERE NOT EXISTS (SELECT 1 FROM messages WHERE id = NEW.id AND status IS NULL);

    UPDATE messages SET
        status = NEW.status, ended_unix_ms = NEW.ended_unix_ms, exit_code = NEW.exit_code,
        signal = NEW.signal, limit_name = NEW.limit_name, limit_value = NEW.limit_value,
        reason = NEW.reason, truncated = NEW.truncated, level = NEW.level, rule = NEW.rule,
        risk_score = NEW.risk_score, wall_time_us = NEW.wall_time_us,
        cpu_time_us = NEW.cpu_time_us, memory_peak_bytes = NEW.memory_peak_bytes,
        output_bytes = NEW.output_bytes, disk_bytes = NEW.disk_bytes,
        processes_peak = NEW.processes_peak, reads = NEW.reads, writes = NEW.writes,
        read_bytes = NEW.read_bytes, written_bytes = NEW.written_bytes
    WHERE id = NEW.id;

    INSERT INTO details (seq, json)
    SELECT seq, NEW.details FROM messages WHERE id = NEW.id AND NEW.details IS NOT NULL;

    INSERT INTO lessons (
        seq, tenant, level, input, memory_plain, memory_given, cpu_plain, cpu_given,
        memory_used, cpu_used, at_least
    )
    SELECT seq, tenant, NEW.level, NEW.input, NEW.memory_plain, NEW.memory_given, NEW.cpu_plain,
        NEW.cpu_given, NEW.memory_peak_bytes, NEW.cpu_time_us, NEW.status IN ('limit', 'failed')
    FROM messages
    WHERE id = NEW.id AND NEW.input IS NOT NULL AND NEW.memory_peak_bytes > 0
        AND NEW.status <> 'refused';

    INSERT INTO events (message, tenant, program, kind, unix_ms)
    SELECT m.id, m.tenant, m.program, e.value, NEW.ended_unix_ms
    FROM messages AS m, json_each(NEW.event_kinds) AS e WHERE m.id = NEW.id;

    INSERT INTO tenants (tenant, messages, incidents, last_seen_unix_ms, last_seq)
    SELECT tenant, 1, json_array_length(NEW.event_kinds), NEW.ended_unix_ms, seq
    FROM messages WHERE id = NEW.id
    ON CONFLICT DO UPDATE SET
        messages = messages + 1,
        incidents = incidents + excluded.incidents,
        last_seen_unix_ms = max(last_seen_unix_ms, excluded.last_seen_unix_ms),
        last_seq = max(last_seq, excluded.last_seq);

    INSERT INTO programs (program, tenant, messages, last_seq)
    SELECT m.program, t.tenant, 1, m.seq
    FROM messages AS m, (SELECT tenant FROM messages WHERE id = NEW.id UNION ALL SELECT '') AS t
    WHERE m.id = NEW.id
    ON CONFLICT DO UPDATE SET
        messages = messages + 1,
        last_seq = max(last_seq, excluded.last_seq);
END;
