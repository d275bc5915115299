//! Typed access to the tables of a policy file, with every complaint at its place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Findings, did_you_mean};

/// A value with its place in the file.
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// A table whose keys were checked.
#[derive(Clone, Copy)]
pub(super) struct Section<'t, 'i> {
    table: &'t DeTable<'i>,
    /// Byte offset of the table.
    pub(super) at: usize,
}

/// The byte offset where a value starts.
pub(super) fn at(value: &Value<'_>) -> usize {
    value.span().start
}

/// What a value is, in plain words.
pub(super) fn noun(value: &Value<'_>) -> &'static str {
    match value.get_ref() {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

impl<'t, 'i> Section<'t, 'i> {
    /// Wraps a table; complains about keys it does not know.
    pub(super) fn new(
        findings: &mut Findings<'_>,
        table: &'t DeTable<'i>,
        at: usize,
        keys: &[&str],
    ) -> Self {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !keys.contains(&name) {
                let help = did_you_mean(name, keys.iter().copied())
                    .unwrap_or_else(|| format!("there are: {}", keys.join(", ")));
                let shown: String = name.chars().take(60).collect();
                let message = format!("unknown key `{}`", shown.escape_debug());
                findings.error(key.span().start, message, Some(help));
            }
        }
        Self { table, at }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'t Value<'i>> {
        self.table.get(key)
    }

    /// A table under a key.
    pub(super) fn section(
        &self,
        findings: &mut Findings<'_>,
        key: &str,
        keys: &[&str],
    ) -> Option<Self> {
        let value = self.get(key)?;
        let table = as_table(findings, value, key)?;
        Some(Self::new(findings, table, at(value), keys))
    }

    /// A text under a key, with its place.
    pub(super) fn text(
        &self,
        findings: &mut Findings<'_>,
        key: &str,
    ) -> Option<(&'t str, Range<usize>)> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some((text, value.span())),
            _ => wrong(findings, value, key, "a text"),
        }
    }

    /// True or false under a key; false when the key is absent.
    pub(super) fn flag(&self, findings: &mut Findings<'_>, key: &str) -> bool {
        let Some(value) = self.get(key) else {
            return false;
        };
        match value.get_ref() {
            DeValue::Boolean(flag) => *flag,
            _ => wrong(findings, value, key, "true or false").unwrap_or(false),
        }
    }

    /// One of several words under a key.
    pub(super) fn choice<T: Clone>(
        &self,
        findings: &mut Findings<'_>,
        key: &str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let (text, span) = self.text(findings, key)?;
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(choice.clone());
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let help = did_you_mean(text, names.iter().copied())
            .unwrap_or_else(|| format!("there are: {}", names.join(", ")));
        let shown: String = text.chars().take(60).collect();
        let message = format!("`{key}` cannot be `{}`", shown.escape_debug());
        findings.error(span.start, message, Some(help));
        None
    }
}

/// What a text was read as, or what is wrong with it.
pub(super) fn parsed<T>(
    findings: &mut Findings<'_>,
    value: &Value<'_>,
    parsed: Result<T, String>,
) -> Option<T> {
    parsed
        .map_err(|message| findings.error(at(value), message, None))
        .ok()
}

/// The value as a table.
pub(super) fn as_table<'t, 'i>(
    findings: &mut Findings<'_>,
    value: &'t Value<'i>,
    key: &str,
) -> Option<&'t DeTable<'i>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => wrong(findings, value, key, "a table"),
    }
}

/// The value as a whole number.
pub(super) fn as_whole(findings: &mut Findings<'_>, value: &Value<'_>, key: &str) -> Option<u64> {
    let DeValue::Integer(number) = value.get_ref() else {
        return wrong(findings, value, key, "a whole number");
    };
    match u64::from_str_radix(number.as_str(), number.radix()) {
        Ok(number) => Some(number),
        Err(_) => {
            let message = format!("`{key}` must be a whole number from 0 to 2^64 - 1");
            findings.error(at(value), message, None);
            None
        }
    }
}

/// Complains that a value has the wrong type.
pub(super) fn wrong<T>(
    findings: &mut Findings<'_>,
    value: &Value<'_>,
    key: &str,
    wanted: &str,
) -> Option<T> {
    let message = format!("`{key}` must be {wanted}, not {}", noun(value));
    findings.error(at(value), message, None);
    None
}
