//! One rule for calls, and the line of text it is written as.
//!
//! ```text
//! deny=EACCES file.open,file.remove /etc/**
//! delay=20ms after=100 file.read
//! trap program.*
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::call::ArgumentKind;
use super::{CallSelector, CallSet, ErrorName, Pattern};

/// The longest delay of one call, in milliseconds.
const DELAY_MS_MAX: u32 = 60_000;

/// What becomes of the calls that a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallAction {
    /// They are made.
    Allow,
    /// They fail with this error.
    Deny(ErrorName),
    /// They are made after this many milliseconds.
    Delay(u32),
    /// The program is ended, as for any other violation.
    Trap,
}

impl CallAction {
    /// Whether the call may be made, sooner or later.
    #[must_use]
    pub const fn lets_through(self) -> bool {
        matches!(self, Self::Allow | Self::Delay(_))
    }
}

/// A rule for calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRule {
    /// What becomes of the calls.
    pub action: CallAction,
    /// Which calls; never empty.
    pub selectors: Vec<CallSelector>,
    /// Only calls with an argument like this; `None` takes any.
    pub argument: Option<Pattern>,
    /// How many calls that fit go on to the next rules before this one begins to act.
    pub after: u64,
}

/// A rule for calls that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidCallRule(String);

impl InvalidCallRule {
    pub(super) const fn new(text: String) -> Self {
        Self(text)
    }

    pub(super) fn unknown<const N: usize>(
        what: &str,
        text: &str,
        names: [&'static str; N],
    ) -> Self {
        let shown: String = text.chars().take(60).collect();
        Self(format!(
            "there is no {what} `{}`; there are: {}",
            shown.escape_debug(),
            names.join(", ")
        ))
    }
}

impl CallRule {
    /// The calls that the rule names.
    #[must_use]
    pub fn calls(&self) -> CallSet {
        let sets = self.selectors.iter().map(|selector| selector.calls());
        sets.fold(CallSet::EMPTY, CallSet::union)
    }
}

impl FromStr for CallRule {
    type Err = InvalidCallRule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, mut rest) = next_word(text);
        let action = action(word)?;
        let mut after = 0;
        let (mut calls, mut behind) = next_word(rest);
        if let Some(number) = calls.strip_prefix("after=") {
            after = number.parse().map_err(|_| {
                let text = format!("`after` must be a whole number, not `{}`", shown(number));
                InvalidCallRule(text)
            })?;
            rest = behind;
            (calls, behind) = next_word(rest);
        }
        if calls.is_empty() {
            let text = "a rule for calls names what to do and which calls: deny=EACCES file.open";
            return Err(InvalidCallRule(text.to_owned()));
        }
        let selectors: Vec<CallSelector> =
            calls.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let argument = behind.trim();
        let argument = match argument {
            "" => None,
            text => Some(text.parse()?),
        };
        let rule = Self {
            action,
            selectors,
            argument,
            after,
        };
        rule.check()?;
        Ok(rule)
    }
}

impl CallRule {
    /// A condition is only for calls that have something it could hold of.
    fn check(&self) -> Result<(), InvalidCallRule> {
        let Some(argument) = &self.argument else {
            return Ok(());
        };
        let without = self
            .calls()
            .iter()
            .find(|call| call.argument() == ArgumentKind::None);
        if let Some(call) = without {
            return Err(InvalidCallRule(format!(
                "`{call}` has no argument that `{}` could be compared with; name the calls one by \
                 one, or leave the condition off",
                shown(argument.text())
            )));
        }
        let paths = self
            .calls()
            .iter()
            .all(|call| call.argument() == ArgumentKind::Path);
        if paths && !argument.text().starts_with(['/', '*']) {
            return Err(InvalidCallRule(format!(
                "`{}` can never match: paths are absolute and begin with `/`",
                shown(argument.text())
            )));
        }
        Ok(())
    }
}

fn next_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

fn shown(text: &str) -> String {
    let text: String = text.chars().take(60).collect();
    text.escape_debug().to_string()
}

fn action(word: &str) -> Result<CallAction, InvalidCallRule> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    };
    match (name, value) {
        ("allow", None) => Ok(CallAction::Allow),
        ("trap", None) => Ok(CallAction::Trap),
        ("deny", Some(error)) => error.parse().map(CallAction::Deny),
        ("delay", Some(time)) => delay(time).map(CallAction::Delay),
        _ => Err(InvalidCallRule(format!(
            "a rule for calls begins with `allow`, `deny=ERROR` (EACCES, say), `delay=TIME` \
             (20ms, say) or `trap`, not with `{}`",
            shown(word)
        ))),
    }
}

fn delay(time: &str) -> Result<u32, InvalidCallRule> {
    let (number, factor) = match time.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (time.strip_suffix('s').unwrap_or(""), 1000),
    };
    let ms = number.parse::<u32>().ok();
    let ms = ms.and_then(|number| number.checked_mul(factor));
    ms.filter(|ms| (1..=DELAY_MS_MAX).contains(ms))
        .ok_or_else(|| {
            InvalidCallRule(format!(
                "a delay is from 1ms to {}s, not `{}`",
                DELAY_MS_MAX / 1000,
                shown(time)
            ))
        })
}

impl fmt::Display for CallAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.write_str("allow"),
            Self::Deny(error) => write!(f, "deny={error}"),
            Self::Delay(ms) => write!(f, "delay={ms}ms"),
            Self::Trap => f.write_str("trap"),
        }
    }
}

impl fmt::Display for CallRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.action)?;
        if self.after > 0 {
            write!(f, "after={} ", self.after)?;
        }
        for (index, selector) in self.selectors.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(f, "{separator}{selector}")?;
        }
        match &self.argument {
            Some(argument) => write!(f, " {argument}"),
            None => Ok(()),
        }
    }
}

impl Serialize for CallRule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CallRule {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calls::{Call, CallFamily};

    #[test]
    fn a_rule_is_read_and_written_alike() {
        for text in [
            "deny=EACCES file.open,file.remove /etc/**",
            "delay=20ms after=100 file.read",
            "trap program.*",
            "allow *",
            "deny=ENOENT file.stat /a name with spaces",
            "deny=ECONNREFUSED network.connect,network.send 127.0.0.1:*",
        ] {
            let rule: CallRule = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
            let json = serde_json::to_string(&rule).unwrap();
            assert_eq!(serde_json::from_str::<CallRule>(&json).unwrap(), rule);
        }
        let rule: CallRule = "  delay=2s \t file.open   /x ".parse().unwrap();
        assert_eq!(rule.to_string(), "delay=2000ms file.open /x");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, wanted) in [
            ("", "begins with `allow`"),
            ("forbid file.open", "not with `forbid`"),
            ("deny file.open", "deny=ERROR"),
            ("deny=EWHAT file.open", "no error `EWHAT`"),
            ("allow", "which calls"),
            ("allow file.opn", "no call `file.opn`"),
            ("allow file.open,", "no call ``"),
            ("delay=0ms file.open", "from 1ms"),
            ("delay=61s file.open", "to 60s"),
            ("delay=99999999s file.open", "to 60s"),
            ("delay=5 file.open", "not `5`"),
            ("trap after=x file.open", "whole number"),
            ("trap clock.read /x", "`clock.read` has no argument"),
            ("trap * /x", "has no argument"),
            ("deny=EIO file.open etc/passwd", "begin with `/`"),
        ] {
            let error = text.parse::<CallRule>().unwrap_err().to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    fn any_rule() -> impl Strategy<Value = CallRule> {
        let action = prop_oneof![
            Just(CallAction::Allow),
            Just(CallAction::Trap),
            (1..=DELAY_MS_MAX).prop_map(CallAction::Delay),
            (0..ErrorName::ALL.len()).prop_map(|at| CallAction::Deny(ErrorName::ALL[at])),
        ];
        let selector = prop_oneof![
            Just(CallSelector::All),
            (0..CallFamily::ALL.len()).prop_map(|at| CallSelector::Family(CallFamily::ALL[at])),
            (0..Call::ALL.len()).prop_map(|at| CallSelector::One(Call::ALL[at])),
        ];
        let selectors = proptest::collection::vec(selector, 1..4);
        let argument = proptest::option::of("/[a-z*/ ]{0,10}[a-z*/]");
        (action, selectors, argument, 0..5_u64).prop_map(|(action, selectors, argument, after)| {
            let mut rule = CallRule {
                action,
                selectors,
                argument: argument.map(|text| text.parse().unwrap()),
                after,
            };
            if rule.check().is_err() {
                rule.argument = None;
            }
            rule
        })
    }

    proptest! {
        #[test]
        fn every_rule_survives_its_text(rule in any_rule()) {
            prop_assert_eq!(rule.to_string().parse::<CallRule>().unwrap(), rule);
        }

        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,40}") {
            let _ = text.parse::<CallRule>();
        }
    }
}
