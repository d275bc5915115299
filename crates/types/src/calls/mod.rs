//! Rules for the calls that a program makes of its host, in one language for every level.
//!
//! A [`Call`] is something a program asks of the world outside it, whichever level it runs at: a
//! host function at the level `instance`, a system call at the level `process`. A [`CallRule`] says
//! what becomes of some calls, a [`CallMatcher`] decides one call after the other, and a
//! [`CallAudit`] tells what was called. What a level can enforce, and how, is the level's business.

mod audit;
mod call;
mod error_name;
mod matcher;
mod path;
mod pattern;
mod rule;

use serde::{Deserialize, Serialize};

pub use audit::{CallAudit, CallAuditor, CallCounts, CallRecord};
pub use call::{ArgumentKind, Call, CallFamily, CallSelector, CallSet};
pub use error_name::ErrorName;
pub use matcher::{CallMatcher, Verdict};
pub use path::normalized;
pub use pattern::Pattern;
pub use rule::{CallAction, CallRule, InvalidCallRule};

/// The most rules that one decision can have.
pub const CALL_RULES_MAX: usize = 64;

/// What a decision says about calls. Empty, it changes nothing and costs nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CallRules {
    /// The rules in their order; the first that matches a call decides it, and a call that no rule
    /// matches is allowed.
    #[serde(default)]
    pub rules: Vec<CallRule>,
    /// Whether the outcome is to say which calls were made.
    #[serde(default)]
    pub audit: bool,
}

impl CallRules {
    /// Whether calls go their way unseen, as they do without any rules.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty() && !self.audit
    }

    /// The calls that some rule names.
    #[must_use]
    pub fn named(&self) -> CallSet {
        let sets = self.rules.iter().map(CallRule::calls);
        sets.fold(CallSet::EMPTY, CallSet::union)
    }

    /// What decides the calls of one program; begins anew with every program.
    #[must_use]
    pub fn matcher(&self) -> CallMatcher {
        CallMatcher::new(&self.rules)
    }
}
