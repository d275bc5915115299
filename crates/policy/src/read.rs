//! Reads a policy file.
//!
//! The file is walked by hand rather than deserialised, so that one pass reports everything that
//! is wrong, each at its place, with the nearest right name.

mod calls;
mod packages;
mod section;
mod sizes;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use atoll_types::{Layer, Level, Sharing, SystemCalls, TenantId, Trust};
use toml::de::{DeTable, DeValue};

use crate::condition::{Condition, environment};
use crate::diagnostic::{Findings, did_you_mean};
use crate::facts::TRUSTS;
use crate::limits;
use crate::policy::{Effect, Floor, Isolation, Policy, Rule, Tenant};
use calls::CALLS;
use section::{Section, as_table, as_whole, at, wrong};

/// The largest policy file, in bytes.
const TEXT_MAX: usize = 256 << 10;

/// The most rules. Deciding evaluates them one after the other for every message.
const RULES_MAX: usize = 200;

/// The most messages that may share one sandbox.
const MESSAGES_MAX: u64 = 1_000_000;

/// The key for layers that messages may run without.
const ACCEPT_MISSING: &str = "accept_missing";

/// The key for a level that is taken where the host has it.
const PREFER_LEVEL: &str = "prefer_level";

/// The longest id and the longest explanation, in bytes.
const ID_MAX: usize = 64;
const BECAUSE_MAX: usize = 500;

/// Reads a policy; `None` when the text is too large or no TOML. Otherwise a policy comes back even
/// where there are errors, so that more can be found out about it.
pub(crate) fn read(findings: &mut Findings<'_>) -> Option<Policy> {
    let text = findings.text();
    if text.len() > TEXT_MAX {
        let message = format!("the policy is larger than {} KiB", TEXT_MAX >> 10);
        findings.error(0, message, None);
        return None;
    }
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let place = text.floor_char_boundary(start);
            findings.error(place, format!("not valid TOML: {}", error.message()), None);
            return None;
        }
    };
    const KEYS: [&str; 6] = ["rule", "defaults", "trial", "packages", "tenants", "floor"];
    let root = Section::new(findings, table.get_ref(), 0, &KEYS);
    let mut limits = limits::built_in();
    let mut accepted = None;
    if let Some(defaults) = root.section(findings, "defaults", &["limits", ACCEPT_MISSING]) {
        limits.extend(sizes::settings(findings, &defaults));
        accepted = accept_missing(findings, &defaults);
    }
    Some(Policy {
        rules: rules(findings, &root),
        limits,
        accept_missing: accepted.unwrap_or_default(),
        tenants: tenants(findings, &root),
        trial: trial::trial(findings, &root),
        packages: packages::packages(findings, &root).unwrap_or_default(),
        floor: floor(findings, &root),
        environment: environment(),
    })
}

fn rules(findings: &mut Findings<'_>, root: &Section<'_, '_>) -> Vec<Rule> {
    let Some(value) = root.get("rule") else {
        let help = "add one: [[rule]] with `id`, `because` and `set`";
        findings.error(0, "the policy has no rules", Some(help.to_owned()));
        return Vec::new();
    };
    let DeValue::Array(array) = value.get_ref() else {
        let help = "write [[rule]] with two brackets".to_owned();
        findings.error(at(value), "rules are a list of tables", Some(help));
        return Vec::new();
    };
    if array.len() > RULES_MAX {
        let message = format!("the policy has {} rules; at most {RULES_MAX}", array.len());
        findings.error(at(value), message, None);
        return Vec::new();
    }
    let mut rules: Vec<Rule> = Vec::new();
    for value in array.iter() {
        let Some(table) = as_table(findings, value, "rule") else {
            continue;
        };
        const KEYS: [&str; 4] = ["id", "when", "set", "because"];
        let section = Section::new(findings, table, at(value), &KEYS);
        let Some(rule) = rule(findings, &section) else {
            continue;
        };
        if let Some(first) = rules.iter().find(|other| other.id == rule.id) {
            let line = findings.line(first.at);
            let message = format!("rule id `{}` is taken by the rule on line {line}", rule.id);
            findings.error(rule.at, message, None);
        }
        rules.push(rule);
    }
    rules
}

fn rule(findings: &mut Findings<'_>, section: &Section<'_, '_>) -> Option<Rule> {
    let id = id(findings, section);
    let because = because(findings, section);
    let (when, when_at, is_broken) = condition(findings, section);
    let effect = effect(findings, section);
    let (id, at) = id?;
    let rule = Rule {
        id,
        when,
        because: because?,
        effect: effect?,
        at,
        when_at,
    };
    (!is_broken).then_some(rule)
}

/// The condition under `when`, where it stands, and whether it is wrong: one that is there but
/// wrong must not turn into "always".
fn condition(
    findings: &mut Findings<'_>,
    section: &Section<'_, '_>,
) -> (Option<Condition>, usize, bool) {
    if section.get("when").is_none() {
        return (None, section.at, false);
    }
    let Some((source, span)) = section.text(findings, "when") else {
        return (None, section.at, true);
    };
    let when_at = place(findings.text(), &span, source, 0);
    match Condition::compile(source) {
        Ok(condition) => (Some(condition), when_at, false),
        Err(complaints) => {
            for complaint in complaints {
                let at = place(findings.text(), &span, source, complaint.at);
                findings.error(at, complaint.message, complaint.help);
            }
            (None, when_at, true)
        }
    }
}

/// Where a part of a text value stands in the file. Exact when the value stands there as it is,
/// between its quotes; with escapes in it, the start of the value must do.
fn place(file: &str, span: &Range<usize>, value: &str, offset: usize) -> usize {
    let raw = file.get(span.clone()).unwrap_or_default();
    for quotes in ["\"\"\"", "'''", "\"", "'"] {
        let Some(inner) = raw
            .strip_prefix(quotes)
            .and_then(|rest| rest.strip_suffix(quotes))
        else {
            continue;
        };
        // A line break right after three quotes does not belong to the value.
        let trimmed = inner
            .strip_prefix("\r\n")
            .or_else(|| inner.strip_prefix('\n'))
            .unwrap_or(inner);
        for candidate in [inner, trimmed] {
            if candidate == value {
                let skipped = quotes.len() + inner.len() - candidate.len();
                return span.start + skipped + offset;
            }
        }
    }
    span.start
}

fn id(findings: &mut Findings<'_>, section: &Section<'_, '_>) -> Option<(String, usize)> {
    if section.get("id").is_none() {
        let help = "name it: id = \"my-rule\"".to_owned();
        findings.error(section.at, "this rule has no `id`", Some(help));
        return None;
    }
    let (text, span) = section.text(findings, "id")?;
    let fits = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    if !fits || text.is_empty() || text.len() > ID_MAX {
        let message = format!("an id is 1 to {ID_MAX} letters, digits, `.`, `_` or `-`");
        findings.error(span.start, message, None);
        return None;
    }
    Some((text.to_owned(), span.start))
}

fn because(findings: &mut Findings<'_>, section: &Section<'_, '_>) -> Option<String> {
    if section.get("because").is_none() {
        let help = "say why it exists; the text is shown with every decision it makes".to_owned();
        findings.error(section.at, "this rule has no `because`", Some(help));
        return None;
    }
    let (text, span) = section.text(findings, "because")?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    if text.is_empty() || text.len() > BECAUSE_MAX || text.chars().any(char::is_control) {
        let message = format!("`because` is 1 to {BECAUSE_MAX} bytes of plain text");
        findings.error(span.start, message, None);
        return None;
    }
    Some(text)
}

fn effect(findings: &mut Findings<'_>, rule: &Section<'_, '_>) -> Option<Effect> {
    const KEYS: [&str; 13] = [
        "level",
        "sharing",
        "messages_max",
        "network",
        "deny",
        "allow_weaker_level",
        "or_stronger_level",
        PREFER_LEVEL,
        "system_calls",
        "limits",
        ACCEPT_MISSING,
        CALLS,
        "audit",
    ];
    if rule.get("set").is_none() {
        let help = "say what it does: set.level = \"process\", or set.deny = true".to_owned();
        findings.error(rule.at, "this rule has no `set`", Some(help));
        return None;
    }
    let set = rule.section(findings, "set", &KEYS)?;
    if set.flag(findings, "deny") {
        for key in KEYS.into_iter().filter(|key| *key != "deny") {
            if let Some(value) = set.get(key) {
                let message = format!("a rule that refuses the message has no use for `{key}`");
                findings.error(at(value), message, None);
            }
        }
        return Some(Effect::Deny);
    }
    network(findings, &set);
    let limits = sizes::settings(findings, &set);
    let accept_missing = accept_missing(findings, &set);
    let allow_weaker_level = set.flag(findings, "allow_weaker_level");
    let or_stronger_level = set.flag(findings, "or_stronger_level");
    let system_calls = system_calls(findings, &set);
    let sharing = sharing(findings, &set);
    let messages_max = messages_max(findings, &set, sharing);
    let calls = calls::calls(findings, &set);
    let audit = set.flag(findings, "audit");
    if set.get("level").is_none() {
        let help = "there are: instance, process, gvisor, vm".to_owned();
        findings.error(set.at, "this rule sets no `level`", Some(help));
    }
    let level = level(findings, &set)?;
    let prefer_level = prefer_level(findings, &set, level);
    let sharing = sharing.unwrap_or(Sharing::Message);
    if sharing == Sharing::Shared && level != Level::Instance {
        let message = format!("tenants cannot share a sandbox of level `{level}`");
        let help = "only `instance` keeps the messages in one sandbox apart".to_owned();
        findings.error(set.at, message, Some(help));
    }
    Some(Effect::Isolate(Isolation {
        level,
        sharing,
        messages_max: messages_max?,
        allow_weaker_level,
        or_stronger_level,
        prefer_level,
        system_calls,
        limits,
        accept_missing,
        calls,
        audit,
    }))
}

fn level(findings: &mut Findings<'_>, section: &Section<'_, '_>) -> Option<Level> {
    let choices = Level::ALL.map(|level| (level.name(), level));
    section.choice(findings, "level", &choices)
}

/// A level to take where the host has it.
fn prefer_level(findings: &mut Findings<'_>, set: &Section<'_, '_>, level: Level) -> Option<Level> {
    let choices = Level::ALL.map(|level| (level.name(), level));
    let preferred = set.choice(findings, PREFER_LEVEL, &choices)?;
    if preferred > level {
        return Some(preferred);
    }
    let place = set.get(PREFER_LEVEL).map_or(set.at, at);
    let message = format!("`{PREFER_LEVEL}` must be stronger than `level`, which is `{level}`");
    findings.error(place, message, None);
    None
}

fn sharing(findings: &mut Findings<'_>, section: &Section<'_, '_>) -> Option<Sharing> {
    let choices = [Sharing::Message, Sharing::Tenant, Sharing::Shared]
        .map(|sharing| (sharing.name(), sharing));
    section.choice(findings, "sharing", &choices)
}

fn system_calls(findings: &mut Findings<'_>, section: &Section<'_, '_>) -> Option<SystemCalls> {
    let choices = SystemCalls::ALL.map(|choice| (choice.name(), choice));
    section.choice(findings, "system_calls", &choices)
}

/// Layers that a message may run without.
fn accept_missing(
    findings: &mut Findings<'_>,
    section: &Section<'_, '_>,
) -> Option<BTreeSet<Layer>> {
    let value = section.get(ACCEPT_MISSING)?;
    let DeValue::Array(names) = value.get_ref() else {
        return wrong(findings, value, ACCEPT_MISSING, "a list of layers");
    };
    let mut layers = BTreeSet::new();
    for value in names.iter() {
        let DeValue::String(name) = value.get_ref() else {
            return wrong(findings, value, "a layer", "a text");
        };
        let known = Layer::DISPENSABLE
            .into_iter()
            .find(|layer| layer.name() == *name);
        if known.is_none() {
            let names = Layer::DISPENSABLE.map(Layer::name);
            let help = did_you_mean(name, names)
                .unwrap_or_else(|| format!("there are: {}", names.join(", ")));
            let shown: String = name.chars().take(60).collect();
            let message = format!("a message cannot run without `{}`", shown.escape_debug());
            findings.error(at(value), message, Some(help));
        }
        layers.extend(known);
    }
    Some(layers)
}

/// The only network there is today is none.
fn network(findings: &mut Findings<'_>, set: &Section<'_, '_>) {
    let Some(value) = set.get("network") else {
        return;
    };
    if matches!(value.get_ref(), DeValue::String(text) if text == "none") {
        return;
    }
    let help = "this version runs every program without a network: network = \"none\"";
    findings.error(
        at(value),
        "network cannot be granted yet",
        Some(help.to_owned()),
    );
}

fn messages_max(
    findings: &mut Findings<'_>,
    set: &Section<'_, '_>,
    sharing: Option<Sharing>,
) -> Option<u32> {
    let shares = matches!(sharing, Some(Sharing::Tenant | Sharing::Shared));
    let Some(value) = set.get("messages_max") else {
        if shares {
            let help = "say after how many messages a sandbox is destroyed: messages_max = 100";
            let message = "a shared sandbox needs `messages_max`";
            findings.error(set.at, message, Some(help.to_owned()));
            return None;
        }
        return Some(1);
    };
    let number = as_whole(findings, value, "messages_max")?;
    if !shares && number != 1 {
        let help = "add sharing = \"tenant\"".to_owned();
        let message = "without sharing, a sandbox serves one message";
        findings.error(at(value), message, Some(help));
        return None;
    }
    match u32::try_from(number) {
        Ok(messages) if (1..=MESSAGES_MAX).contains(&number) => Some(messages),
        _ => {
            let message = format!("`messages_max` must be from 1 to {MESSAGES_MAX}");
            findings.error(at(value), message, None);
            None
        }
    }
}

fn tenants(findings: &mut Findings<'_>, root: &Section<'_, '_>) -> BTreeMap<TenantId, Tenant> {
    let Some(value) = root.get("tenants") else {
        return BTreeMap::new();
    };
    let DeValue::Table(table) = value.get_ref() else {
        return wrong(findings, value, "tenants", "a table").unwrap_or_default();
    };
    let mut tenants = BTreeMap::new();
    for (key, value) in table {
        let id = match TenantId::new(key.get_ref()) {
            Ok(id) => id,
            Err(error) => {
                findings.error(key.span().start, error.to_string(), None);
                continue;
            }
        };
        let Some(table) = as_table(findings, value, "a tenant") else {
            continue;
        };
        let keys = ["trust", "packages", "floor"];
        let section = Section::new(findings, table, key.span().start, &keys);
        let trusts = TRUSTS.map(|trust| (trust.name(), trust));
        let trust = section.choice(findings, "trust", &trusts);
        let tenant = Tenant {
            trust: trust.unwrap_or(Trust::Known),
            packages: packages::packages(findings, &section),
            floor: floor(findings, &section),
        };
        tenants.insert(id, tenant);
    }
    tenants
}

fn floor(findings: &mut Findings<'_>, parent: &Section<'_, '_>) -> Floor {
    const KEYS: [&str; 5] = ["level", "sharing", "system_calls", "limits", CALLS];
    let Some(section) = parent.section(findings, "floor", &KEYS) else {
        return Floor::default();
    };
    Floor {
        level: level(findings, &section),
        sharing: sharing(findings, &section),
        system_calls: system_calls(findings, &section),
        caps: sizes::caps(findings, &section),
        calls: calls::calls(findings, &section),
    }
}
