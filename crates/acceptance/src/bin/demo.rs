//! Runs every example and shows, for each, what Atoll decided and what happened.
//!
//! It owns the layout of the demonstration only: examples and their expectations come from the
//! library, and `tests/examples.rs` holds the same expectations.

use std::io::{self, Write};
use std::process::ExitCode;

use atoll_acceptance::{Atoll, Example, Finished, Report, all_examples, repository};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};

const OUTPUT_LINES_MAX: usize = 6;
const COLUMNS_MAX: usize = 96;

fn main() -> ExitCode {
    match demonstrate(&mut io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            drop(writeln!(io::stderr(), "atoll-demo: {problem}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether every example did what it states.
fn demonstrate(out: &mut impl Write) -> Result<bool, String> {
    let mut summary = Table::new();
    summary.load_style(UTF8_FULL_CONDENSED);
    summary.set_header([
        "example",
        "level",
        "ended",
        "time",
        "CPU",
        "memory",
        "as stated",
    ]);
    for column in summary.column_iter_mut().skip(3).take(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut all_hold = true;
    for example in all_examples()? {
        show_start(out, &example).map_err(broken)?;
        // A state of its own: what one example does must not count against the next.
        let atoll = Atoll::locate()?;
        let (report, finished) = example.run(&atoll)?;
        let differences = example.differences(&report, &finished)?;
        show_end(out, &report, &finished, &differences).map_err(broken)?;
        all_hold &= differences.is_empty();
        summary.add_row(summary_row(&example, &report, differences.is_empty()));
    }
    writeln!(out, "{summary}").map_err(broken)?;
    Ok(all_hold)
}

fn broken(error: io::Error) -> String {
    format!("failed to write to standard output: {error}")
}

fn show_start(out: &mut impl Write, example: &Example) -> io::Result<()> {
    writeln!(
        out,
        "── {} {}",
        example.title,
        "─".repeat(70_usize.saturating_sub(example.title.len()))
    )?;
    writeln!(out, "   {}", example.says)?;
    writeln!(out)?;
    let root = format!("{}/", repository().display());
    let line = example.command_line();
    let words = line
        .iter()
        .map(|word| word.to_string_lossy().replace(&root, ""));
    write!(
        out,
        "   $ atoll run {}",
        words.collect::<Vec<_>>().join(" ")
    )?;
    match &example.run.stdin {
        Some(name) => writeln!(out, " < examples/{}/{name}", example.name)?,
        None => writeln!(out)?,
    }
    out.flush()
}

fn show_end(
    out: &mut impl Write,
    report: &Report,
    finished: &Finished,
    differences: &[String],
) -> io::Result<()> {
    show_output(out, &report.stdout())?;
    show_output(out, &report.stderr())?;
    if let Some(decision) = &report.decision {
        writeln!(
            out,
            "   decided  {}, by rule {}",
            decision.level, decision.rule
        )?;
        for reason in &decision.reasons {
            writeln!(out, "            - {}", shorten(&reason.text))?;
        }
    }
    writeln!(
        out,
        "   ended    {} (exit code {})",
        ending(report),
        finished.code()
    )?;
    if let Some(reason) = &report.reason {
        writeln!(out, "            - {}", shorten(reason))?;
    }
    for difference in differences {
        writeln!(out, "   UNEXPECTED {difference}")?;
    }
    writeln!(out)
}

fn show_output(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return writeln!(out, "   | {} bytes that are not text", bytes.len());
    };
    let mut lines = text.lines();
    for line in lines.by_ref().take(OUTPUT_LINES_MAX) {
        writeln!(out, "   | {}", shorten(line))?;
    }
    match lines.count() {
        0 => Ok(()),
        more => writeln!(out, "   | ... and {more} more lines"),
    }
}

/// Output of an example may hold anything: only printable characters reach the terminal.
fn shorten(line: &str) -> String {
    let printable = |c: char| if c.is_control() { '\u{b7}' } else { c };
    let mut text: String = line.chars().take(COLUMNS_MAX).map(printable).collect();
    if line.chars().nth(COLUMNS_MAX).is_some() {
        text.push('…');
    }
    text
}

fn ending(report: &Report) -> String {
    match (&report.limit, report.signal) {
        (Some(limit), _) => format!("{} limit", limit.name),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => report.status.clone(),
    }
}

fn summary_row(example: &Example, report: &Report, holds: bool) -> [String; 7] {
    let used = |name: &str| report.usage.get(name).copied().unwrap_or(0);
    let level = report
        .decision
        .as_ref()
        .map(|decision| decision.level.clone());
    [
        example.name.clone(),
        level.unwrap_or_default(),
        ending(report),
        milliseconds(used("wall_time_us")),
        milliseconds(used("cpu_time_us")),
        format!(
            "{:.1} MiB",
            used("memory_peak_bytes") as f64 / f64::from(1 << 20)
        ),
        if holds { "yes" } else { "NO" }.to_owned(),
    ]
}

fn milliseconds(microseconds: u64) -> String {
    format!("{:.1} ms", microseconds as f64 / 1000.0)
}
