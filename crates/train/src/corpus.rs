//! The recorded runs, each with the features of its program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use atoll_analyze::analyze;
use atoll_predict::{Given, beginnings, by_table, features};
use atoll_types::{Analysis, DependencySource, ProgramKind};
use serde::Deserialize;

use crate::{Failed, say};

/// One run that came to a good end.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) program: String,
    pub(crate) source: String,
    pub(crate) group: String,
    pub(crate) features: Vec<f32>,
    pub(crate) memory_bytes: f64,
    pub(crate) cpu_us: f64,
    /// What it would need that did nothing but its imports, as binary logarithms.
    pub(crate) memory_beginning: f64,
    pub(crate) cpu_beginning: f64,
    /// Which input it had.
    pub(crate) size: Option<String>,
    /// What the table of modules says instead: medians.
    pub(crate) table_memory_bytes: f64,
    pub(crate) table_cpu_us: f64,
    /// All runs of a program weigh as much as the only one of another.
    pub(crate) weight: f64,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    program: String,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    arguments: Vec<String>,
    #[serde(default)]
    sizes: Vec<Size>,
}

#[derive(Deserialize)]
struct Size {
    name: String,
    #[serde(default)]
    arguments: Vec<String>,
    #[serde(default)]
    stdin: String,
}

#[derive(Deserialize)]
struct Run {
    id: String,
    source: String,
    group: String,
    size: Option<String>,
    status: String,
    exit_code: Option<i32>,
    cpu_time_us: u64,
    memory_peak_bytes: u64,
}

/// Reads a corpus; where `hides`, packages that programs of a single source import are hidden from
/// the table of modules, as if nobody had measured them.
pub(crate) fn read(place: &Path, hides: bool) -> Result<Vec<Row>, Failed> {
    let entries: Vec<Entry> = lines(&place.join("manifest.jsonl"))?;
    let runs: Vec<Run> = lines(&place.join("runs.jsonl"))?;
    let entries: BTreeMap<&str, &Entry> = entries.iter().map(|entry| (&*entry.id, entry)).collect();
    let mut analyses: BTreeMap<&str, Analysis> = BTreeMap::new();
    let mut importers: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut rows = Vec::new();
    let good = |run: &&Run| run.status == "exited" && run.exit_code == Some(0);
    for run in runs.iter().filter(good) {
        // One that is no longer in the corpus was recorded before it was left out.
        let Some(entry) = entries.get(&*run.id) else {
            continue;
        };
        if !analyses.contains_key(&*run.id) {
            let path = place.join(&entry.program);
            let bytes = fs::read(&path)
                .map_err(|error| format!("failed to read {}: {error}", path.display()))?;
            let analysis = analyze(ProgramKind::Python, &bytes);
            for dependency in &analysis.dependencies {
                let sources = importers.entry(dependency.name.clone()).or_default();
                sources.insert(&run.source);
            }
            analyses.insert(&run.id, analysis);
            if analyses.len().is_multiple_of(200) {
                say(&format!("{} programs are read", analyses.len()));
            }
        }
    }
    let is_of_one = |name: &String| importers.get(name).is_some_and(|them| them.len() == 1);
    if hides {
        for analysis in analyses.values_mut() {
            for dependency in &mut analysis.dependencies {
                if dependency.source == DependencySource::ThirdParty && is_of_one(&dependency.name)
                {
                    dependency.name.push('?');
                }
            }
        }
    }
    for run in runs.iter().filter(good) {
        let (Some(entry), Some(analysis)) = (entries.get(&*run.id), analyses.get(&*run.id)) else {
            continue;
        };
        let (table, begins) = (by_table(analysis), beginnings(analysis));
        rows.push(Row {
            program: run.id.clone(),
            source: run.source.clone(),
            group: format!("{}/{}", run.source, run.group),
            features: features(analysis, &given(place, entry, run.size.as_deref())),
            memory_bytes: run.memory_peak_bytes as f64,
            cpu_us: run.cpu_time_us as f64,
            memory_beginning: begins.0,
            cpu_beginning: begins.1,
            size: run.size.clone(),
            table_memory_bytes: table.1 as f64,
            table_cpu_us: table.0 as f64,
            weight: 1.0,
        });
    }
    let mut counts: BTreeMap<String, f64> = BTreeMap::new();
    for row in &rows {
        *counts.entry(row.program.clone()).or_default() += 1.0;
    }
    for row in &mut rows {
        row.weight = counts.get(&row.program).map_or(1.0, |count| 1.0 / count);
    }
    if rows.is_empty() {
        return Err(format!(
            "{} has no recorded runs; `make corpus` records",
            place.display()
        )
        .into());
    }
    Ok(rows)
}

/// What a run was given beside its program.
fn given(place: &Path, entry: &Entry, size: Option<&str>) -> Given {
    let sized = entry.sizes.iter().find(|it| Some(&*it.name) == size);
    let more = sized.map(|size| &*size.arguments).unwrap_or_default();
    let arguments: Vec<&String> = entry.arguments.iter().chain(more).collect();
    let numbers = arguments.iter().filter_map(|it| it.parse::<f64>().ok());
    let bytes = |file: &String| fs::metadata(place.join(file)).map_or(0, |found| found.len());
    Given {
        arguments: arguments.len() as u64,
        argument_number_max: numbers.filter(|it| it.is_finite()).fold(0.0, f64::max),
        input_bytes: sized.map_or(0, |size| size.stdin.len() as u64),
        input_is_streamed: false,
        files: entry.files.len() as u64,
        file_bytes: entry.files.iter().map(bytes).sum(),
    }
}

fn lines<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Vec<T>, Failed> {
    let text = fs::read_to_string(path).map_err(|error| {
        format!(
            "failed to read {}: {error}; `make corpus` makes it",
            path.display()
        )
    })?;
    let read = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| {
            let number = number.saturating_add(1);
            format!("{}, line {number}: {error}", path.display()).into()
        })
    };
    text.lines().enumerate().map(read).collect()
}

/// How many programs there are.
pub(crate) fn programs(rows: &[Row]) -> usize {
    let all: BTreeSet<&str> = rows.iter().map(|row| &*row.program).collect();
    all.len()
}

/// How many directories there are.
pub(crate) fn groups(rows: &[Row]) -> usize {
    let all: BTreeSet<&str> = rows.iter().map(|row| &*row.group).collect();
    all.len()
}
