//! Switches off one layer of the sandbox at a time, and sees which attacks notice.
//!
//! An attack that still fails with everything in its way switched off proves nothing: it is
//! reported as vacuous. A layer whose absence no attack notices is reported as a gap. Programs run
//! in sandboxes only, and with a layer missing only attempts are made that can touch nothing but
//! what was made for them; `scripts/ablation.sh` puts a wall around all of it as well.

mod copies;
mod run;
mod stand;
mod trials;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};

pub use copies::{COPY_LAYERS, COPY_NEVER_OFF, COPY_TRIALS};
pub use trials::{LAYERS, NEVER_OFF, TRIALS, Trial, UNTRIED};

use crate::Atoll;
use run::{Sandboxes, Seen};
use stand::Stand;

/// Columns of the tables.
const COLUMNS_MAX: u16 = 130;

/// What came of a trial.
struct Tried {
    trial: &'static Trial,
    /// With every layer in force.
    held: Seen,
    /// With none of the trial's layers.
    without: Seen,
    /// With a single layer missing: what was seen.
    alone: Vec<(&'static str, Seen)>,
    /// With every layer of the trial missing but this one.
    last: Vec<(&'static str, Seen)>,
}

impl Tried {
    /// Whether the attack works once nothing is in its way.
    fn is_live(&self) -> bool {
        !self.held.is_success() && self.without.is_success()
    }

    /// Whether a layer's absence alone changes what is seen.
    fn notices(&self, layer: &str) -> bool {
        let mut alone = self.alone.iter();
        alone.any(|(missing, seen)| *missing == layer && *seen != self.held)
    }

    /// Whether a layer alone keeps the attack from working.
    fn needs(&self, layer: &str) -> bool {
        let mut last = self.last.iter();
        let held = last.any(|(left, seen)| *left == layer && seen.is_held());
        held && self.is_live()
    }
}

/// One of the tables: which sandboxes, their layers, the trials in them.
struct Round {
    title: &'static str,
    sandboxes: Sandboxes,
    layers: &'static [(&'static str, &'static str)],
    never_off: &'static [(&'static str, &'static str)],
    trials: &'static [Trial],
    untried: &'static [(&'static str, &'static str)],
}

const ROUNDS: [Round; 2] = [
    Round {
        title: "sandboxes that are made for their program",
        sandboxes: Sandboxes::Cold,
        layers: LAYERS,
        never_off: NEVER_OFF,
        trials: TRIALS,
        untried: UNTRIED,
    },
    Round {
        title: "copies of an interpreter that waited",
        sandboxes: Sandboxes::Copies,
        layers: COPY_LAYERS,
        never_off: COPY_NEVER_OFF,
        trials: COPY_TRIALS,
        untried: &[],
    },
];

/// Makes every trial and prints the tables. Whether there is no gap and no vacuous case.
///
/// # Errors
/// When a canary cannot be put up or a run does not come to its end.
pub fn ablate(out: &mut impl Write) -> Result<bool, String> {
    let atoll = Atoll::locate()?;
    let mut stand = Stand::new()?;
    let mut faults = 0;
    for round in &ROUNDS {
        say(out, &format!("\n==> {}\n", round.title))?;
        let mut tried = Vec::new();
        for trial in round.trials {
            let one = make(&atoll, &mut stand, round.sandboxes, trial)?;
            say(
                out,
                &format!(
                    "{:22} {:38} {} / {}",
                    trial.program, trial.attempt, one.held, one.without
                ),
            )?;
            tried.push(one);
        }
        faults += show_layers(out, round, &tried)?;
        faults += show_cases(out, round, &tried)?;
    }
    Ok(faults == 0)
}

fn make(
    atoll: &Atoll,
    stand: &mut Stand,
    sandboxes: Sandboxes,
    trial: &'static Trial,
) -> Result<Tried, String> {
    let mut run = |off: &[&'static str]| run::run(atoll, stand, sandboxes, trial, off);
    let held = run(&[])?;
    let mut alone = Vec::new();
    let mut last = Vec::new();
    for layer in trial.layers {
        alone.push((*layer, run(&[layer])?));
        let others: Vec<_> = trial
            .layers
            .iter()
            .filter(|other| *other != layer)
            .copied()
            .collect();
        let seen = if others.is_empty() {
            held.clone()
        } else {
            run(&others)?
        };
        last.push((*layer, seen));
    }
    Ok(Tried {
        trial,
        held,
        without: run(trial.layers)?,
        alone,
        last,
    })
}

/// A row for each layer; answers how many nothing notices.
fn show_layers(out: &mut impl Write, round: &Round, tried: &[Tried]) -> Result<usize, String> {
    let mut table = new_table(["layer off", "noticed by, alone", "the last to hold in"]);
    let mut gaps = Vec::new();
    for (layer, note) in round.layers {
        let programs = |which: &dyn Fn(&&Tried) -> bool| {
            let names = tried.iter().filter(which);
            let names: BTreeSet<_> = names.map(|one| short(one.trial.program)).collect();
            names.into_iter().collect::<Vec<_>>().join(" ")
        };
        let noticed = programs(&|one| one.notices(layer));
        let held = programs(&|one| one.needs(layer));
        if noticed.is_empty() && held.is_empty() {
            gaps.push(*layer);
        }
        let name = if note.is_empty() {
            (*layer).to_owned()
        } else {
            format!("{layer} ({note})")
        };
        table.add_row([name, noticed, held]);
    }
    say(out, &table.to_string())?;
    let caught = round.layers.len() - gaps.len();
    say(
        out,
        &format!(
            "kill score: {caught} of {} layers are missed when off",
            round.layers.len()
        ),
    )?;
    for gap in &gaps {
        say(out, &format!("GAP: no attack notices that {gap} is off"))?;
    }
    for (layer, why) in round.never_off {
        say(out, &format!("never off: {layer}: {why}"))?;
    }
    Ok(gaps.len())
}

/// A row for each program; answers how many are vacuous.
fn show_cases(out: &mut impl Write, round: &Round, tried: &[Tried]) -> Result<usize, String> {
    let mut table = new_table([
        "program: attempt",
        "layers",
        "all on",
        "those off",
        "verdict",
    ]);
    let mut rows: BTreeMap<(&str, &str, &[&str]), [String; 5]> = BTreeMap::new();
    let mut vacuous = 0;
    for one in tried {
        let trial = one.trial;
        let verdict = if one.is_live() { "live" } else { "VACUOUS" };
        vacuous += usize::from(!one.is_live());
        let row = [
            format!("{}: {}", trial.program, trial.attempt),
            trial.layers.join(", "),
            one.held.to_string(),
            one.without.to_string(),
            verdict.to_owned(),
        ];
        rows.insert((trial.program, trial.attempt, trial.layers), row);
    }
    for (program, why) in round.untried {
        let why = format!("not tried: {why}");
        let row = [program, "", "", "", &why].map(str::to_owned);
        rows.insert((program, "", &[]), row);
    }
    for row in rows.into_values() {
        table.add_row(row);
    }
    say(out, &table.to_string())?;
    let live = tried.len() - vacuous;
    say(
        out,
        &format!(
            "{live} of {} controls are live, {vacuous} VACUOUS; {} programs are not tried",
            tried.len(),
            round.untried.len()
        ),
    )?;
    Ok(vacuous)
}

/// A case's number; the name of its program begins with it.
fn short(program: &str) -> &str {
    program.split('_').next().unwrap_or(program)
}

fn new_table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(COLUMNS_MAX);
    table.set_header(header);
    table
}

fn say(out: &mut impl Write, text: &str) -> Result<(), String> {
    writeln!(out, "{text}").map_err(|error| format!("failed to write to standard output: {error}"))
}
