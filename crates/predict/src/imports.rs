//! What a Python program's imports load, all of it together, and what that costs.
//!
//! Nearly all memory of most programs is what they import, and modules share most of what they
//! load. So the table has a line for each module of the standard library, and for packages in wide
//! use: what it adds by itself, and which others it loads. What a program's imports load is
//! everything that can be reached from them, each counted once. `scripts/prediction-modules.py`
//! measured it with CPython 3.11 on Debian 12.

use std::collections::HashMap;
use std::sync::LazyLock;

use atoll_types::{Analysis, Dependency, DependencySource, ProgramKind};

use crate::table;

const TABLE: &str = include_str!("table/python.txt");

/// What an interpreter needs that imports nothing: memory in KiB and CPU time in microseconds.
/// Everything that Python programs need is measured against these and what is imported.
const BASE_KIB: f64 = 3_250.0;
const BASE_US: f64 = 14_000.0;

/// What the imports of a program load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Loaded {
    pub(crate) memory_kib: u64,
    pub(crate) cpu_us: u64,
    /// Modules, with those that are loaded by others.
    pub(crate) modules: u64,
    /// Modules of third parties of which nothing is known.
    pub(crate) unknown: u64,
}

impl Loaded {
    /// Memory of a program that does nothing but its imports, in bytes, as a binary logarithm.
    pub(crate) fn memory_log(&self) -> f64 {
        (((self.memory_kib as f64) + BASE_KIB) * 1024.0).log2()
    }

    /// CPU time, in microseconds, likewise.
    pub(crate) fn cpu_log(&self) -> f64 {
        (self.cpu_us as f64 + BASE_US).log2()
    }
}

/// What an interpreter needs that imports nothing: memory in bytes, CPU time in microseconds.
pub(crate) const fn nothing() -> (u64, u64) {
    ((BASE_KIB as u64) * 1024, BASE_US as u64)
}

/// By the table.
pub(crate) fn loaded(analysis: &Analysis) -> Loaded {
    if analysis.kind != ProgramKind::Python {
        return Loaded::default();
    }
    loaded_by(&analysis.dependencies)
}

/// The same of some imports of a Python program.
pub(crate) fn loaded_by<'a>(imports: impl IntoIterator<Item = &'a Dependency>) -> Loaded {
    let mut all = Loaded::default();
    let mut reached = vec![0_u64; LINES.words];
    for dependency in imports {
        if let Some(line) = LINES.imported.get(&*dependency.name) {
            let reach = LINES.reach.get(*line);
            join(&mut reached, reach.map_or(&[], Vec::as_slice));
        } else if let Some((memory_kib, cpu_ms)) =
            table::row_of(ProgramKind::Python, &dependency.name)
        {
            all.memory_kib = all.memory_kib.saturating_add(memory_kib);
            all.cpu_us = all.cpu_us.saturating_add(cpu_ms.saturating_mul(1000));
            all.modules = all.modules.saturating_add(1);
        } else if dependency.source == DependencySource::ThirdParty {
            all.unknown = all.unknown.saturating_add(1);
        }
    }
    for (word, bits) in reached.iter().enumerate() {
        let mut bits = *bits;
        while bits != 0 {
            let line = word * 64 + bits.trailing_zeros() as usize;
            bits &= bits - 1;
            let (memory_kib, cpu_us) = LINES.costs.get(line).copied().unwrap_or_default();
            all.memory_kib = all.memory_kib.saturating_add(memory_kib);
            all.cpu_us = all.cpu_us.saturating_add(cpu_us);
            all.modules = all.modules.saturating_add(1);
        }
    }
    all
}

/// The table, read.
struct Lines {
    /// The line for what a program imports: of a package, that of its usual modules.
    imported: HashMap<&'static str, usize>,
    /// Memory in KiB and CPU time in microseconds of each line.
    costs: Vec<(u64, u64)>,
    /// Which lines each one loads, itself among them: a bit for each.
    reach: Vec<Vec<u64>>,
    words: usize,
}

static LINES: LazyLock<Lines> = LazyLock::new(|| read(TABLE));

fn read(text: &'static str) -> Lines {
    let mut by_name = HashMap::new();
    let mut usual = Vec::new();
    let mut costs = Vec::new();
    let mut loads: Vec<&str> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let (Some(name), Some(memory), Some(cpu), Some(others)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        by_name.insert(name, costs.len());
        usual.extend(name.strip_suffix('*').map(|name| (name, costs.len())));
        costs.push((memory.parse().unwrap_or(0), cpu.parse().unwrap_or(0)));
        loads.push(others);
    }
    let words = costs.len().div_ceil(64);
    let mut reach = vec![vec![0_u64; words]; costs.len()];
    for (line, reach) in reach.iter_mut().enumerate() {
        if let Some(word) = reach.get_mut(line / 64) {
            *word |= 1 << (line % 64);
        }
    }
    // Modules may load each other, so it is done when nothing new is reached.
    let mut changed = true;
    while changed {
        changed = false;
        for (line, others) in loads.iter().enumerate() {
            let mut joined = reach.get(line).cloned().unwrap_or_default();
            for other in others.split(',').filter_map(|name| by_name.get(name)) {
                join(&mut joined, reach.get(*other).map_or(&[], Vec::as_slice));
            }
            if let Some(reach) = reach.get_mut(line).filter(|before| **before != joined) {
                *reach = joined;
                changed = true;
            }
        }
    }
    let mut imported = by_name;
    imported.extend(usual);
    Lines {
        imported,
        costs,
        reach,
        words,
    }
}

fn join(into: &mut [u64], from: &[u64]) {
    for (into, from) in into.iter_mut().zip(from) {
        *into |= from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn importing(names: &[&str]) -> Loaded {
        let dependencies = names.iter().map(|name| Dependency {
            name: (*name).to_owned(),
            source: DependencySource::ThirdParty,
        });
        loaded(&Analysis {
            dependencies: dependencies.collect(),
            ..crate::tests::script()
        })
    }

    #[test]
    fn what_modules_share_is_counted_once() {
        let doctest = importing(&["doctest"]);
        assert!(
            doctest.memory_kib > 3_000 && doctest.modules > 40,
            "{doctest:?}"
        );
        assert_eq!(doctest.unknown, 0);
        // It loads these anyway.
        assert_eq!(importing(&["doctest", "re", "unittest", "typing"]), doctest);
        let more = importing(&["doctest", "asyncio"]);
        let asyncio = importing(&["asyncio"]);
        assert!(more.memory_kib > doctest.memory_kib);
        assert!(more.memory_kib < doctest.memory_kib + asyncio.memory_kib);
    }

    #[test]
    fn nothing_and_the_unknown_cost_nothing() {
        assert_eq!(importing(&[]), Loaded::default());
        let unknown = importing(&["made_up", "made_up_too"]);
        assert_eq!(
            unknown,
            Loaded {
                unknown: 2,
                ..Loaded::default()
            }
        );
    }

    #[test]
    fn a_package_that_was_measured_whole_is_taken_from_the_other_table() {
        let requests = importing(&["requests"]);
        assert!(
            requests.memory_kib > 10_000 && requests.unknown == 0,
            "{requests:?}"
        );
    }

    #[test]
    fn every_line_can_be_read() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(words.len(), 4, "{line}");
            assert!(
                words[1].parse::<u64>().is_ok() && words[2].parse::<u64>().is_ok(),
                "{line}"
            );
            for other in words[3].split(',').filter(|other| *other != "-") {
                assert!(LINES.imported.contains_key(other), "{other} of {line}");
            }
        }
    }
}
