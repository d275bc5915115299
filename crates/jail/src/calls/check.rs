//! Which rules can be enforced with system calls. What cannot is refused before anything runs.

use atoll_types::calls::{
    ArgumentKind, Call, CallAction, CallRule, CallRules, CallSelector, CallSet,
};

use super::table;

/// Says which rule cannot be enforced here, and what it lacks; `None` when all can.
#[must_use]
pub fn unenforceable(rules: &CallRules) -> Option<String> {
    rules.rules.iter().enumerate().find_map(|(index, rule)| {
        let what = lack(rule)?;
        Some(format!(
            "the rule for calls {} (`{rule}`): {what}",
            index + 1
        ))
    })
}

/// What a rule lacks.
fn lack(rule: &CallRule) -> Option<String> {
    if let Some(lack) = condition(rule) {
        return Some(lack);
    }
    // What nobody holds up is allowed.
    if rule.action == CallAction::Allow {
        return None;
    }
    let covered = covered(rule);
    let unseen = rule.calls().without(table::visible()).without(covered);
    let call = unseen.iter().next()?;
    let visible: Vec<&str> = table::visible().iter().map(Call::name).collect();
    Some(format!(
        "{} cannot be seen as system calls; name other calls, of which there are: {}",
        names(unseen).unwrap_or_else(|| format!("`{call}`")),
        visible.join(", ")
    ))
}

fn names(calls: CallSet) -> Option<String> {
    let names: Vec<String> = calls.iter().map(|call| format!("`{call}`")).collect();
    let (last, others) = names.split_last()?;
    Some(match others {
        [] => last.clone(),
        others => format!("{} and {last}", others.join(", ")),
    })
}

/// Calls that a rule names with a family, cannot be seen, and cannot be made where the rule forbids
/// what has to come before them: nothing is read that was not opened.
fn covered(rule: &CallRule) -> CallSet {
    let families = rule
        .selectors
        .iter()
        .filter(|selector| !matches!(selector, CallSelector::One(_)))
        .map(|selector| selector.calls())
        .fold(CallSet::EMPTY, CallSet::union);
    let mut covered: Vec<Call> = vec![Call::HostOther];
    if matches!(rule.action, CallAction::Delay(_)) || rule.after > 0 {
        return families.intersection(covered.into_iter().collect());
    }
    if rule.calls().contains(Call::FileOpen) {
        covered.extend([Call::FileRead, Call::FileWrite, Call::FileList]);
    }
    if rule.calls().contains(Call::NetworkOpen) && rule.argument.is_none() {
        covered.extend([
            Call::NetworkSend,
            Call::NetworkReceive,
            Call::NetworkResolve,
        ]);
    }
    families.intersection(covered.into_iter().collect())
}

/// A condition on an argument that cannot be held.
fn condition(rule: &CallRule) -> Option<String> {
    let argument = rule.argument.as_ref()?;
    let held = table::carried_out().union(covered(rule));
    let call = rule.calls().without(held).iter().find(|call| {
        // There are no sockets but Unix sockets, and names are looked up through those.
        let elsewhere = !may_be_local(argument.text());
        match call.argument() {
            ArgumentKind::Address => !elsewhere,
            ArgumentKind::HostName => false,
            ArgumentKind::Path | ArgumentKind::None => true,
        }
    })?;
    Some(format!(
        "the argument of `{call}` lies in memory that the program can change after it was judged; \
         leave the condition off, or use one only with {}",
        names(table::carried_out()).unwrap_or_default()
    ))
}

/// Whether a pattern can match the address of a Unix socket.
fn may_be_local(pattern: &str) -> bool {
    let start = pattern.split('*').next().unwrap_or_default();
    let local = "unix:";
    start.starts_with(local) || local.starts_with(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(rule: &str) -> Option<String> {
        unenforceable(&CallRules {
            rules: vec![rule.parse().unwrap()],
            audit: false,
        })
    }

    #[test]
    fn what_can_be_enforced_is_accepted() {
        for rule in [
            "deny=EACCES file.open",
            "deny=EACCES file.open /etc/**",
            "deny=EACCES file.* ",
            "deny=EACCES file.* /secret/**",
            "trap network.*,file.stat",
            "trap network.*",
            "trap program.*",
            "deny=EPERM after=3 process.start",
            "delay=5ms file.open,file.remove /work/*",
            "allow *",
            "allow file.read",
            "deny=ECONNREFUSED network.connect 10.0.0.1:*",
        ] {
            assert_eq!(refused(rule), None, "{rule}");
        }
    }

    #[test]
    fn what_cannot_is_named() {
        for (rule, wanted) in [
            ("deny=EIO file.read", "`file.read` cannot be seen"),
            ("trap clock.read", "`clock.read` cannot be seen"),
            (
                "delay=1ms file.*",
                "`file.read`, `file.write` and `file.list`",
            ),
            ("deny=EIO after=1 file.*", "cannot be seen"),
            ("trap *", "cannot be seen"),
            (
                "trap program.execute /bin/sh",
                "the argument of `program.execute`",
            ),
            (
                "allow program.execute /bin/sh",
                "the argument of `program.execute`",
            ),
            (
                "trap network.connect unix:/run/*",
                "the argument of `network.connect`",
            ),
            (
                "trap network.connect *:80",
                "the argument of `network.connect`",
            ),
        ] {
            let said = refused(rule).unwrap();
            assert!(said.contains(wanted), "{rule}: {said}");
            assert!(said.starts_with("the rule for calls 1"), "{said}");
        }
    }

    #[test]
    fn no_system_call_is_there_twice() {
        let mut numbers: Vec<_> = table::all().map(|hooked| hooked.number).collect();
        numbers.sort_unstable();
        let there = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), there);
    }
}
