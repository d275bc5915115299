//! Reads the table of crates in `ARCHITECTURE.md`: the document is the rule.

use std::collections::BTreeSet;

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrateRow {
    /// The crate, without the `atoll-` of its package.
    pub name: String,
    /// The crates of this repository that it may depend on.
    pub may_use: BTreeSet<String>,
}

/// The rows below the heading "## Crates". The first cell names the crate and the third cell the
/// crates it may use, all in backquotes.
#[must_use]
pub fn crate_table(document: &str) -> Vec<CrateRow> {
    document
        .lines()
        .skip_while(|line| *line != "## Crates")
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(row)
        .collect()
}

fn row(line: &str) -> Option<CrateRow> {
    let mut cells = line.strip_prefix('|')?.split('|');
    let name = quoted(cells.next()?).into_iter().next()?;
    let may_use = quoted(cells.nth(1)?);
    Some(CrateRow { name, may_use })
}

/// What stands in backquotes.
fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_and_what_they_may_use() {
        let text = "# X\n## Crates\n| crate | owns | may use |\n|---|---|---|\n\
                    | `types` | nouns | nothing |\n| `a` | `b` things | `types`, `c` |\n## Next\n\
                    | `not` | part | `of it` |\n";
        let rows = crate_table(text);
        assert_eq!(rows.len(), 2);
        assert!(rows[0].may_use.is_empty());
        assert_eq!(rows[1].name, "a");
        assert_eq!(
            rows[1].may_use,
            BTreeSet::from(["c".into(), "types".into()])
        );
    }
}
