//! What the default policy decides about programs whose labels say what they can do, on a host that
//! has every level: the labelled set in `corpus/labelled`, sent by somebody nobody knows.

use std::collections::BTreeSet;

use atoll_labelled::{Snippet, snippets};
use atoll_policy::{DecisionInput, Host, Policy, Request, RiskInput, assess};
use atoll_predict::Given;
use atoll_types::{
    Capability, Decision, Level, Origin, Past, ProgramHash, SenderHistory, TenantId,
};

use crate::message_of;

/// Ways of hiding that keep the name of what is reached from being read.
const DISGUISES: [&str; 51] = [
    "ANSI quoted text",
    "__import__ of a joined name",
    "array of names",
    "backslashes",
    "base64 -d | sh",
    "base64 in eval",
    "base64 in exec",
    "base85 in exec",
    "brace expansion",
    "character codes",
    "character codes in exec",
    "compressed text",
    "compressed text in exec",
    "concat method",
    "empty expansions",
    "escaped identifier",
    "escaped text",
    "getattr with a joined name",
    "getattr with a list joined",
    "getattr with a percent format",
    "getattr with a reversed name",
    "getattr with an f-string",
    "getattr with base64",
    "getattr with character codes",
    "getattr with hexadecimal",
    "getattr with rot13",
    "getattr with str.format",
    "globalThis and a joined name",
    "hexadecimal in exec",
    "joined module name",
    "joined variables",
    "look-alike letters",
    "marshal",
    "mathematical letters",
    "printf hexadecimal",
    "printf in eval",
    "printf octal",
    "quotes inside a word",
    "replaced letters",
    "reversed module name",
    "reversed text",
    "reversed text in exec",
    "sorted letters",
    "strided slice",
    "string.Template",
    "substring expansion",
    "template module name",
    "template string member",
    "text built in parts",
    "translated text",
    "xor in exec",
];

/// What makes a disguise dangerous.
const HARMFUL: [Capability; 6] = [
    Capability::DynamicCode,
    Capability::NativeCode,
    Capability::Network,
    Capability::Processes,
    Capability::SystemChange,
    Capability::UnsafeDeserialization,
];

/// What is dangerous together with a network.
const WITH_NETWORK: [Capability; 3] = [
    Capability::DynamicCode,
    Capability::Processes,
    Capability::UnsafeDeserialization,
];

/// Every level, and interpreters that suit every script.
struct Everything(BTreeSet<Level>);

impl Host for Everything {
    fn levels(&self) -> &BTreeSet<Level> {
        &self.0
    }

    fn lacks_at_instance(&self) -> &str {
        ""
    }

    fn differs_at_instance(&self) -> &str {
        ""
    }

    fn is_compiled(&self) -> bool {
        true
    }

    fn keeps_ready(&self) -> bool {
        false
    }
}

/// Whether the label of a program says what the default policy takes for dangerous.
fn is_dangerous(snippet: &Snippet) -> bool {
    let can = |those: &[Capability]| those.iter().any(|one| snippet.labels.contains_key(one));
    let is_disguised = DISGUISES.contains(&snippet.hiding.as_str()) && can(&HARMFUL);
    is_disguised || (can(&[Capability::Network]) && can(&WITH_NETWORK))
}

/// What is decided about a program that a tenant sends for the first time.
fn decide(policy: &Policy, snippet: &Snippet, tenant: &str) -> Decision {
    let analysis = atoll_analyze::analyze(snippet.kind, &snippet.bytes);
    let given = Given::of(&message_of(tenant, ":"));
    let profile = atoll_predict::predict(&analysis, &given, &Past::default(), 0);
    let tenant = TenantId::new(tenant).unwrap();
    let history = SenderHistory::default();
    let trust = policy.trust(&tenant, &history);
    let risk = assess(&RiskInput {
        origin: Origin::CommandLine,
        trust,
        history: &history,
        analysis: &analysis,
        program: ProgramHash::of(&snippet.bytes),
        now_unix_ms: 0,
    });
    let decided = policy.decide(&DecisionInput {
        analysis: &analysis,
        risk: &risk,
        profile: &profile,
        tenant: &tenant,
        trust,
        origin: Origin::CommandLine,
        input_bytes: 0,
        sample_bytes: 0,
        request: &Request::default(),
        host: &Everything(Level::ALL.into()),
    });
    decided.unwrap()
}

#[test]
fn what_is_dangerous_goes_up_and_what_looks_like_it_does_not() {
    let policy = Policy::parse(Policy::builtin()).unwrap();
    let (mut dangerous, mut missed) = (0, Vec::new());
    let (mut benign, mut alarms) = (0, Vec::new());
    for snippet in snippets() {
        let by_stranger = decide(&policy, &snippet, "stranger");
        let goes_up = by_stranger.level >= Level::Gvisor;
        if snippet.is_benign {
            benign += 1;
            let by_known = decide(&policy, &snippet, "local");
            if goes_up || by_known.level > Level::Process {
                alarms.push((snippet.name, by_stranger.rule));
            }
        } else if is_dangerous(&snippet) {
            dangerous += 1;
            if !goes_up {
                missed.push((snippet.name, by_stranger.rule));
            }
        }
    }
    assert!(dangerous >= 100 && benign >= 500, "{dangerous} {benign}");
    // 95 % and 0.5 %.
    assert!(
        missed.len() * 20 <= dangerous,
        "of {dangerous}: {missed:#?}"
    );
    assert!(alarms.len() * 200 <= benign, "of {benign}: {alarms:#?}");
}
