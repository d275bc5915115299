//! `atoll explain`: why a program would be treated as it would, in plain words.

use std::fmt::Write as _;

use atoll_engine::{Explanation, StartPart, start};
use atoll_types::{
    Analysis, Confidence, Decision, DependencySource, Limits, Message, Outcome, Profile,
    ProfileSource, ResourceEstimate, Risk, Stdin,
};

use crate::args::{ExplainArgs, HostArgs};
use crate::error::CliError;
use crate::terminal::{BAD, BOLD, GOOD, plain, print, section, size, styled, time};
use crate::{json, message};

/// Names listed in one line, at most.
const NAMES_MAX: usize = 12;

/// Parts of a program's start that are named, at most.
const PARTS_MAX: usize = 3;

pub(crate) async fn explain(args: ExplainArgs, host: HostArgs) -> Result<u8, CliError> {
    let engine = message::open(host, args.submission.policy.as_deref())?;
    let request = message::request(&args.submission);
    let message = message::message(&args.submission, args.program, Stdin::Empty)?;
    let dependencies = args.submission.dependencies;
    let explanation = engine.explain(&message, &request, dependencies).await?;
    print(&if args.json {
        json::explanation(&message, &explanation)
    } else {
        text(&message, &explanation)
    })?;
    Ok(0)
}

fn text(message: &Message, explanation: &Explanation) -> String {
    let mut out = String::new();
    let name = plain(&message.program.name);
    let _ = writeln!(out, "{}  {}", styled(BOLD, &name), message.program.kind);
    section(&mut out, "Program", program_lines(&explanation.analysis));
    let sender = format!(
        "tenant {}, {}; {} messages before, {} of them with this program",
        message.tenant,
        explanation.trust.name(),
        explanation.history.messages,
        explanation.history.program_messages,
    );
    section(&mut out, "Sender", [sender]);
    section(&mut out, "Risk", risk_lines(&explanation.risk));
    section(
        &mut out,
        "Expected need",
        profile_lines(&explanation.profile, Some(&explanation.analysis)),
    );
    match &explanation.decision {
        Ok(decision) => {
            section(&mut out, "Decision", decision_lines(decision));
            section(&mut out, "Limits", limit_lines(&decision.limits));
        }
        Err(denied) => {
            let head = format!("{} by rule {}", styled(BAD, "denied"), plain(&denied.rule));
            let reasons = denied.reasons.iter().map(|reason| plain(&reason.text));
            section(&mut out, "Decision", std::iter::once(head).chain(reasons));
        }
    }
    match &explanation.runnable {
        Some(Ok(())) => section(&mut out, "This host", [styled(GOOD, "can run it so")]),
        Some(Err(why)) => {
            let refused = format!("{}: {}", styled(BAD, "would refuse it"), plain(why));
            section(&mut out, "This host", [refused]);
        }
        None => {}
    }
    let changes = explanation
        .would_change
        .iter()
        .map(|sentence| plain(sentence));
    section(&mut out, "What would change it", changes);
    out
}

/// What `atoll run --explain` says before the program runs.
pub(crate) fn in_short(outcome: &Outcome) -> String {
    let mut out = String::new();
    if let (Some(risk), Some(profile)) = (&outcome.risk, &outcome.profile) {
        section(&mut out, "Risk", risk_lines(risk));
        section(
            &mut out,
            "Expected need",
            profile_lines(profile, outcome.analysis.as_ref()),
        );
    }
    if let Some(decision) = &outcome.decision {
        section(&mut out, "Decision", decision_lines(decision));
        section(&mut out, "Limits", limit_lines(&decision.limits));
        out.push('\n');
    }
    out
}

pub(crate) fn program_lines(analysis: &Analysis) -> Vec<String> {
    let mut lines = Vec::new();
    let size = if analysis.lines > 0 {
        format!("{} lines", analysis.lines)
    } else {
        format!(
            "{}, {} instructions",
            size(analysis.code_bytes),
            analysis.instructions
        )
    };
    let recursion = if analysis.recursion {
        ", recursion"
    } else {
        ""
    };
    lines.push(format!(
        "{size}, {} functions, {} loops nested up to {}{recursion}; judged {}",
        analysis.functions,
        analysis.loops,
        analysis.loop_nesting_max,
        analysis.execution_class.name()
    ));
    lines.push(format!(
        "complexity {:.0} of 100:",
        analysis.complexity.score
    ));
    for part in &analysis.complexity.parts {
        lines.push(format!(
            "  {:<24} {:>5.1} of {:>3.0}  {}",
            plain(&part.name),
            part.points,
            part.points_max,
            plain(&part.because)
        ));
    }
    let capabilities = analysis
        .capabilities
        .iter()
        .map(|capability| capability.name().to_owned());
    lines.push(format!("could use: {}", names(capabilities)));
    for (source, what) in [
        (DependencySource::ThirdParty, "needs to be installed"),
        (DependencySource::Local, "expects next to it"),
        (DependencySource::StandardLibrary, "comes with the system"),
    ] {
        let mut found = analysis
            .dependencies
            .iter()
            .filter(|dependency| dependency.source == source)
            .map(|dependency| plain(&dependency.name))
            .peekable();
        if found.peek().is_some() {
            lines.push(format!("{what}: {}", names(found)));
        }
    }
    if !analysis.disguised.is_empty() {
        let disguised = analysis.disguised.iter().map(|name| plain(name));
        lines.push(format!("reaches without spelling it: {}", names(disguised)));
    }
    for problem in analysis.problems.iter().take(NAMES_MAX) {
        let place = problem
            .line
            .map(|line| format!(" (line {line})"))
            .unwrap_or_default();
        lines.push(format!(
            "not understood{place}: {}",
            plain(&problem.message)
        ));
    }
    lines
}

pub(crate) fn risk_lines(risk: &Risk) -> Vec<String> {
    let mut lines = vec![format!("{:.2} of 1:", risk.score)];
    for part in &risk.parts {
        let (name, because) = (plain(&part.name), plain(&part.because));
        lines.push(format!("  {name:<24} {:>5.2}  {because}", part.value));
    }
    lines
}

/// What is expected, and, where the program was read, what most of it is.
pub(crate) fn profile_lines(profile: &Profile, analysis: Option<&Analysis>) -> Vec<String> {
    let parts = analysis.map(start).unwrap_or_default();
    let (cpu, memory, io) = (
        &profile.cpu_demand,
        &profile.memory_footprint,
        &profile.io_intensity,
    );
    let mut lines = vec![estimate("CPU time", cpu, time)];
    lines.extend(starting(&parts, cpu, |part| part.cpu_us, time));
    lines.push(estimate("memory", memory, size));
    lines.extend(starting(&parts, memory, |part| part.memory_bytes, size));
    lines.push(estimate("written", &io.written_bytes, size));
    lines.push(estimate("read", &io.read_bytes, size));
    lines.push(estimate("reads and writes", &io.operations, calls));
    let network = plain(&io.network.because);
    lines.push(format!("{:<18} none: {network}", "network"));
    for flag in &profile.security_flags {
        lines.push(format!("{}: {}", plain(&flag.name), plain(&flag.because)));
    }
    lines
}

/// A number of reads and writes.
pub(crate) fn calls(count: u64) -> String {
    format!("{count} calls")
}

fn estimate(what: &str, estimate: &ResourceEstimate, amount: impl Fn(u64) -> String) -> String {
    let source = match &estimate.source {
        ProfileSource::History { runs } => format!("from {runs} earlier runs"),
        ProfileSource::Trial { runs } => format!("from {runs} short runs on less input"),
        ProfileSource::Model => "learned from other programs".to_owned(),
        ProfileSource::Table { rows } => {
            format!(
                "from the table: {}",
                names(rows.iter().map(|row| plain(row)))
            )
        }
    };
    let sure = match estimate.confidence {
        Confidence::Low => "hardly more than a guess",
        Confidence::Medium => "fairly sure",
        Confidence::High => "sure",
    };
    format!(
        "{what:<18} usually {}, rarely over {} ({source}; {sure})",
        amount(estimate.quantiles.p50),
        amount(estimate.quantiles.p99)
    )
}

/// How much of what is usual goes by before the program's own work begins, and to what.
fn starting(
    parts: &[StartPart],
    estimate: &ResourceEstimate,
    of: fn(&StartPart) -> u64,
    amount: fn(u64) -> String,
) -> Option<String> {
    let all: u64 = parts.iter().map(of).sum();
    let mut largest: Vec<&StartPart> = parts.iter().filter(|part| of(part) > 0).collect();
    largest.sort_by_key(|part| std::cmp::Reverse(of(part)));
    let named: Vec<String> = largest
        .iter()
        .take(PARTS_MAX)
        .map(|part| format!("{} {}", plain(&part.name), amount(of(part))))
        .collect();
    if named.is_empty() {
        return None;
    }
    let usual = estimate.quantiles.p50;
    let share = if all >= usual {
        "hardly more than its start"
    } else if all.saturating_mul(2) >= usual {
        "most of it is its start"
    } else {
        "little of it is its start"
    };
    let (start, named) = (amount(all), named.join(", "));
    Some(format!("{:<18} {share}, {start}: {named}", ""))
}

pub(crate) fn decision_lines(decision: &Decision) -> Vec<String> {
    let network = if decision.network.is_empty() {
        "no network".to_owned()
    } else {
        let grants = decision.network.iter();
        names(grants.map(|grant| plain(&format!("{}:{}", grant.host, grant.port))))
    };
    let mut lines = vec![
        format!(
            "level {}, sharing {}, system calls {}, {network}",
            styled(BOLD, decision.level.name()),
            decision.sharing.name(),
            decision.system_calls.name()
        ),
        format!("by rule {}", plain(&decision.rule)),
    ];
    if decision.calls.audit || !decision.calls.rules.is_empty() {
        let rules = decision.calls.rules.len();
        let audit = if decision.calls.audit {
            ", and taken down"
        } else {
            ""
        };
        lines.push(format!("calls held to {rules} rules{audit}"));
    }
    for reason in &decision.reasons {
        lines.push(format!(
            "  {:<8} {}",
            plain(&reason.from),
            plain(&reason.text)
        ));
    }
    lines
}

pub(crate) fn limit_lines(limits: &Limits) -> Vec<String> {
    vec![
        format!(
            "wall time {}",
            time(limits.wall_time_ms.saturating_mul(1000))
        ),
        format!(
            "CPU time {}, at {} % of a core",
            time(limits.cpu_time_ms.saturating_mul(1000)),
            limits.cpu_percent
        ),
        format!("memory {}", size(limits.memory_bytes)),
        format!("{} processes and threads", limits.processes),
        format!(
            "files of {} together, {} of them",
            size(limits.disk_bytes),
            limits.disk_files
        ),
        format!("output of {}", size(limits.output_bytes)),
    ]
}

/// Names in one line, with the number of those left out.
fn names(names: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = names.collect();
    match all.len().checked_sub(NAMES_MAX) {
        _ if all.is_empty() => "nothing".to_owned(),
        None | Some(0) => all.join(", "),
        Some(more) => {
            let first: Vec<&str> = all.iter().take(NAMES_MAX).map(String::as_str).collect();
            format!("{} and {more} more", first.join(", "))
        }
    }
}
