//! Decides how one message is isolated: the first rule that matches, then sizes, request, floors.

mod calls;

use std::collections::BTreeSet;

use atoll_types::calls::CallRules;
use atoll_types::{
    Analysis, Decision, Layer, Level, Limits, Origin, Profile, Reason, Risk, Sharing, SystemCalls,
    TenantId, Trust,
};
use cel::Context;

use crate::condition::{Facts, bind, why};
use crate::host::Host;
use crate::limits::{LimitKey, Settings, smallest};
use crate::policy::{Effect, Floor, Isolation, Policy, Rule, Trial};
use crate::system_calls::needed;
use crate::text::duration_ms;

/// What a decision is made from.
#[derive(Debug, Clone, Copy)]
pub struct DecisionInput<'a> {
    /// What the program is.
    pub analysis: &'a Analysis,
    /// How the sender is judged; see [`crate::assess`].
    pub risk: &'a Risk,
    /// What the program will need.
    pub profile: &'a Profile,
    /// Who sent it.
    pub tenant: &'a TenantId,
    /// How well the tenant is known; see [`Policy::trust`].
    pub trust: Trust,
    /// How the message reached this node.
    pub origin: Origin,
    /// How much the program will get on standard input, in bytes; 0 when nobody knows.
    pub input_bytes: u64,
    /// How large the sample of its input is, in bytes; 0 without one.
    pub sample_bytes: u64,
    /// What the caller asked for.
    pub request: &'a Request,
    /// What this host has for the program.
    pub host: &'a dyn Host,
}

/// What the caller asked for; `None` leaves it to the policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// A level. A stronger one than the rule's is granted; a weaker one only where the rule allows.
    pub level: Option<Level>,
    /// Wall time, in milliseconds. Less is granted; more up to what the policy allows.
    pub wall_time_ms: Option<u64>,
    /// Memory, in bytes. Less is granted; more up to what the policy allows.
    pub memory_bytes: Option<u64>,
    /// Rules for calls, behind those of the policy, and whether calls are taken down.
    pub calls: CallRules,
    /// Whether installed modules are shown to the program, which not every level can.
    pub has_dependencies: bool,
}

/// The policy refuses the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The id of the rule that refused it; [`Denied::NO_RULE`] when no rule matched.
    pub rule: String,
    /// Why, most important first. Never empty.
    pub reasons: Vec<Reason>,
}

impl Denied {
    /// Stands for the id where no rule matched. No rule can have it.
    pub const NO_RULE: &'static str = "(no rule)";
}

/// What came of going through the rules.
pub(crate) enum Matched<'p> {
    /// This rule matches.
    Rule(usize, &'p Rule),
    /// The condition of this rule could not be evaluated.
    Broken(usize, &'p Rule, String),
    /// No rule matches.
    None,
}

impl Policy {
    /// Decides how a message is isolated.
    ///
    /// # Errors
    /// [`Denied`] when a rule refuses the message, when no rule matches, and when the condition of
    /// a rule fails (division by zero, overflow) before a rule has matched: what cannot be judged
    /// is not run.
    pub fn decide(&self, input: &DecisionInput<'_>) -> Result<Decision, Denied> {
        let facts = Facts(*input);
        let context = bind(&self.environment, &facts);
        let (rule, isolation) = match self.matching(&context) {
            Matched::Rule(_, rule) => match &rule.effect {
                Effect::Isolate(isolation) => (rule, isolation),
                Effect::Deny => {
                    return Err(Denied {
                        rule: rule.id.clone(),
                        reasons: rule_reasons(rule, &context, input),
                    });
                }
            },
            Matched::Broken(_, rule, error) => {
                let text = format!(
                    "the condition of rule `{}` could not be evaluated ({error}), \
                     and a message that cannot be judged is not run; correct the policy",
                    rule.id
                );
                return Err(denied(&rule.id, text));
            }
            Matched::None => {
                let text = "no rule of the policy matches this message; end the policy with a \
                            rule without `when`";
                return Err(denied(Denied::NO_RULE, text.to_owned()));
            }
        };
        let mut draft = Draft::new(rule, isolation, rule_reasons(rule, &context, input));
        draft.system_calls(isolation, input.analysis);
        draft.size(self, isolation, input.profile);
        draft.accept(
            isolation
                .accept_missing
                .as_ref()
                .unwrap_or(&self.accept_missing),
        );
        if let Some(preferred) = isolation.prefer_level {
            draft.prefer(preferred, input.host.levels());
        }
        draft.request(self, isolation, input.request);
        draft.trial(self.trial.as_ref(), &context, input);
        draft.floor(&self.floor, "the floor for every message");
        if let Some(tenant) = self.tenants.get(input.tenant) {
            draft.floor(
                &tenant.floor,
                &format!("the floor of tenant `{}`", input.tenant),
            );
        }
        if isolation.or_stronger_level {
            draft.or_stronger(input.host.levels());
        }
        let of_rule = (rule, isolation);
        let asked = &input.request.calls;
        draft.calls = calls::calls(self, of_rule, input.tenant, asked, &mut draft.reasons)?;
        draft.finish()
    }

    /// The first rule that matches.
    pub(crate) fn matching(&self, context: &Context<'_, '_>) -> Matched<'_> {
        for (index, rule) in self.rules.iter().enumerate() {
            let holds = match &rule.when {
                None => Ok(true),
                Some(condition) => condition.holds(context),
            };
            match holds {
                Ok(true) => return Matched::Rule(index, rule),
                Ok(false) => {}
                Err(error) => return Matched::Broken(index, rule, error),
            }
        }
        Matched::None
    }
}

fn denied(rule: &str, text: String) -> Denied {
    Denied {
        rule: rule.to_owned(),
        reasons: vec![reason("rule", text)],
    }
}

fn reason(from: &str, text: String) -> Reason {
    Reason {
        from: from.to_owned(),
        text,
    }
}

/// Why the rule exists, and what made it match.
fn rule_reasons(rule: &Rule, context: &Context<'_, '_>, input: &DecisionInput<'_>) -> Vec<Reason> {
    let facts = match &rule.when {
        Some(condition) => why(condition.expression(), context, input),
        None => vec!["no rule above it does".to_owned()],
    };
    let mut reasons = vec![reason("rule", rule.because.clone())];
    if !facts.is_empty() {
        let text = format!("rule `{}` matches: {}", rule.id, facts.join(" and "));
        reasons.push(reason("rule", text));
    }
    reasons
}

/// A decision in the making.
struct Draft<'r> {
    rule: &'r Rule,
    level: Level,
    sharing: Sharing,
    messages_max: u32,
    system_calls: SystemCalls,
    limits: Limits,
    accept_missing: BTreeSet<Layer>,
    calls: CallRules,
    trial_ms: u64,
    reasons: Vec<Reason>,
}

impl<'r> Draft<'r> {
    fn new(rule: &'r Rule, isolation: &Isolation, reasons: Vec<Reason>) -> Self {
        Self {
            rule,
            level: isolation.level,
            sharing: isolation.sharing,
            messages_max: isolation.messages_max,
            system_calls: SystemCalls::Strict,
            limits: smallest(),
            accept_missing: BTreeSet::new(),
            calls: CallRules::default(),
            trial_ms: 0,
            reasons,
        }
    }

    fn because(&mut self, from: &str, text: String) {
        self.reasons.push(reason(from, text));
    }

    /// Chooses the system calls: those the rule demands, else those the program needs.
    fn system_calls(&mut self, isolation: &Isolation, analysis: &Analysis) {
        let (needed, why) = needed(analysis);
        let chosen = isolation.system_calls.unwrap_or(needed);
        self.system_calls = chosen;
        let (shown, text) = (
            chosen.name(),
            format!("system calls `{}`: {why}", needed.name()),
        );
        if chosen == needed {
            self.because("program", text);
        } else {
            let text = format!("system calls `{shown}`, set by the rule; without it {text}");
            self.because("rule", text);
        }
    }

    /// Sets every limit: the rule's own setting, else the default.
    fn size(&mut self, policy: &Policy, isolation: &Isolation, profile: &Profile) {
        let mut fixed_by_rule = Vec::new();
        let mut fixed_by_default = Vec::new();
        for (key, default) in &policy.limits {
            let own = isolation.limits.get(key);
            let (value, because) = own.unwrap_or(default).value(*key, profile);
            key.set(&mut self.limits, value);
            let shown = format!("{} {}", key.phrase(), key.show(value));
            match (because, own) {
                (Some(because), _) => self.because("limit", because),
                (None, Some(_)) => fixed_by_rule.push(shown),
                (None, None) => fixed_by_default.push(shown),
            }
        }
        if !fixed_by_rule.is_empty() {
            let text = format!("{}, set by the rule", fixed_by_rule.join(", "));
            self.because("limit", text);
        }
        if !fixed_by_default.is_empty() {
            let text = format!("{}, the policy's defaults", fixed_by_default.join(", "));
            self.because("limit", text);
        }
    }

    /// Notes the layers that may be missing.
    fn accept(&mut self, layers: &BTreeSet<Layer>) {
        let names: Vec<&str> = layers.iter().map(|layer| layer.name()).collect();
        if !names.is_empty() {
            let text = format!(
                "where this host cannot enforce them, it runs without {}",
                names.join(", ")
            );
            self.because("missing", text);
        }
        self.accept_missing.clone_from(layers);
    }

    fn request(&mut self, policy: &Policy, isolation: &Isolation, request: &Request) {
        if let Some(asked) = request.level {
            self.request_level(isolation, asked);
        }
        if let Some(asked) = request.memory_bytes {
            self.request_limit(policy, isolation, LimitKey::Memory, asked);
        }
        if let Some(asked) = request.wall_time_ms {
            let before = self.limits.wall_time_ms;
            self.request_limit(policy, isolation, LimitKey::WallTime, asked);
            self.follow_wall_time(policy, isolation, before);
        }
    }

    fn request_level(&mut self, isolation: &Isolation, asked: Level) {
        let own = self.level;
        let text = match asked.cmp(&own) {
            std::cmp::Ordering::Equal => return,
            std::cmp::Ordering::Greater => {
                self.level = asked;
                format!("level `{asked}` was asked for, which is stronger than `{own}`")
            }
            std::cmp::Ordering::Less if isolation.allow_weaker_level => {
                self.level = asked;
                format!(
                    "level `{asked}` was asked for; it is weaker than `{own}`, and rule `{}` \
                     allows that",
                    self.rule.id
                )
            }
            std::cmp::Ordering::Less => format!(
                "level `{asked}` was asked for, but it is weaker than `{own}`; a request may only \
                 strengthen the level, so it stays"
            ),
        };
        self.because("request", text);
    }

    fn request_limit(&mut self, policy: &Policy, isolation: &Isolation, key: LimitKey, asked: u64) {
        let own = key.get(&self.limits);
        let max = request_max(policy, isolation, key).max(own);
        let granted = asked.clamp(key.smallest(), max);
        key.set(&mut self.limits, granted);
        let (name, shown) = (key.phrase(), key.show(granted));
        let text = if asked > max {
            let asked = key.show(asked);
            format!("{name} {shown}: {asked} was asked for, and the policy allows no more")
        } else if asked < granted {
            let asked = key.show(asked);
            format!("{name} {shown}: {asked} was asked for, and a sandbox needs that much")
        } else {
            format!("{name} {shown}, as asked for")
        };
        self.because("request", text);
    }

    /// A request for more wall time is a request for more work: CPU time grows in proportion, as
    /// far as the policy lets it.
    fn follow_wall_time(&mut self, policy: &Policy, isolation: &Isolation, before: u64) {
        let after = self.limits.wall_time_ms;
        if after <= before {
            return;
        }
        let own = self.limits.cpu_time_ms;
        let grown = u128::from(own) * u128::from(after) / u128::from(before.max(1));
        let max = request_max(policy, isolation, LimitKey::CpuTime).max(own);
        let cpu_time_ms = u64::try_from(grown).unwrap_or(u64::MAX).min(max);
        if cpu_time_ms > own {
            self.limits.cpu_time_ms = cpu_time_ms;
            let shown = LimitKey::CpuTime.show(cpu_time_ms);
            self.because(
                "request",
                format!("CPU time {shown}, in step with wall time"),
            );
        }
    }

    /// Grants time for short runs on part of the input, where they are worth it.
    fn trial(
        &mut self,
        trial: Option<&Trial>,
        context: &Context<'_, '_>,
        input: &DecisionInput<'_>,
    ) {
        let Some(trial) = trial else {
            return;
        };
        let facts = match trial.when.as_ref().map(|when| (when, when.holds(context))) {
            None => Vec::new(),
            Some((when, Ok(true))) => why(when.expression(), context, input),
            Some((_, Ok(false))) => return,
            Some((_, Err(error))) => {
                let text = format!("no trial: its condition could not be evaluated ({error})");
                return self.because("trial", text);
            }
        };
        self.trial_ms = trial.budget_ms;
        let because = match facts.is_empty() {
            true => String::new(),
            false => format!(": {}", facts.join(" and ")),
        };
        let shown = duration_ms(trial.budget_ms);
        self.because("trial", format!("trials of up to {shown}{because}"));
    }

    /// Raises the level and the sharing, and lowers the limits, to what a floor demands.
    fn floor(&mut self, floor: &Floor, name: &str) {
        if let Some(level) = floor.level.filter(|level| *level > self.level) {
            let text = format!("{name} raises the level from `{}` to `{level}`", self.level);
            self.level = level;
            self.because("floor", text);
        }
        if let Some(sharing) = floor.sharing.filter(|sharing| *sharing > self.sharing) {
            let (from, to) = (self.sharing.name(), sharing.name());
            self.sharing = sharing;
            self.because(
                "floor",
                format!("{name} tightens sharing from `{from}` to `{to}`"),
            );
        }
        let demanded = floor
            .system_calls
            .filter(|calls| *calls > self.system_calls);
        if let Some(system_calls) = demanded {
            let (from, to) = (self.system_calls.name(), system_calls.name());
            self.system_calls = system_calls;
            self.because(
                "floor",
                format!("{name} narrows the system calls from `{from}` to `{to}`"),
            );
        }
        for (key, cap) in &floor.caps {
            let own = key.get(&self.limits);
            if own > *cap {
                key.set(&mut self.limits, *cap);
                let (what, from, to) = (key.phrase(), key.show(own), key.show(*cap));
                self.because("floor", format!("{name} lowers {what} from {from} to {to}"));
            }
        }
    }

    /// Takes the level that the rule prefers, or the next stronger one, where this host has it.
    fn prefer(&mut self, preferred: Level, present: &BTreeSet<Level>) {
        let (own, rule) = (self.level, &self.rule.id);
        let text = match present.iter().find(|level| **level >= preferred) {
            Some(level) => {
                self.level = *level;
                format!(
                    "`{level}` instead of `{own}`: rule `{rule}` prefers `{preferred}` or stronger \
                     where this host has it"
                )
            }
            None => format!(
                "`{own}`, because this host has neither `{preferred}` nor a stronger level for the \
                 program: rule `{rule}` prefers one"
            ),
        };
        self.because("rule", text);
    }

    /// Takes the next stronger level where the one that was decided cannot be had. Where none can,
    /// it stays, and whoever looks for it says what is missing.
    fn or_stronger(&mut self, present: &BTreeSet<Level>) {
        let own = self.level;
        if present.contains(&own) {
            return;
        }
        if let Some(level) = present.iter().find(|level| **level > own) {
            self.level = *level;
            let text = format!(
                "`{level}` instead of `{own}`, which this host does not have: rule `{}` takes the \
                 next stronger level then",
                self.rule.id
            );
            self.because("rule", text);
        }
    }

    fn finish(mut self) -> Result<Decision, Denied> {
        if self.sharing == Sharing::Shared && self.level != Level::Instance {
            self.sharing = Sharing::Tenant;
            let text = format!(
                "sharing tightens to `tenant`: tenants cannot share a sandbox of level `{}`",
                self.level
            );
            self.because("rule", text);
        }
        if self.sharing == Sharing::Message {
            self.messages_max = 1;
        }
        if let Err(problem) = self.limits.check() {
            return Err(Denied {
                rule: self.rule.id.clone(),
                reasons: vec![reason("limit", problem)],
            });
        }
        Ok(Decision {
            level: self.level,
            sharing: self.sharing,
            messages_max: self.messages_max,
            limits: self.limits,
            system_calls: self.system_calls,
            network: Vec::new(),
            calls: self.calls,
            accept_missing: self.accept_missing,
            trial_ms: self.trial_ms,
            split: None,
            rule: self.rule.id.clone(),
            reasons: self.reasons,
        })
    }
}

/// The most a request may raise a limit to under a rule.
pub(crate) fn request_max(policy: &Policy, isolation: &Isolation, key: LimitKey) -> u64 {
    let setting = |settings: &Settings| settings.get(&key).map(|setting| setting.request_max());
    setting(&isolation.limits)
        .or_else(|| setting(&policy.limits))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;
