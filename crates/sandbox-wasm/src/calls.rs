//! Which rules for calls can be held where all calls are functions of the host.
//!
//! Owns what cannot: a function without a way to fail cannot be denied. Everything else is held in
//! the worker.

use atoll_types::ProgramKind;
use atoll_types::calls::{Call, CallAction, CallRule, CallRules, CallSet};

use crate::protocol::GuestKind;

/// Says which rule cannot be held, and what it lacks; `None` when all can.
pub(crate) fn unenforceable(kind: ProgramKind, rules: &CallRules) -> Option<String> {
    let certain = certain(kind);
    // Calls that no later rule decides.
    let mut decided = CallSet::EMPTY;
    rules.rules.iter().enumerate().find_map(|(index, rule)| {
        let lacking = match rule.action {
            CallAction::Deny(_) => rule.calls().intersection(certain).without(decided),
            CallAction::Allow | CallAction::Delay(_) | CallAction::Trap => CallSet::EMPTY,
        };
        if is_last_word(rule) {
            decided = decided.union(rule.calls());
        }
        let names: Vec<String> = lacking.iter().map(|call| format!("`{call}`")).collect();
        (!names.is_empty()).then(|| {
            format!(
                "the rule for calls {} (`{rule}`): {} cannot fail in {}, so it cannot be denied; \
                 `trap` ends a program that calls it, and a rule before this one can `allow` it",
                index.saturating_add(1),
                names.join(", "),
                place(kind)
            )
        })
    })
}

/// Whether the rule decides every call that it names.
fn is_last_word(rule: &CallRule) -> bool {
    rule.argument.is_none() && rule.after == 0
}

/// Calls of which some function has no way to fail. In preview 1 of WASI that is only the
/// program's own exit.
fn certain(kind: ProgramKind) -> CallSet {
    let calls: &[Call] = match GuestKind::of(kind) {
        Some(GuestKind::Module) => &[Call::HostOther],
        Some(GuestKind::Component | GuestKind::Interpreter | GuestKind::Parts) | None => &[
            Call::ClockRead,
            Call::ClockWait,
            Call::RandomRead,
            Call::EnvironmentRead,
            Call::HostOther,
        ],
    };
    calls.iter().copied().collect()
}

fn place(kind: ProgramKind) -> &'static str {
    match GuestKind::of(kind) {
        Some(GuestKind::Module) => "a WebAssembly module",
        Some(GuestKind::Component | GuestKind::Interpreter | GuestKind::Parts) => {
            "a WebAssembly component"
        }
        None => "an interpreter on WebAssembly",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kind: ProgramKind, rules: &[&str]) -> Option<String> {
        let rules = CallRules {
            rules: rules.iter().map(|text| text.parse().unwrap()).collect(),
            audit: true,
        };
        unenforceable(kind, &rules)
    }

    const KINDS: [ProgramKind; 4] = [
        ProgramKind::WasmModule,
        ProgramKind::WasmComponent,
        ProgramKind::Python,
        ProgramKind::JavaScript,
    ];

    #[test]
    fn what_every_kind_can_be_held_to() {
        let most = "allow clock.*,random.read,environment.read,host.other";
        for rules in [
            &[][..],
            &["deny=EACCES file.*,stream.*,network.*"],
            &["trap *"],
            &["delay=5ms after=3 *"],
            &["allow *"],
            &[
                "deny=EPERM program.execute,process.*",
                "trap file.open /work/a*",
            ],
            &[most, "deny=EACCES *"],
        ] {
            for kind in KINDS {
                assert_eq!(refused(kind, rules), None, "{kind:?} {rules:?}");
            }
        }
    }

    #[test]
    fn what_has_no_way_to_fail_is_named() {
        let clock = ["deny=EIO clock.read"];
        assert_eq!(refused(ProgramKind::WasmModule, &clock), None);
        for kind in &KINDS[1..] {
            let said = refused(*kind, &clock).unwrap();
            assert!(said.starts_with("the rule for calls 1 (`deny=EIO clock.read`): `clock.read`"));
        }
        for kind in KINDS {
            let all = refused(kind, &["allow file.*", "deny=EACCES *"]).unwrap();
            assert!(all.starts_with("the rule for calls 2"), "{all}");
            assert!(all.contains("`host.other` cannot fail"), "{all}");
            // Some calls get past the first rule.
            let later = ["allow after=1 *", "deny=EACCES *"];
            assert!(refused(kind, &later).is_some(), "{kind:?}");
        }
    }
}
