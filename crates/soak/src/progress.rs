//! How far a soak has come, kept in a file so that an interrupted one can go on.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use serde::{Deserialize, Serialize};

/// More would only repeat what these say.
const FAULTS_MAX: usize = 10;

/// Counts over all parts of a soak.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Jobs that have come to their end.
    pub(crate) done: u64,
    /// Kind of job to how many were as expected, and how many were not.
    kinds: BTreeMap<String, (u64, u64)>,
    /// The first jobs that did not end as expected.
    pub(crate) faults: Vec<String>,
}

impl Progress {
    /// Reads what an earlier part has left, or begins.
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let failed = |error: String| {
            format!(
                "failed to read {}: {error}; remove it to begin anew",
                file.display()
            )
        };
        match fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    pub(crate) fn write(&self, file: &Path) -> Result<(), String> {
        let failed = |error: String| format!("failed to write {}: {error}", file.display());
        let bytes = serde_json::to_vec(self).map_err(|error| failed(error.to_string()))?;
        fs::write(file, bytes).map_err(|error| failed(error.to_string()))
    }

    /// For a soak that has come to its end: the next one begins anew.
    pub(crate) fn forget(file: &Path) -> Result<(), String> {
        match fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(format!("failed to remove {}: {error}", file.display()))
            }
            _ => Ok(()),
        }
    }

    /// Counts one job.
    pub(crate) fn count(&mut self, kind: &str, fault: Option<String>) {
        self.done += 1;
        let (right, wrong) = self.kinds.entry(kind.to_owned()).or_default();
        match fault {
            None => *right += 1,
            Some(fault) => {
                *wrong += 1;
                if self.faults.len() < FAULTS_MAX {
                    self.faults.push(format!("{kind}: {fault}"));
                }
            }
        }
    }

    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        table.set_header(["job", "as expected", "not"]);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        for (kind, (right, wrong)) in &self.kinds {
            table.add_row([kind.clone(), right.to_string(), wrong.to_string()]);
        }
        let (right, wrong) = self
            .kinds
            .values()
            .fold((0, 0), |sum, kind| (sum.0 + kind.0, sum.1 + kind.1));
        table.add_row(["all".to_owned(), right.to_string(), wrong.to_string()]);
        table.to_string()
    }
}
