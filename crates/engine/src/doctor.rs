//! What this host can enforce: each level, each mechanism under it, and what would help.
//!
//! Owns the questions; the answers come from the backends, which try their mechanisms, and from a
//! virtual machine that is really started. It decides nothing about messages.

mod advice;

use atoll_types::{Layer, LayerState, Level, ProgramKind};

use crate::Engine;
use crate::stages;

pub use atoll_sandbox_vm::KvmDiagnosis;

/// What was found out about this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Every level, weakest first.
    pub levels: Vec<LevelDiagnosis>,
    /// Every kind of program.
    pub kinds: Vec<KindDiagnosis>,
    /// Hardware virtualization. No level of this version uses it.
    pub kvm: KvmDiagnosis,
    /// Whether the processor counts instructions here, or why not. Trials go by CPU time all the
    /// same.
    pub instructions: Result<(), String>,
    /// Whether programs of unusual size can be read in a jail, or why not. They count as not
    /// understood then.
    pub large_programs: Result<(), String>,
    /// The state directory: its path, or why it cannot be used.
    pub state: Result<String, String>,
}

/// One level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelDiagnosis {
    /// Which.
    pub level: Level,
    /// Whether programs can run at this level, on this host, now.
    pub available: bool,
    /// Why, or why not.
    pub because: String,
    /// What the level is made of.
    pub mechanisms: Vec<Mechanism>,
}

/// One mechanism of a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mechanism {
    /// Which.
    pub layer: Layer,
    /// Whether it worked when it was tried.
    pub available: bool,
    /// How it would be enforced, or why it cannot be.
    pub detail: String,
    /// What to install or enable, for one that is missing.
    pub advice: Option<&'static str>,
}

/// Where programs of one kind can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindDiagnosis {
    /// Which kind.
    pub kind: ProgramKind,
    /// Each level with a backend: whether it can run the kind, or why not.
    pub levels: Vec<(Level, Result<(), String>)>,
}

/// Whether programs can run without a mechanism, should it be missing.
fn may_be_missing(mechanism: &Mechanism) -> bool {
    mechanism.available || Layer::DISPENSABLE.contains(&mechanism.layer)
}

impl Engine {
    /// Tries every mechanism on this host, now. Takes from a few milliseconds to, where a virtual
    /// machine is started, some seconds.
    pub async fn doctor(&self) -> Diagnosis {
        let levels = Level::ALL.map(|level| self.level(level));
        let kinds = ProgramKind::ALL.map(|kind| self.kind(kind));
        Diagnosis {
            levels: levels.into(),
            kinds: kinds.into(),
            kvm: atoll_sandbox_vm::diagnose(),
            instructions: atoll_sandbox_process::try_counting_instructions()
                .map_err(|error| format!("the kernel refuses a counter: {error}")),
            large_programs: Box::pin(self.analyzer.try_apart())
                .await
                .map_err(|error| crate::way::chain(&error)),
            state: match self.store().await {
                Ok(store) => Ok(store.path().display().to_string()),
                Err(error) => Err(crate::way::chain(&error)),
            },
        }
    }

    fn level(&self, level: Level) -> LevelDiagnosis {
        let Some(backend) = self.backend(level) else {
            return LevelDiagnosis {
                level,
                available: false,
                because: stages::no_backend(self, level),
                mechanisms: Vec::new(),
            };
        };
        let mechanisms: Vec<Mechanism> = backend
            .probe()
            .into_iter()
            .map(|report| {
                let available = report.state == LayerState::Enforced;
                Mechanism {
                    layer: report.layer,
                    available,
                    detail: report.detail,
                    advice: (!available).then(|| advice::for_layer(report.layer)),
                }
            })
            .collect();
        let missing: Vec<&str> = mechanisms
            .iter()
            .filter(|mechanism| !mechanism.available)
            .map(|mechanism| mechanism.layer.name())
            .collect();
        let because = match (mechanisms.len(), missing.is_empty()) {
            (0, _) => "its backend reported no mechanism".to_owned(),
            (count, true) => format!("all of its {count} mechanisms work"),
            (_, false) if mechanisms.iter().all(may_be_missing) => format!(
                "it lacks {}; a policy can accept that (`accept_missing`)",
                missing.join(", ")
            ),
            (_, false) => format!("it lacks {}", missing.join(", ")),
        };
        LevelDiagnosis {
            level,
            available: missing.is_empty() && !mechanisms.is_empty(),
            because,
            mechanisms,
        }
    }

    fn kind(&self, kind: ProgramKind) -> KindDiagnosis {
        let levels = self
            .backends()
            .iter()
            .map(|backend| (backend.level(), backend.supports(kind)));
        KindDiagnosis {
            kind,
            levels: levels.collect(),
        }
    }
}
