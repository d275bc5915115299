//! Messages for tests.

use std::collections::BTreeSet;

use atoll_types::{
    Analysis, Capability, Complexity, Confidence, ExecutionClass, Level, Origin, Profile,
    ProfileSource, ProgramHash, ProgramKind, Quantiles, ResourceEstimate, Risk, SenderHistory,
    TenantId, Trust,
};

use crate::{DecisionInput, Host, Policy, Request, RiskInput, assess};

pub(crate) const NOW: u64 = 1_800_000_000_000;

/// A small, harmless program.
pub(crate) fn program(kind: ProgramKind) -> Analysis {
    Analysis {
        kind,
        code_bytes: 2_000,
        lines: 60,
        functions: 3,
        loops: 2,
        loop_nesting_max: 1,
        recursion: false,
        instructions: 500,
        literals: Vec::new(),
        dependencies: Vec::new(),
        host_calls: BTreeSet::new(),
        disguised: BTreeSet::new(),
        capabilities: BTreeSet::new(),
        execution_class: ExecutionClass::Short,
        complexity: Complexity::default(),
        declared_memory_bytes: None,
        problems: Vec::new(),
    }
}

pub(crate) fn able(kind: ProgramKind, capabilities: &[Capability]) -> Analysis {
    Analysis {
        capabilities: capabilities.iter().copied().collect(),
        ..program(kind)
    }
}

/// Estimates with the given p99 of memory, in bytes.
pub(crate) fn profile(memory_p99: u64) -> Profile {
    let estimate = |p99: u64| ResourceEstimate {
        quantiles: Quantiles {
            p50: p99 / 2,
            p90: p99 / 4 * 3,
            p99,
        },
        confidence: Confidence::Medium,
        source: ProfileSource::Table {
            rows: vec!["python".to_owned()],
        },
    };
    Profile {
        cpu_demand: estimate(400_000),
        memory_footprint: estimate(memory_p99),
        io_intensity: atoll_types::IoIntensity::without_network(
            estimate(4 << 20),
            estimate(4 << 20),
            estimate(4 << 20),
        ),
        security_flags: Vec::new(),
        dependencies: BTreeSet::new(),
        lesson: atoll_types::Lesson::default(),
    }
}

/// A host as a test wants it: with every level, and no interpreter on WebAssembly.
pub(crate) struct Given {
    pub(crate) levels: BTreeSet<Level>,
    pub(crate) lacks: &'static str,
    pub(crate) differs: &'static str,
    pub(crate) is_compiled: bool,
    pub(crate) keeps_ready: bool,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            levels: Level::ALL.into(),
            lacks: "there is no interpreter",
            differs: "",
            is_compiled: false,
            keeps_ready: false,
        }
    }
}

impl Host for Given {
    fn levels(&self) -> &BTreeSet<Level> {
        &self.levels
    }

    fn lacks_at_instance(&self) -> &str {
        self.lacks
    }

    fn differs_at_instance(&self) -> &str {
        self.differs
    }

    fn is_compiled(&self) -> bool {
        self.is_compiled
    }

    fn keeps_ready(&self) -> bool {
        self.keeps_ready
    }
}

/// One message, with everything a decision is made from.
pub(crate) struct Sent {
    pub(crate) analysis: Analysis,
    pub(crate) profile: Profile,
    pub(crate) tenant: TenantId,
    pub(crate) origin: Origin,
    pub(crate) request: Request,
    pub(crate) risk: Risk,
    pub(crate) trust: Trust,
    pub(crate) host: Given,
}

impl Sent {
    /// A message of the tenant `local` at the command line, judged by a policy.
    pub(crate) fn new(policy: &Policy, analysis: Analysis) -> Self {
        Self::by(policy, analysis, "local", Origin::CommandLine)
    }

    pub(crate) fn by(policy: &Policy, analysis: Analysis, tenant: &str, origin: Origin) -> Self {
        Self::after(policy, analysis, tenant, origin, SenderHistory::default())
    }

    pub(crate) fn after(
        policy: &Policy,
        analysis: Analysis,
        tenant: &str,
        origin: Origin,
        history: SenderHistory,
    ) -> Self {
        let tenant = TenantId::new(tenant).unwrap();
        let trust = policy.trust(&tenant, &history);
        let risk = assess(&RiskInput {
            origin,
            trust,
            history: &history,
            analysis: &analysis,
            program: ProgramHash::of(b"program"),
            now_unix_ms: NOW,
        });
        Self {
            analysis,
            profile: profile(25 << 20),
            tenant,
            origin,
            request: Request::default(),
            risk,
            trust,
            host: Given::default(),
        }
    }

    pub(crate) fn input(&self) -> DecisionInput<'_> {
        DecisionInput {
            analysis: &self.analysis,
            risk: &self.risk,
            profile: &self.profile,
            tenant: &self.tenant,
            trust: self.trust,
            origin: self.origin,
            input_bytes: 0,
            sample_bytes: 0,
            request: &self.request,
            host: &self.host,
        }
    }
}

/// A policy that must be without errors.
pub(crate) fn policy(text: &str) -> Policy {
    match Policy::parse(text) {
        Ok(policy) => policy,
        Err(diagnostics) => panic!("{diagnostics:#?}"),
    }
}
