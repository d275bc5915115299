use atoll_types::{Level, Sharing, TenantId, Trust};
use proptest::prelude::*;

use crate::limits::{self, LimitKey, Setting, Size};
use crate::policy::Effect;
use crate::testing::policy;
use crate::{Policy, check};

/// The findings about a policy, with the policy above them, as a person would see them.
fn report(text: &str) -> String {
    let found: Vec<String> = check(text).iter().map(ToString::to_string).collect();
    let numbered: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(index, line)| format!("{:>3} | {line}", index + 1))
        .collect();
    format!("{}\n\n{}", numbered.join("\n"), found.join("\n"))
}

fn snapshot(name: &str, report: &str) {
    insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(name, report);
    });
}

fn first(text: &str) -> String {
    match Policy::parse(text) {
        Ok(policy) => panic!("{policy:#?}"),
        Err(found) => found.first().unwrap().to_string(),
    }
}

#[test]
fn only_some_layers_can_be_accepted_to_be_missing() {
    let missing = |list: &str| {
        first(&format!(
            "[[rule]]\nid = \"a\"\nbecause = \"b\"\nset.level = \"process\"\n\
             set.accept_missing = {list}"
        ))
    };
    assert_eq!(
        missing("[\"seccomp\"]"),
        "5:23: error: a message cannot run without `seccomp`\n  help: there are: own-user, \
         landlock, landlock-scopes, memory-limit, process-limit, cpu-limit"
    );
    assert_eq!(
        missing("[\"memory_limit\"]"),
        "5:23: error: a message cannot run without `memory_limit`\n  help: did you mean \
         `memory-limit`?"
    );
    assert!(missing("\"memory-limit\"").contains("must be a list of layers, not a text"));
    assert!(missing("[1]").contains("`a layer` must be a text, not a whole number"));
}

#[test]
fn what_is_wrong_with_a_rule_for_calls_is_said_at_its_place() {
    let calls = |list: &str| {
        first(&format!(
            "[[rule]]\nid = \"a\"\nbecause = \"b\"\nset.level = \"process\"\nset.calls = {list}"
        ))
    };
    assert_eq!(
        calls("[\"trap program.*\", \"deny=EWHAT file.open\"]")
            .split("; ")
            .next(),
        Some("5:32: error: there is no error `EWHAT`")
    );
    assert!(calls("\"trap program.*\"").contains("must be a list of rules, not a text"));
    assert!(calls("[1]").contains("`a rule for calls` must be a text, not a whole number"));
    let many = format!("[{}]", "\"trap file.open\", ".repeat(65));
    assert!(calls(&many).contains("there are 65 rules for calls; at most 64"));
    assert!(calls("[]\nset.audit = 1").contains("`audit` must be true or false"));
    let floor = first(
        "[floor]\ncalls = [\"trap\"]\n[[rule]]\nid = \"a\"\nbecause = \"b\"\nset.deny = true",
    );
    assert!(
        floor.starts_with("2:10: error: a rule for calls names what to do"),
        "{floor}"
    );
}

#[test]
fn a_full_policy_is_read() {
    let policy = policy(
        r#"
        [defaults.limits]
        wall_time = "1.5s"
        memory = { from = "profile", times = 2, min = "64MiB", max = "128MiB" }
        [floor]
        sharing = "tenant"
        [tenants.alice]
        trust = "trusted"
        [tenants.bob.floor]
        level = "vm"
        limits = { memory = "32MiB", processes = 8 }
        [[rule]]
        id = "one"
        when = "risk.score > 0.5"
        because = "a   long
  story"
        set = { level = "instance", sharing = "shared", messages_max = 7, network = "none" }
        [[rule]]
        id = "two"
        because = "b"
        set.deny = true
        "#
        .replace("a   long\n  story", "a   long story")
        .as_str(),
    );
    assert_eq!(policy.rules.len(), 2);
    assert_eq!(policy.rules[0].because, "a long story");
    let Effect::Isolate(isolation) = &policy.rules[0].effect else {
        panic!("{policy:?}");
    };
    assert_eq!(isolation.level, Level::Instance);
    assert_eq!(isolation.sharing, Sharing::Shared);
    assert_eq!(isolation.messages_max, 7);
    assert!(matches!(policy.rules[1].effect, Effect::Deny));
    assert_eq!(policy.limits[&LimitKey::WallTime], Setting::fixed(1500));
    assert_eq!(
        policy.limits[&LimitKey::Memory].size,
        Size::Profile {
            times: 2.0,
            min: 64 << 20,
            max: 128 << 20
        }
    );
    assert_eq!(policy.floor.sharing, Some(Sharing::Tenant));
    let bob = &policy.tenants[&TenantId::new("bob").unwrap()];
    assert_eq!(bob.trust, Trust::Known);
    assert_eq!(bob.floor.level, Some(Level::Vm));
    assert_eq!(bob.floor.caps[&LimitKey::Processes], 8);
}

#[test]
fn a_policy_without_limits_has_those_of_the_default_policy() {
    let silent = policy("[[rule]]\nid = \"a\"\nbecause = \"b\"\nset.deny = true\n");
    assert_eq!(silent.limits, limits::built_in());
    assert_eq!(policy(Policy::builtin()).limits, limits::built_in());
}

#[test]
fn the_default_policy_has_no_findings() {
    assert_eq!(check(Policy::builtin()), []);
}

#[test]
fn mistakes_in_conditions_are_reported_where_they_are() {
    snapshot(
        "conditions",
        &report(
            r#"[[rule]]
id = "names"
when = "risk.scor > 0.5 && kind == 'python'"
because = "x"
set.level = "vm"

[[rule]]
id = "words"
when = '''
analysis.kind == "pyton"
&& "netwrk" in analysis.capabilities'''
because = "x"
set.level = "vm"

[[rule]]
id = "types"
when = 'risk.score > "high" || analysis.execution_class >= "long"'
because = "x"
set.level = "vm"

[[rule]]
id = "syntax"
when = "risk.score > 0.5 &&"
because = "x"
set.level = "vm"

[[rule]]
id = "escapes"
when = "analysis.kind == \"pyton\""
because = "x"
set.level = "vm"

[[rule]]
id = "loops"
when = "analysis.capabilities.exists(c, c == 'network')"
because = "x"
set.level = "vm"
"#,
        ),
    );
}

#[test]
fn a_level_that_is_preferred_is_stronger_than_the_other() {
    let rule = |preferred: &str| {
        let text = "[[rule]]\nid = \"a\"\nbecause = \"b\"\nset.level = \"process\"\n";
        check(&format!("{text}set.prefer_level = \"{preferred}\"\n"))
    };
    assert_eq!(rule("gvisor"), []);
    for weaker in ["process", "instance"] {
        let findings = rule(weaker);
        assert!(
            findings[0]
                .message
                .contains("must be stronger than `level`"),
            "{findings:?}"
        );
        assert_eq!(findings[0].line, 5);
    }
}

#[test]
fn mistakes_in_rules_are_reported_where_they_are() {
    snapshot(
        "rules",
        &report(
            r#"[defaults.limit]
memory = "1GiB"

[[rule]]
id = "twice"
becuase = "x"
set.level = "process"

[[rule]]
id = "twice"
because = "x"
set.level = "proces"

[[rule]]
id = "twice"
because = "x"
set.level = "process"

[[rule]]
id = "twice"
because = "x"
set.deny = true
set.level = "vm"

[[rule]]
id = "networked"
because = "x"
set.level = "process"
set.network = ["example.org:443"]

[[rule]]
id = "shared"
because = "x"
set.level = "process"
set.sharing = "shared"
set.messages_max = 10

[[rule]]
id = "reused"
because = "x"
set.level = "process"
set.sharing = "tenant"

[[rule]]
id = "no level"
because = "x"
set = {}

[[rule]]
because = 7
when = true

[tenants."a b"]
trust = "known"
[tenants.alice]
trust = "truste"
"#,
        ),
    );
}

#[test]
fn mistakes_in_limits_are_reported_where_they_are() {
    snapshot(
        "limits",
        &report(
            r#"[defaults.limits]
wall_time = 10
cpu_time = "10 seconds"
cpu_percent = "100"
memory = "1MiB"
processes = { from = "profile", min = 1, max = 2 }
disk = { value = "1MiB", request_max = "2MiB" }
disk_files = -1
output = { from = "profile", times = 2.0, min = "2MiB", max = "1MiB" }
open_files = 5_000_000_000

[floor.limits]
memory = { from = "profile", min = "64MiB", max = "1GiB" }
wall_tim = "1s"

[[rule]]
id = "limits"
because = "x"
set.level = "process"
set.limits.wall_time = { value = "10s", request_max = "5s" }
set.limits.cpu_time = { value = "10s", times = 2.0 }
set.limits.memory = { from = "profile", times = 0, min = "64MiB", max = "1GiB" }
set.limits.output = { from = "history" }
set.limits.disk = {}
"#,
        ),
    );
}

#[test]
fn rules_that_can_never_match_are_warned_about() {
    snapshot(
        "dead-rules",
        &report(
            r#"[[rule]]
id = "risky"
when = "risk.score > 0.5"
because = "x"
set.level = "vm"

[[rule]]
id = "riskier"
when = "risk.score > 0.8"
because = "x"
set.deny = true

[[rule]]
id = "both"
when = 'analysis.kind == "python" && analysis.kind == "shell"'
because = "x"
set.level = "vm"

[[rule]]
id = "rest"
because = "x"
set.level = "process"

[[rule]]
id = "late"
when = 'analysis.kind == "native"'
because = "x"
set.level = "vm"
"#,
        ),
    );
}

#[test]
fn files_that_are_no_policy_are_refused() {
    assert_eq!(
        first(""),
        "1:1: error: the policy has no rules\n  \
         help: add one: [[rule]] with `id`, `because` and `set`"
    );
    assert!(first("rule = 1").contains("rules are a list of tables"));
    assert!(first("rule = [1]").contains("`rule` must be a table, not a whole number"));
    assert!(first("[rule]\nid = \"a\"").contains("write [[rule]] with two brackets"));
    let syntax = first("[[rule]]\nid = \"a\nbecause = 1");
    assert!(syntax.starts_with("2:"), "{syntax}");
    assert!(first("a = 1\na = 2").contains("not valid TOML: duplicate key"));
    assert!(first(&"#".repeat(300 << 10)).contains("larger than 256 KiB"));
    let nested = format!("a = {}", "[".repeat(100_000));
    assert!(first(&nested).contains("not valid TOML"));
    let many = "[[rule]]\nid = \"a\"\nbecause = \"b\"\nset.deny = true\n".repeat(201);
    assert!(first(&many).contains("at most 200"));
}

#[test]
fn findings_are_bounded() {
    let text: String = (0..5000).map(|index| format!("k{index} = 1\n")).collect();
    let found = Policy::parse(&text).unwrap_err();
    assert_eq!(found.len(), 101);
    assert_eq!(found[100].message, "4901 more findings are left off");
}

#[test]
fn columns_count_characters() {
    let text = "[[rule]]\nid = \"a\"\nbecause = \"é\"\nset = { level = \"ü\", network = 1 }\n";
    let found: Vec<(u64, u64)> = check(text)
        .iter()
        .map(|found| (found.line, found.column))
        .collect();
    assert_eq!(found, [(4, 17), (4, 32)]);
}

/// Broken pieces of the default policy: a line cut off, doubled, or with a character changed.
fn any_damaged_policy() -> impl Strategy<Value = String> {
    let text = Policy::builtin();
    let length = text.chars().count();
    (0..length, any::<char>(), 0..3_u8).prop_map(move |(at, other, how)| {
        let mut characters: Vec<char> = text.chars().collect();
        match how {
            0 => characters[at] = other,
            1 => characters.truncate(at),
            _ => {
                characters.remove(at);
            }
        }
        characters.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn damaged_policies_are_read_or_refused_with_a_reason(text in any_damaged_policy()) {
        let lines = text.lines().count().max(1) as u64 + 1;
        let errors = Policy::parse(&text).err().unwrap_or_default();
        for found in errors.iter().chain(&check(&text)) {
            prop_assert!(found.line >= 1 && found.line <= lines, "{found}");
            prop_assert!(found.column >= 1);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*|[\\[\\]a-z=\"'{}.#\\n ]*") {
        let is_policy = Policy::parse(&text).is_ok();
        prop_assert!(is_policy || !check(&text).is_empty());
    }
}

#[test]
fn mistakes_in_trials_are_reported() {
    const RULE: &str = "\n[[rule]]\nid = \"only\"\nbecause = \"b\"\nset.level = \"process\"\n";
    for (trial, expected) in [
        ("budget = \"0ms\"", "`budget` must be from 1ms to 60s"),
        ("budget = \"2min\"", "`budget` must be from 1ms to 60s"),
        ("budget = 300", "`budget` must be a text"),
        ("when = \"profile.rums == 0\"", "profile.rums"),
        ("wenn = \"true\"", "unknown key `wenn`"),
    ] {
        let said = first(&format!("[trial]\n{trial}\n{RULE}"));
        assert!(said.contains(expected), "{trial}: {said}");
    }
    assert!(Policy::parse(&format!("[trial]\n{RULE}")).is_ok());
}
