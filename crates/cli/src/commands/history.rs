//! `atoll history`: what the store knows.

use std::fmt::Write as _;

use atoll_engine::{Filter, Progress, Record, Row, Totals};
use atoll_types::{EventKind, IoUsage, Status};
use comfy_table::{ContentArrangement, Table, presets};

use crate::args::{HistoryArgs, HostArgs};
use crate::commands::calls::counts;
use crate::commands::explain::{decision_lines, limit_lines, profile_lines, risk_lines};
use crate::commands::fitted;
use crate::error::CliError;
use crate::terminal::{BOLD, instant, limit, plain, print, section, size, styled, time};
use crate::{json, message};

pub(crate) async fn history(args: HistoryArgs, host: HostArgs) -> Result<u8, CliError> {
    let engine = message::open(host, None)?;
    if let Some(id) = args.id {
        let Some(record) = engine.message(id).await? else {
            return Err(CliError::UnknownMessage { id });
        };
        print(&if args.json {
            json::record(&record)
        } else {
            one(&record)
        })?;
        return Ok(0);
    }
    let filter = Filter {
        tenant: args.tenant,
        progress: args.status.map_or(Progress::Any, Progress::Ended),
        limit: args.limit,
        ..Filter::default()
    };
    let rows = engine.history(&filter).await?;
    let totals = engine.totals().await?;
    print(&if args.json {
        json::history(&rows, &totals)
    } else {
        list(&rows, &totals)
    })?;
    Ok(0)
}

fn list(rows: &[Row], totals: &Totals) -> String {
    let mut out = String::new();
    if rows.is_empty() {
        out.push_str("no messages\n");
    } else {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header([
                "id", "received", "tenant", "program", "level", "end", "time", "CPU", "memory",
            ]);
        for row in rows {
            table.add_row(cells(row));
        }
        for line in table.lines() {
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
    let _ = writeln!(
        out,
        "{} outcomes and {} incidents of {} tenants; {} messages kept in {}",
        totals.outcomes,
        totals.incidents,
        totals.tenants,
        totals.messages_kept,
        size(totals.database_bytes)
    );
    out
}

fn cells(row: &Row) -> [String; 9] {
    let used = |amount: fn(&atoll_types::Usage) -> String| {
        row.usage.as_ref().map_or_else(String::new, amount)
    };
    [
        row.id.to_string(),
        instant(row.received_unix_ms),
        row.tenant.to_string(),
        short(&plain(&row.program_name)),
        row.level.map_or("", |level| level.name()).to_owned(),
        end(row),
        used(|usage| time(usage.wall_time_us)),
        used(|usage| time(usage.cpu_time_us)),
        used(|usage| size(usage.memory_peak_bytes)),
    ]
}

/// How a message ended, in a word or two.
fn end(row: &Row) -> String {
    match row.status {
        None => "running".to_owned(),
        Some(Status::Exited) => match row.exit_code {
            Some(code) => format!("exited {code}"),
            None => "exited".to_owned(),
        },
        Some(Status::Signalled) => match row.signal {
            Some(signal) => format!("signal {signal}"),
            None => "trapped".to_owned(),
        },
        Some(Status::Limit) => match row.limit {
            Some(hit) => format!("limit {}", hit.name),
            None => "limit".to_owned(),
        },
        Some(status @ (Status::Refused | Status::Failed)) => status.name().to_owned(),
    }
}

fn short(name: &str) -> String {
    const CHARACTERS_MAX: usize = 32;
    if name.chars().count() <= CHARACTERS_MAX {
        return name.to_owned();
    }
    let mut short: String = name.chars().take(CHARACTERS_MAX - 1).collect();
    short.push('\u{2026}');
    short
}

fn one(record: &Record) -> String {
    let row = &record.row;
    let mut out = String::new();
    let name = styled(BOLD, &plain(&row.program_name));
    let _ = writeln!(out, "{name}  {}  {}", row.kind, row.id);
    let mut lines = vec![
        format!("tenant {}", row.tenant),
        format!("program {}", row.program),
        format!("received {}", instant(row.received_unix_ms)),
    ];
    lines.extend(
        row.ended_unix_ms
            .map(|ended| format!("ended {}", instant(ended))),
    );
    lines.push(end(row));
    lines.extend(
        row.limit
            .map(|hit| format!("limit {} of {}", hit.name, limit(hit))),
    );
    lines.extend(row.reason.as_deref().map(plain));
    lines.extend(record.events.iter().map(|event| incident(*event)));
    section(&mut out, "Message", lines);
    if let Some(usage) = &row.usage {
        let mut lines = vec![
            format!("time {}", time(usage.wall_time_us)),
            format!("CPU time {}", time(usage.cpu_time_us)),
            format!("memory {}", size(usage.memory_peak_bytes)),
            format!("output {}", size(usage.output_bytes)),
            format!("files {}", size(usage.disk_bytes)),
            format!("processes {}", usage.processes_peak),
        ];
        lines.extend(usage.io.map(read_and_written));
        section(&mut out, "Used", lines);
    }
    let Some(details) = &record.details else {
        return out;
    };
    section(&mut out, "Risk", details.risk.iter().flat_map(risk_lines));
    let expected = details.profile.iter();
    section(
        &mut out,
        "Expected need",
        expected.flat_map(|profile| profile_lines(profile, details.analysis.as_ref())),
    );
    if let Some(usage) = &row.usage {
        let (profile, adaptation) = (details.profile.as_ref(), details.adaptation.as_ref());
        fitted::sections(&mut out, profile, usage, adaptation);
    }
    if let Some(decision) = &details.decision {
        section(&mut out, "Decision", decision_lines(decision));
        section(&mut out, "Limits", limit_lines(&decision.limits));
    }
    if let Some(calls) = &details.calls {
        section(&mut out, "Called", counts(calls));
    }
    let stages = details.timings_us.stages.iter();
    let timings =
        stages.map(|(stage, taken_us)| format!("{:<8} {}", plain(stage), time(*taken_us)));
    section(&mut out, "Timings", timings);
    out
}

fn read_and_written(io: IoUsage) -> String {
    format!(
        "read {} in {} calls, wrote {} in {}",
        size(io.read_bytes),
        io.reads,
        size(io.written_bytes),
        io.writes
    )
}

fn incident(event: EventKind) -> String {
    match event {
        EventKind::Violation => "incident: it tried what its sandbox forbids".to_owned(),
        EventKind::Limit(name) => format!("incident: it reached its {name} limit"),
        EventKind::Crash => "incident: it crashed".to_owned(),
        EventKind::Deviation => "incident: it behaved far outside its profile".to_owned(),
    }
}
