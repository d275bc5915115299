//! A policy that was read and checked: rules, default limits, tenants and floors.
//!
//! Owns the shape of a policy and the questions one can ask it. Reading is in `read`, deciding in
//! `decide`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use atoll_types::calls::CallRule;
use atoll_types::{EventKind, Layer, Level, SenderHistory, Sharing, SystemCalls, TenantId, Trust};
use cel::Env;

use crate::condition::Condition;
use crate::diagnostic::{Diagnostic, Findings};
use crate::limits::{LimitKey, Settings};
use crate::packages::Packages;
use crate::{lint, read};

/// Ordered rules that decide how each message is isolated, and the floors that hold whatever the
/// rules say.
pub struct Policy {
    pub(crate) rules: Vec<Rule>,
    /// One setting for every limit.
    pub(crate) limits: Settings,
    /// Layers that messages may run without, where their rule says nothing of its own.
    pub(crate) accept_missing: BTreeSet<Layer>,
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    /// When programs are tried on part of their input first; `None`: never.
    pub(crate) trial: Option<Trial>,
    /// What may be installed for tenants that have nothing of their own here.
    pub(crate) packages: Packages,
    /// What holds for every message.
    pub(crate) floor: Floor,
    /// The functions that conditions may call.
    pub(crate) environment: Arc<Env>,
}

/// One rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    /// Absent: the rule matches every message.
    pub(crate) when: Option<Condition>,
    pub(crate) because: String,
    pub(crate) effect: Effect,
    /// Byte offset of the rule in the file.
    pub(crate) at: usize,
    /// Byte offset of the condition in the file.
    pub(crate) when_at: usize,
}

/// What a rule does.
#[derive(Debug)]
pub(crate) enum Effect {
    /// The message is refused.
    Deny,
    /// The message runs, isolated like this.
    Isolate(Isolation),
}

/// How a message is isolated.
#[derive(Debug)]
pub(crate) struct Isolation {
    pub(crate) level: Level,
    pub(crate) sharing: Sharing,
    pub(crate) messages_max: u32,
    pub(crate) allow_weaker_level: bool,
    /// Whether a host without the level uses the next stronger one that it has.
    pub(crate) or_stronger_level: bool,
    /// A stronger level, for hosts that have it or one that is stronger still.
    pub(crate) prefer_level: Option<Level>,
    /// Replaces what the program is judged to need.
    pub(crate) system_calls: Option<SystemCalls>,
    /// Settings that replace the defaults.
    pub(crate) limits: Settings,
    /// Layers that messages may run without, instead of the defaults.
    pub(crate) accept_missing: Option<BTreeSet<Layer>>,
    pub(crate) calls: Vec<CallRule>,
    /// Whether calls are taken down, whoever asks for it.
    pub(crate) audit: bool,
}

/// What the policy says about one tenant.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) trust: Trust,
    pub(crate) packages: Option<Packages>,
    pub(crate) floor: Floor,
}

/// What holds whatever the rules say.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    pub(crate) level: Option<Level>,
    pub(crate) sharing: Option<Sharing>,
    pub(crate) system_calls: Option<SystemCalls>,
    /// The most each limit may be.
    pub(crate) caps: BTreeMap<LimitKey, u64>,
    /// Rules for calls, before any others.
    pub(crate) calls: Vec<CallRule>,
}

/// When short runs on part of the input are worth it, and how long they may take.
#[derive(Debug)]
pub(crate) struct Trial {
    /// Absent: always.
    pub(crate) when: Option<Condition>,
    pub(crate) budget_ms: u64,
}

/// A tenant that the policy does not name becomes known after this many finished messages.
const KNOWN_AFTER_MESSAGES: u64 = 10;

/// ... as long as fewer than one in this many of them ended in an incident.
const KNOWN_MESSAGES_PER_INCIDENT: u64 = 10;

impl Policy {
    /// The text of the policy that is in force when nobody gives another.
    #[must_use]
    pub const fn builtin() -> &'static str {
        include_str!("default.toml")
    }

    /// Reads and checks a policy file.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file. Warnings alone are no error;
    /// [`check`] reports them.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut findings = Findings::new(text);
        match read::read(&mut findings) {
            Some(policy) if !findings.has_errors() => Ok(policy),
            _ => Err(findings.finish()),
        }
    }

    /// How well a tenant is known: what the policy says of it, else what its history shows.
    ///
    /// A tenant the policy does not name is known once ten of its messages have finished, none of
    /// the incidents that history still keeps was a violation, and fewer than one message in ten
    /// ended in an incident. It is never trusted: that takes an operator.
    #[must_use]
    pub fn trust(&self, tenant: &TenantId, history: &SenderHistory) -> Trust {
        if let Some(tenant) = self.tenants.get(tenant) {
            return tenant.trust;
        }
        let own = || history.events.iter().filter(|event| event.by_tenant);
        let violated = own().any(|event| event.kind == EventKind::Violation);
        let incidents = own().count() as u64;
        let clean = incidents.saturating_mul(KNOWN_MESSAGES_PER_INCIDENT) < history.messages;
        if history.messages >= KNOWN_AFTER_MESSAGES && clean && !violated {
            Trust::Known
        } else {
            Trust::Unknown
        }
    }

    /// The rules in their order, for display.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = RuleSummary<'_>> {
        self.rules.iter().map(|rule| RuleSummary {
            id: &rule.id,
            when: rule.when.as_ref().map(Condition::source),
            because: &rule.because,
            effect: rule.effect.to_string(),
        })
    }

    /// The tenants that the policy names, with their trust, sorted by name.
    pub fn tenants(&self) -> impl ExactSizeIterator<Item = (&TenantId, Trust)> {
        self.tenants.iter().map(|(id, tenant)| (id, tenant.trust))
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment of conditions is a table of functions and cannot be shown.
        f.debug_struct("Policy")
            .field("rules", &self.rules)
            .field("limits", &self.limits)
            .field("accept_missing", &self.accept_missing)
            .field("tenants", &self.tenants)
            .field("trial", &self.trial)
            .field("packages", &self.packages)
            .field("floor", &self.floor)
            .finish_non_exhaustive()
    }
}

/// Checks a policy file: errors, and in a file without errors also warnings about rules that can
/// never match. Empty when all is well.
#[must_use]
pub fn check(text: &str) -> Vec<Diagnostic> {
    let mut findings = Findings::new(text);
    match read::read(&mut findings) {
        Some(policy) if !findings.has_errors() => lint::lint(&policy, &mut findings),
        // Rules with errors are missing from the policy, so warnings about the rest would mislead.
        _ => {}
    }
    findings.finish()
}

/// One rule, for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSummary<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its condition; `None` when it matches every message.
    pub when: Option<&'a str>,
    /// Why it exists.
    pub because: &'a str,
    /// What it does, in plain words.
    pub effect: String,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deny => f.write_str("refuse the message"),
            Self::Isolate(isolation) => {
                let (level, sharing) = (isolation.level, isolation.sharing.name());
                let stronger = match isolation.or_stronger_level {
                    true => " (or stronger)",
                    false => "",
                };
                write!(f, "level `{level}`{stronger}")?;
                if let Some(preferred) = isolation.prefer_level {
                    write!(f, " (`{preferred}` or stronger where the host has it)")?;
                }
                write!(f, ", sharing `{sharing}`")?;
                if isolation.sharing != Sharing::Message {
                    write!(f, " for up to {} messages", isolation.messages_max)?;
                }
                if let Some(system_calls) = isolation.system_calls {
                    write!(f, ", system calls `{}`", system_calls.name())?;
                }
                if !isolation.limits.is_empty() {
                    f.write_str(", limits of its own")?;
                }
                match isolation.calls.len() {
                    0 => {}
                    1 => f.write_str(", a rule for calls")?,
                    rules => write!(f, ", {rules} rules for calls")?,
                }
                if isolation.audit {
                    f.write_str(", calls taken down")?;
                }
                if let Some(layers) = &isolation.accept_missing {
                    let names: Vec<&str> = layers.iter().map(|layer| layer.name()).collect();
                    match names.as_slice() {
                        [] => f.write_str(", lacking nothing")?,
                        names => write!(f, ", where need be without {}", names.join(", "))?,
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
