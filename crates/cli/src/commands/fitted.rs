//! What was expected of a program, beside what it did.

use atoll_types::{
    Adaptation, Adjusted, Adjustment, Deviation, DeviationAction, DeviationKind, Profile,
    Quantiles, Usage,
};

use crate::commands::explain::calls;
use crate::terminal::{DOUBTFUL, section, size, styled, time};

/// Adjustments that are shown.
const SHOWN_MAX: usize = 8;

/// The sections for a run that was fitted.
pub(crate) fn sections(
    out: &mut String,
    profile: Option<&Profile>,
    usage: &Usage,
    adaptation: Option<&Adaptation>,
) {
    let Some(adaptation) = adaptation else {
        return;
    };
    if let Some(profile) = profile {
        section(out, "Expected and used", compared(profile, usage));
    }
    section(out, "Fitted", fitted(adaptation));
    section(
        out,
        "Not foreseen",
        adaptation.deviations.iter().map(deviation),
    );
}

fn compared(profile: &Profile, usage: &Usage) -> Vec<String> {
    let line = |what: &str, quantiles: &Quantiles, used: u64, show: fn(u64) -> String| {
        let Quantiles { p50, p90, p99 } = *quantiles;
        let place = if used <= p50 {
            "no more than usual"
        } else if used <= p90 {
            "as expected"
        } else if used <= p99 {
            "more than nine in ten"
        } else {
            "more than expected"
        };
        let (used, usual, rare) = (show(used), show(p50), show(p99));
        format!("{what:<18} {used} used; usually {usual}, rarely over {rare}: {place}")
    };
    let written = usage.output_bytes.saturating_add(usage.disk_bytes);
    let io = usage.io.map(|io| {
        let expected = &profile.io_intensity;
        let read = line("read", &expected.read_bytes.quantiles, io.read_bytes, size);
        let operations = &expected.operations.quantiles;
        [
            read,
            line("reads and writes", operations, io.operations(), calls),
        ]
    });
    let mut lines = vec![
        line(
            "CPU time",
            &profile.cpu_demand.quantiles,
            usage.cpu_time_us,
            time,
        ),
        line(
            "memory",
            &profile.memory_footprint.quantiles,
            usage.memory_peak_bytes,
            size,
        ),
        line(
            "written",
            &profile.io_intensity.written_bytes.quantiles,
            written,
            size,
        ),
    ];
    lines.extend(io.into_iter().flatten());
    lines
}

fn fitted(adaptation: &Adaptation) -> Vec<String> {
    let mut lines = vec![format!(
        "memory set aside: {} at first, {} at most; {} on average, of which {} were used",
        size(adaptation.reserved_bytes),
        size(adaptation.reserved_peak_bytes),
        size(adaptation.reserved_mean_bytes),
        size(adaptation.used_mean_bytes)
    )];
    if adaptation.waited_us >= 1_000 {
        let waited = time(adaptation.waited_us);
        lines.push(format!("it waited {waited} until there was as much"));
    }
    if adaptation.held_back_us > 0 {
        let held_back = time(adaptation.held_back_us);
        lines.push(format!(
            "it was held back for {held_back}, because there was no more"
        ));
    }
    let shown = adaptation.adjustments.iter().take(SHOWN_MAX);
    lines.extend(shown.map(adjustment));
    let left_off = adaptation.adjustments.len().saturating_sub(SHOWN_MAX) as u64;
    let more = adaptation.adjustments_more.saturating_add(left_off);
    if more > 0 {
        lines.push(format!("and {more} more changes"));
    }
    lines
}

fn adjustment(adjustment: &Adjustment) -> String {
    let Adjustment {
        at_us,
        what,
        from,
        to,
    } = *adjustment;
    let at = time(at_us);
    match what {
        Adjusted::ReservedMemory => {
            let (from, to) = (size(from), size(to));
            format!("after {at}: memory set aside from {from} to {to}")
        }
        Adjusted::CpuShare => format!("after {at}: share of a core from {from} % to {to} %"),
        Adjusted::Processes => format!("after {at}: processes allowed from {from} to {to}"),
    }
}

/// What a program did that was not foreseen, in words.
pub(crate) fn deviation(deviation: &Deviation) -> String {
    let Deviation {
        at_us,
        kind,
        predicted,
        observed,
        action,
    } = *deviation;
    let at = time(at_us);
    let what = match kind {
        DeviationKind::CpuTime => {
            let (seen, bound) = (time(observed), time(predicted));
            format!("{seen} of CPU time, where no such program takes more than {bound}")
        }
        DeviationKind::Memory => {
            let (seen, bound) = (size(observed), size(predicted));
            format!("{seen} of memory, where no such program takes more than {bound}")
        }
        DeviationKind::Output => {
            let (seen, bound) = (size(observed), size(predicted));
            format!("{seen} written, where no such program writes more than {bound}")
        }
        DeviationKind::Io => {
            format!(
                "{observed} reads and writes, where no such program makes more than {predicted}"
            )
        }
        DeviationKind::Processes => {
            format!("{observed} processes and threads, though nothing in it starts any")
        }
    };
    let action = match action {
        DeviationAction::Noted => "",
        DeviationAction::Tightened => "; it may have no more",
    };
    format!("after {at}: {}{action}", styled(DOUBTFUL, &what))
}
