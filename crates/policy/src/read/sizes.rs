//! Reads limits: `"10s"`, `64`, `{ from = "profile", ... }`, and the caps of floors.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::section::{Section, Value, as_whole, at, parsed, wrong};
use crate::diagnostic::Findings;
use crate::limits::{LimitKey, Measure, Setting, Settings, Size};
use crate::text::{parse_duration_ms, parse_size};

/// A prediction may be multiplied by this much at most; more is a slip of the pen.
const TIMES_MAX: f64 = 1000.0;

/// The keys of a table of limits.
fn keys() -> Vec<&'static str> {
    LimitKey::ALL.iter().map(|key| key.key()).collect()
}

/// Reads the limits under `limits`, if any.
pub(super) fn settings(findings: &mut Findings<'_>, parent: &Section<'_, '_>) -> Settings {
    let Some(section) = parent.section(findings, "limits", &keys()) else {
        return Settings::new();
    };
    LimitKey::ALL
        .into_iter()
        .filter_map(|key| {
            let value = section.get(key.key())?;
            Some((key, setting(findings, value, key)?))
        })
        .collect()
}

/// Reads the caps under `limits` of a floor: plain values only.
pub(super) fn caps(
    findings: &mut Findings<'_>,
    parent: &Section<'_, '_>,
) -> BTreeMap<LimitKey, u64> {
    let Some(section) = parent.section(findings, "limits", &keys()) else {
        return BTreeMap::new();
    };
    LimitKey::ALL
        .into_iter()
        .filter_map(|key| {
            let value = section.get(key.key())?;
            Some((key, amount(findings, value, key, key.key())?))
        })
        .collect()
}

fn setting(findings: &mut Findings<'_>, value: &Value<'_>, key: LimitKey) -> Option<Setting> {
    let DeValue::Table(table) = value.get_ref() else {
        return amount(findings, value, key, key.key()).map(Setting::fixed);
    };
    const KEYS: [&str; 6] = ["value", "from", "times", "min", "max", "request_max"];
    let section = Section::new(findings, table, at(value), &KEYS);
    let amount_of = |findings: &mut Findings<'_>, name: &str| {
        let value = section.get(name)?;
        amount(findings, value, key, name)
    };
    let request_max = amount_of(findings, "request_max");
    if request_max.is_some() && !key.is_requestable() {
        let message = format!("requests cannot raise `{}`", key.key());
        let help = "they can raise wall_time, cpu_time and memory";
        findings.error(section.at, message, Some(help.to_owned()));
    }
    let size = match (section.get("value"), section.get("from")) {
        (Some(_), None) => {
            for name in ["times", "min", "max"] {
                if let Some(extra) = section.get(name) {
                    let message = format!("`{name}` goes with `from`, not with `value`");
                    findings.error(at(extra), message, None);
                }
            }
            Size::Fixed(amount_of(findings, "value")?)
        }
        (None, Some(_)) => from_profile(findings, &section, key)?,
        _ => {
            let help = "write { value = ... } or { from = \"profile\", times, min, max }";
            let message = format!("`{}` needs either `value` or `from`", key.key());
            findings.error(section.at, message, Some(help.to_owned()));
            return None;
        }
    };
    let setting = Setting { size, request_max };
    let largest = match size {
        Size::Fixed(value) => value,
        Size::Profile { max, .. } => max,
    };
    if setting.request_max() < largest {
        let message = "`request_max` is below the limit itself";
        let help = format!("write at least {}", key.show(largest));
        findings.error(section.at, message, Some(help));
    }
    Some(setting)
}

fn from_profile(
    findings: &mut Findings<'_>,
    section: &Section<'_, '_>,
    key: LimitKey,
) -> Option<Size> {
    section.choice(findings, "from", &[("profile", ())])?;
    if !key.is_predicted() {
        let message = format!("profiles predict nothing for `{}`", key.key());
        let help = "they can size wall_time, cpu_time, memory, disk and output".to_owned();
        findings.error(section.at, message, Some(help));
        return None;
    }
    let mut bound = |name: &str| match section.get(name) {
        Some(value) => amount(findings, value, key, name),
        None => {
            let message = format!("`from = \"profile\"` needs `{name}`");
            let help = "a prediction can be wrong, so it is kept between `min` and `max`";
            findings.error(section.at, message, Some(help.to_owned()));
            None
        }
    };
    let (min, max) = (bound("min"), bound("max"));
    let times = match section.get("times") {
        Some(value) => factor(findings, value)?,
        None => 1.0,
    };
    let (min, max) = (min?, max?);
    if min > max {
        let message = format!("`min` is above `max` in `{}`", key.key());
        findings.error(section.at, message, None);
        return None;
    }
    Some(Size::Profile { times, min, max })
}

fn factor(findings: &mut Findings<'_>, value: &Value<'_>) -> Option<f64> {
    let number: f64 = match value.get_ref() {
        DeValue::Integer(_) => as_whole(findings, value, "times")? as f64,
        DeValue::Float(number) => number.as_str().parse().ok()?,
        _ => return wrong(findings, value, "times", "a number"),
    };
    if number > 0.0 && number <= TIMES_MAX {
        Some(number)
    } else {
        let message = format!("`times` must be above 0 and at most {TIMES_MAX}");
        findings.error(at(value), message, None);
        None
    }
}

/// One amount, in the unit of its limit and within what the limit can be.
fn amount(
    findings: &mut Findings<'_>,
    value: &Value<'_>,
    key: LimitKey,
    name: &str,
) -> Option<u64> {
    let amount = match (key.measure(), value.get_ref()) {
        (Measure::Count, _) => as_whole(findings, value, name)?,
        (measure, DeValue::String(text)) => {
            let amount = match measure {
                Measure::Duration => parse_duration_ms(text),
                _ => parse_size(text),
            };
            parsed(findings, value, amount)?
        }
        (Measure::Duration, _) => {
            return wrong(
                findings,
                value,
                name,
                "a duration with its unit, such as \"10s\"",
            );
        }
        (Measure::Size, _) => {
            return wrong(
                findings,
                value,
                name,
                "a size with its unit, such as \"256MiB\"",
            );
        }
    };
    if (key.smallest()..=key.largest()).contains(&amount) {
        return Some(amount);
    }
    let (smallest, largest) = (key.show(key.smallest()), key.show(key.largest()));
    let message = format!("`{name}` must be from {smallest} to {largest}");
    findings.error(at(value), message, None);
    None
}
