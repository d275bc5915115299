//! Decides calls, one after the other.

use std::fmt;

use super::{Call, CallAction, CallRule, CallSet, ErrorName, Pattern};

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is made.
    Allow,
    /// It fails with this error.
    Deny(ErrorName),
    /// It is made after this many milliseconds.
    Delay(u32),
    /// The program is ended.
    Trap,
}

impl From<CallAction> for Verdict {
    fn from(action: CallAction) -> Self {
        match action {
            CallAction::Allow => Self::Allow,
            CallAction::Deny(error) => Self::Deny(error),
            CallAction::Delay(ms) => Self::Delay(ms),
            CallAction::Trap => Self::Trap,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self {
            Self::Allow => CallAction::Allow,
            Self::Deny(error) => CallAction::Deny(*error),
            Self::Delay(ms) => CallAction::Delay(*ms),
            Self::Trap => CallAction::Trap,
        };
        action.fmt(f)
    }
}

/// The rules of one program, ready to decide its calls, and how often each matched.
#[derive(Debug, Clone)]
pub struct CallMatcher {
    /// Calls that some rule names: most calls are decided by a look at this.
    named: CallSet,
    /// Calls of which some rule wants to know the argument.
    with_argument: CallSet,
    rules: Vec<Compiled>,
}

#[derive(Debug, Clone)]
struct Compiled {
    calls: CallSet,
    argument: Option<Pattern>,
    /// Calls that still go by before the rule acts.
    passing: u64,
    action: CallAction,
}

impl CallMatcher {
    pub(super) fn new(rules: &[CallRule]) -> Self {
        let rules: Vec<Compiled> = rules.iter().map(Compiled::new).collect();
        let all =
            |sets: &mut dyn Iterator<Item = CallSet>| sets.fold(CallSet::EMPTY, CallSet::union);
        let conditional = rules.iter().filter(|rule| rule.argument.is_some());
        Self {
            named: all(&mut rules.iter().map(|rule| rule.calls)),
            with_argument: all(&mut conditional.map(|rule| rule.calls)),
            rules,
        }
    }

    /// Whether some rule names this call. If none does, it is allowed whatever its argument.
    #[must_use]
    pub const fn names(&self, call: Call) -> bool {
        self.named.contains(call)
    }

    /// Whether the argument of this call can matter.
    #[must_use]
    pub const fn wants_argument(&self, call: Call) -> bool {
        self.with_argument.contains(call)
    }

    /// Decides a call; the first rule that matches does.
    ///
    /// An argument that the level could not learn for certain is `None`. Then every condition on it
    /// that would hold the call up counts as met, and none that would let it through does.
    pub fn decide(&mut self, call: Call, argument: Option<&[u8]>) -> Verdict {
        if !self.names(call) {
            return Verdict::Allow;
        }
        self.decide_named(call, &[argument], &[])
    }

    /// Decides a call with several arguments of the same kind, as renaming has. A condition that
    /// would hold the call up is met when one of them meets it; one that would let it through, when
    /// all do.
    pub fn decide_all(&mut self, call: Call, arguments: &[Option<&[u8]>]) -> Verdict {
        if !self.names(call) {
            return Verdict::Allow;
        }
        self.decide_named(call, arguments, &[])
    }

    /// The same, with arguments as they were written beside those that they turned out to be, as
    /// the path of a link is beside where it leads. What was written may hold a call up, too, and
    /// lets nothing through.
    pub fn decide_also(
        &mut self,
        call: Call,
        arguments: &[Option<&[u8]>],
        written: &[&[u8]],
    ) -> Verdict {
        if !self.names(call) {
            return Verdict::Allow;
        }
        self.decide_named(call, arguments, written)
    }

    fn decide_named(
        &mut self,
        call: Call,
        arguments: &[Option<&[u8]>],
        written: &[&[u8]],
    ) -> Verdict {
        for rule in &mut self.rules {
            if !rule.calls.contains(call) || !rule.is_met(arguments, written) {
                continue;
            }
            if rule.passing > 0 {
                rule.passing -= 1;
                continue;
            }
            return rule.action.into();
        }
        Verdict::Allow
    }
}

impl Compiled {
    fn new(rule: &CallRule) -> Self {
        Self {
            calls: rule.calls(),
            argument: rule.argument.clone(),
            passing: rule.after,
            action: rule.action,
        }
    }

    fn is_met(&self, arguments: &[Option<&[u8]>], written: &[&[u8]]) -> bool {
        let Some(pattern) = &self.argument else {
            return true;
        };
        // A delay lets the call through and holds it up; what is uncertain is held up.
        if self.action == CallAction::Allow {
            let fits = |argument: &Option<&[u8]>| argument.is_some_and(|it| pattern.matches(it));
            !arguments.is_empty() && arguments.iter().all(fits)
        } else {
            let fits = |argument: &Option<&[u8]>| argument.is_none_or(|it| pattern.matches(it));
            arguments.is_empty()
                || arguments.iter().any(fits)
                || written.iter().any(|written| pattern.matches(written))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calls::CallRules;

    fn matcher(rules: &[&str]) -> CallMatcher {
        let rules = rules.iter().map(|text| text.parse().unwrap()).collect();
        let rules = CallRules {
            rules,
            audit: false,
        };
        rules.matcher()
    }

    const DENIED: Verdict = Verdict::Deny(ErrorName::Access);

    #[test]
    fn the_first_rule_that_matches_decides() {
        let mut matcher = matcher(&[
            "allow file.open /etc/hosts",
            "deny=EACCES file.open /etc/**",
            "trap program.*",
            "delay=5ms *",
        ]);
        let mut decide = |call, text: &str| matcher.decide(call, Some(text.as_bytes()));
        assert_eq!(decide(Call::FileOpen, "/etc/hosts"), Verdict::Allow);
        assert_eq!(decide(Call::FileOpen, "/etc/passwd"), DENIED);
        assert_eq!(decide(Call::FileOpen, "/work/a"), Verdict::Delay(5));
        assert_eq!(decide(Call::ProgramExecute, "/bin/sh"), Verdict::Trap);
    }

    #[test]
    fn a_call_that_no_rule_names_is_allowed() {
        let mut matcher = matcher(&["trap file.open", "trap file.remove /x"]);
        for call in Call::ALL {
            if matches!(call, Call::FileOpen | Call::FileRemove) {
                assert!(matcher.names(call));
            } else {
                assert!(!matcher.names(call));
                assert_eq!(matcher.decide(call, None), Verdict::Allow);
            }
        }
        assert!(matcher.wants_argument(Call::FileRemove));
        assert!(!matcher.wants_argument(Call::FileOpen));
    }

    #[test]
    fn an_argument_that_is_not_known_is_held_up() {
        let mut matcher = matcher(&[
            "allow file.open /work/**",
            "deny=EACCES file.open /etc/**",
            "allow file.open",
        ]);
        assert_eq!(matcher.decide(Call::FileOpen, None), DENIED);
        assert_eq!(matcher.decide(Call::FileOpen, Some(b"/x")), Verdict::Allow);
    }

    #[test]
    fn of_two_arguments_the_worse_counts() {
        let mut matcher = matcher(&[
            "allow file.rename /work/**",
            "deny=EACCES file.rename /secret/**",
        ]);
        let mut decide = |from: &str, to: &str| {
            let arguments = [Some(from.as_bytes()), Some(to.as_bytes())];
            matcher.decide_all(Call::FileRename, &arguments)
        };
        assert_eq!(decide("/work/a", "/work/b"), Verdict::Allow);
        assert_eq!(decide("/secret/a", "/work/b"), DENIED);
        assert_eq!(decide("/work/a", "/secret/b"), DENIED);
        assert_eq!(decide("/a", "/b"), Verdict::Allow);
    }

    #[test]
    fn what_was_written_only_holds_up() {
        let mut matcher = matcher(&[
            "allow file.open /work/**",
            "deny=EACCES file.open /bin/**",
            "deny=EACCES file.open /usr/**",
        ]);
        let mut decide = |real: &str, written: &str| {
            let arguments = [Some(real.as_bytes())];
            matcher.decide_also(Call::FileOpen, &arguments, &[written.as_bytes()])
        };
        assert_eq!(decide("/work/a", "/bin/a"), Verdict::Allow);
        assert_eq!(decide("/lib/a", "/work/a"), Verdict::Allow);
        assert_eq!(decide("/lib/a", "/bin/a"), DENIED);
        assert_eq!(decide("/usr/a", "/work/a"), DENIED);
    }

    #[test]
    fn a_rule_can_begin_to_act_later() {
        let mut matcher = matcher(&["deny=EACCES after=2 file.open /a*", "delay=1ms file.open"]);
        let got = [(); 3].map(|()| matcher.decide(Call::FileOpen, Some(b"/b")));
        assert_eq!(got, [Verdict::Delay(1); 3]);
        let got = [(); 4].map(|()| matcher.decide(Call::FileOpen, Some(b"/a")));
        assert_eq!(got, [Verdict::Delay(1), Verdict::Delay(1), DENIED, DENIED]);
    }

    proptest! {
        /// Not to know an argument never lets through what knowing it would not.
        #[test]
        fn not_knowing_is_never_looser(
            actions in proptest::collection::vec(0..3_usize, 1..6),
            patterns in proptest::collection::vec("/[ab*]{0,3}", 6),
            argument in "/[ab]{0,3}",
        ) {
            let texts: Vec<String> = actions.iter().zip(&patterns).map(|(action, pattern)| {
                let action = ["allow", "deny=EACCES", "trap"][*action];
                format!("{action} file.open {pattern}")
            }).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let known = matcher(&texts).decide(Call::FileOpen, Some(argument.as_bytes()));
            let unknown = matcher(&texts).decide(Call::FileOpen, None);
            prop_assert!(known == Verdict::Allow || unknown != Verdict::Allow);
        }
    }
}
