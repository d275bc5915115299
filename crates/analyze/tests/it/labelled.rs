//! How well reading finds what small programs can do: the labelled set in `corpus/labelled`.
//!
//! The programs say in a comment what they can do. That is compared with what reading finds, and
//! every difference is printed by name, so that a change that loses one shows which.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use atoll_analyze::analyze;
use atoll_labelled::{Snippet, snippets};
use atoll_types::Capability;

/// The least share of labelled capabilities that has to be found.
const RECALL_MIN: f64 = 0.98;

/// The largest share of benign programs about which something false may be said.
const FALSE_ALARMS_MAX: f64 = 0.005;

/// What raises an alarm when a benign program cannot do it.
const DANGEROUS: [Capability; 8] = [
    Capability::Network,
    Capability::Processes,
    Capability::DynamicCode,
    Capability::NativeCode,
    Capability::SystemChange,
    Capability::UnsafeDeserialization,
    Capability::Introspection,
    Capability::Unanalyzed,
];

/// A share of things that were right.
#[derive(Default, Clone, Copy)]
struct Share {
    right: usize,
    all: usize,
}

impl Share {
    fn note(&mut self, is_right: bool) {
        self.right += usize::from(is_right);
        self.all += 1;
    }

    fn value(self) -> f64 {
        if self.all == 0 {
            return 1.0;
        }
        self.right as f64 / self.all as f64
    }

    fn shown(self) -> String {
        let percent = 100.0 * self.value();
        format!("{:>4} of {:>4} {percent:>6.1} %", self.right, self.all)
    }
}

/// How many labelled capabilities were found.
#[derive(Default, Clone, Copy)]
struct Recall {
    /// The capability itself was reported.
    exact: Share,
    /// As the label asks: the capability, or `unanalyzed` where the label allows that.
    labelled: Share,
    /// The capability or `unanalyzed`, whatever the label says.
    safe: Share,
}

impl Recall {
    fn note(&mut self, label: Label) {
        self.exact.note(label.is_found);
        self.labelled.note(label.is_met());
        self.safe.note(label.is_found || label.is_unanalyzed);
    }

    fn row(self, name: &str) -> String {
        format!(
            "{name:<44} {} | {} | {}",
            self.labelled.shown(),
            self.exact.shown(),
            self.safe.shown()
        )
    }
}

/// What became of one label.
#[derive(Clone, Copy)]
struct Label {
    is_found: bool,
    is_undecidable: bool,
    is_unanalyzed: bool,
}

impl Label {
    /// Whether the analysis says what the label asks for.
    fn is_met(self) -> bool {
        self.is_found || (self.is_undecidable && self.is_unanalyzed)
    }
}

/// What was counted over the set.
#[derive(Default)]
struct Measured {
    recall: Recall,
    by_capability: BTreeMap<&'static str, Recall>,
    by_hiding: BTreeMap<String, Recall>,
    by_language: BTreeMap<String, Recall>,
    quiet: Share,
    quiet_by_language: BTreeMap<String, Share>,
    misses: Vec<String>,
    alarms: Vec<String>,
}

impl Measured {
    fn note(&mut self, snippet: &Snippet) {
        let analysis = analyze(snippet.kind, &snippet.bytes);
        let found = &analysis.capabilities;
        let (language, _) = snippet.name.split_once('/').unwrap();
        if snippet.is_benign {
            let wrong: Vec<_> = DANGEROUS
                .into_iter()
                .filter(|one| found.contains(one) && !snippet.labels.contains_key(one))
                .map(Capability::name)
                .collect();
            self.quiet.note(wrong.is_empty());
            let of_language = self.quiet_by_language.entry(language.to_owned());
            of_language.or_default().note(wrong.is_empty());
            if !wrong.is_empty() {
                let problems: BTreeSet<_> = analysis
                    .problems
                    .iter()
                    .map(|problem| &problem.message)
                    .collect();
                self.alarms.push(format!(
                    "{}: {} {problems:?}",
                    snippet.name,
                    wrong.join(", ")
                ));
            }
            return;
        }
        for (capability, is_undecidable) in &snippet.labels {
            let label = Label {
                is_found: found.contains(capability),
                is_undecidable: *is_undecidable,
                is_unanalyzed: found.contains(&Capability::Unanalyzed),
            };
            self.recall.note(label);
            let of_capability = self.by_capability.entry(capability.name());
            of_capability.or_default().note(label);
            let of_hiding = self.by_hiding.entry(snippet.hiding.clone());
            of_hiding.or_default().note(label);
            let of_language = self.by_language.entry(language.to_owned());
            of_language.or_default().note(label);
            if !label.is_met() {
                let safe = if label.is_unanalyzed {
                    " (unanalyzed)"
                } else {
                    ""
                };
                self.misses
                    .push(format!("{}: {}{safe}", snippet.name, capability.name()));
            }
        }
    }

    fn report(&self) -> String {
        let mut text = String::new();
        let mut line = |one: &str| writeln!(text, "{one}").unwrap();
        line("recall as labelled | the capability itself | it or unanalyzed");
        for (title, rows) in [("language", &self.by_language), ("hiding", &self.by_hiding)] {
            line(&format!("--- by {title}"));
            for (name, recall) in rows {
                line(&recall.row(name));
            }
        }
        line("--- by capability");
        for (name, recall) in &self.by_capability {
            line(&recall.row(name));
        }
        line("--- misses");
        for miss in &self.misses {
            line(miss);
        }
        line("--- false alarms");
        for alarm in &self.alarms {
            line(alarm);
        }
        line("--- in all");
        line(&self.recall.row("recall"));
        for (language, quiet) in &self.quiet_by_language {
            line(&format!(
                "benign {language} without false alarm {}",
                quiet.shown()
            ));
        }
        line(&format!(
            "benign without false alarm {}",
            self.quiet.shown()
        ));
        text
    }
}

#[test]
fn what_programs_can_do_is_found() {
    let mut measured = Measured::default();
    for snippet in &snippets() {
        measured.note(snippet);
    }
    let report = measured.report();
    println!("{report}");
    assert!(measured.recall.labelled.value() >= RECALL_MIN, "{report}");
    let false_alarms = 1.0 - measured.quiet.value();
    assert!(false_alarms <= FALSE_ALARMS_MAX, "{report}");
}

/// A label that says little is worth little: what must be found cannot mostly be excused.
#[test]
fn the_set_is_large_and_its_labels_are_strict() {
    let snippets = snippets();
    let benign = snippets.iter().filter(|snippet| snippet.is_benign).count();
    let capable = snippets.len() - benign;
    assert!(capable >= 400 && benign >= capable, "{capable} {benign}");
    let labels = snippets.iter().flat_map(|snippet| snippet.labels.values());
    let undecidable = labels.clone().filter(|is_undecidable| **is_undecidable);
    assert!(undecidable.count() * 10 < labels.count());
    for capability in Capability::ALL {
        let labelled = snippets
            .iter()
            .filter(|snippet| !snippet.is_benign && snippet.labels.contains_key(&capability));
        let least = if capability == Capability::Unanalyzed {
            0
        } else {
            10
        };
        assert!(labelled.count() >= least, "{}", capability.name());
    }
}
