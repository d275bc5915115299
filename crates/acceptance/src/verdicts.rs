//! Verdicts of other people's tests, by the name of each test, compared with those written down.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What came of each check: its name to its verdict.
pub(crate) type Verdicts = BTreeMap<String, String>;

/// Verdicts that differ from those written down, and those that only one side has.
pub(crate) fn differences(written: &Verdicts, seen: &Verdicts) -> Vec<String> {
    let names: std::collections::BTreeSet<_> = written.keys().chain(seen.keys()).collect();
    let differs = |name: &&String| written.get(*name) != seen.get(*name);
    let told = |verdict: Option<&String>| verdict.map_or("nothing", String::as_str).to_owned();
    let names = names.into_iter().filter(differs);
    names
        .map(|name| {
            let (was, is) = (told(written.get(name)), told(seen.get(name)));
            format!("{name}: written down is {was}, seen was {is}")
        })
        .collect()
}

/// Reads lines of `NAME: VERDICT`; those that begin with `#` say why.
pub(crate) fn read(path: &Path) -> Result<Verdicts, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("failed to read {}: {error}", path.display()))?;
    Ok(verdicts_in(&text))
}

fn verdicts_in(text: &str) -> Verdicts {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit_once(": "))
        .map(|(name, verdict)| (name.to_owned(), verdict.to_owned()))
        .collect()
}

/// Writes the verdicts down, below the reasons that are there.
pub(crate) fn write(path: &Path, verdicts: &Verdicts) -> Result<(), String> {
    let before = fs::read_to_string(path).unwrap_or_default();
    let reasons = before.lines().filter(|line| line.starts_with('#'));
    let lines = verdicts
        .iter()
        .map(|(name, verdict)| format!("{name}: {verdict}"));
    let text: Vec<String> = reasons.map(str::to_owned).chain(lines).collect();
    fs::write(path, text.join("\n") + "\n")
        .map_err(|error| format!("failed to write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_that_changes_or_is_missing_is_told() {
        let written = verdicts_in("# why\na one: ok\na two: not ok\n");
        let seen = verdicts_in("a one: ok\na two: ok\na three: skip\n");
        let expected = [
            "a three: written down is nothing, seen was skip",
            "a two: written down is not ok, seen was ok",
        ];
        assert_eq!(differences(&written, &seen), expected);
    }
}
