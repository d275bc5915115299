//! A sandbox of the decided level, or the reason why there is none.

use std::sync::Arc;

use atoll_pool::{Key, Lease, Taken as Waiting};
use atoll_sandbox::{
    Backend, Beginning, CreateError, Domain, Environment, Job, Sandbox, SandboxSpec, Tenancy,
};
use atoll_types::{Analysis, Decision, Layer, Level, Message, MessageId, Sharing, Trust};

use crate::Engine;
use crate::stages::provide::{able_backend, imported_ahead};
use crate::way::Halt;

/// What the program will find around it.
pub(crate) struct Around {
    pub(crate) environment: Environment,
    /// Who shares the boundary.
    pub(crate) tenancy: Tenancy,
    /// A sandbox with this environment, when one is being built.
    pub(crate) ahead: Option<Ahead>,
}

impl Around {
    /// The same, shared by those whom the decision and the sender's trust allow.
    pub(crate) fn shared(
        self,
        engine: &Engine,
        message: &Message,
        decision: &Decision,
        trust: Trust,
    ) -> Self {
        if engine.pools.is_none() {
            // A process that handles one message has nobody to share with, and keeps nothing.
            return self;
        }
        let domain = match decision.sharing {
            Sharing::Shared => Domain::Class(trust),
            Sharing::Tenant => Domain::Tenant(message.tenant.clone()),
            Sharing::Message => Domain::Message,
        };
        Self {
            tenancy: Tenancy {
                domain,
                messages_max: decision.messages_max,
            },
            ..self
        }
    }

    /// The same, with what a sandbox may have imported before the program comes. That makes no
    /// difference to one that is being built: the program imports it there itself.
    pub(crate) fn with_imports(
        self,
        engine: &Engine,
        decision: &Decision,
        job: &Job,
        analysis: Option<&Analysis>,
    ) -> Self {
        let Some(analysis) = analysis else {
            return self;
        };
        let level = decision.level;
        Self {
            environment: imported_ahead(engine, level, self.environment, job, analysis),
            ..self
        }
    }
}

/// A sandbox that is being built while its message is still judged.
pub(crate) struct Ahead {
    level: Level,
    beginning: Result<Box<dyn Beginning>, CreateError>,
}

/// Begins to build a sandbox of the first level that can run the program, in the expectation that
/// it will be the one decided on.
pub(crate) fn begin(engine: &Engine, id: MessageId, environment: &Environment) -> Option<Ahead> {
    // Scripts can be decided for WebAssembly as well, which is the exception.
    let level = match environment.kind.is_wasm() {
        true => Level::Instance,
        false => Level::Process,
    };
    let supports = |backend: &&Arc<dyn Backend>| backend.supports(environment.kind).is_ok();
    let backend = engine.backend(level).filter(supports)?;
    Some(Ahead {
        level: backend.level(),
        beginning: backend.begin(&id.to_string(), environment),
    })
}

/// A sandbox for a job.
pub(crate) struct Taken {
    pub(crate) sandbox: Box<dyn Sandbox>,
    /// Whether it waited in a pool; a sandbox that waits can break without anybody noticing.
    pub(crate) waited: bool,
    /// Messages that it has served.
    pub(crate) served: u32,
    /// The right to bring it back for other messages, if it may serve any.
    pub(crate) lease: Option<Lease>,
}

impl Taken {
    /// Made for this message and no other.
    pub(crate) fn new(sandbox: Box<dyn Sandbox>) -> Self {
        Self {
            sandbox,
            waited: false,
            served: 0,
            lease: None,
        }
    }
}

/// Takes a sandbox that waits, or makes one. It never falls back to a weaker level.
pub(crate) async fn take(
    engine: &Engine,
    message: &Message,
    decision: &Decision,
    around: Around,
    job: &Job,
) -> Result<Taken, Halt> {
    let backend = able_backend(engine, decision.level, around.environment.kind)?;
    if !job.calls.is_empty() {
        // Whatever waits has started without anybody to judge its calls.
        let sandbox = make(engine, message, decision, around).await?;
        return Ok(Taken::new(sandbox));
    }
    let waiting = waiting(engine, backend, decision, &around.environment, job).await;
    let lease = waiting.lease;
    if let Some(sandbox) = waiting.sandbox {
        return Ok(Taken {
            sandbox: complete(sandbox, decision)?,
            waited: true,
            served: waiting.served,
            lease,
        });
    }
    let at_once = engine.pools.is_some()
        && !backend.keeps_ready()
        && around.ahead.is_none()
        && backend.suits_warm(job)
        && backend.is_warm(&around.environment);
    if at_once {
        let spec = SandboxSpec {
            renews: lease.is_some(),
            ..specification(message, decision, &around)
        };
        // When this fails, the ordinary way says why, if it fails as well.
        if let Ok(sandbox) = backend.create_warm(spec).await {
            return Ok(Taken {
                waited: true,
                lease,
                ..Taken::new(complete(sandbox, decision)?)
            });
        }
    }
    if lease.is_some() {
        let spec = SandboxSpec {
            renews: true,
            ..specification(message, decision, &around)
        };
        let sandbox = backend.create(spec).await.map_err(refused)?;
        return Ok(Taken {
            lease,
            ..Taken::new(complete(sandbox, decision)?)
        });
    }
    let sandbox = make(engine, message, decision, around).await?;
    Ok(Taken::new(sandbox))
}

/// What a sandbox for one message is built for.
fn specification(message: &Message, decision: &Decision, around: &Around) -> SandboxSpec {
    SandboxSpec {
        id: message.id.to_string(),
        limits: decision.limits,
        system_calls: decision.system_calls,
        accept_missing: decision.accept_missing.clone(),
        environment: around.environment.clone(),
        renews: false,
        tenancy: around.tenancy.clone(),
    }
}

/// Finishes the sandbox that was begun, if it is of the decided level, or builds another.
pub(crate) async fn make(
    engine: &Engine,
    message: &Message,
    decision: &Decision,
    around: Around,
) -> Result<Box<dyn Sandbox>, Halt> {
    let backend = able_backend(engine, decision.level, around.environment.kind)?;
    let spec = specification(message, decision, &around);
    let created = match around.ahead {
        Some(Ahead { level, beginning }) if level == decision.level => match beginning {
            Ok(beginning) => beginning.finish(spec.terms()).await,
            Err(error) => Err(error),
        },
        _ => backend.create(spec).await,
    };
    let sandbox = created.map_err(refused)?;
    complete(sandbox, decision)
}

/// The backend has refused already what the decision does not accept; this holds it to that.
fn complete(sandbox: Box<dyn Sandbox>, decision: &Decision) -> Result<Box<dyn Sandbox>, Halt> {
    let lacking = sandbox.enforcement().missing();
    let refused: Vec<_> = lacking
        .filter(|report| !decision.accept_missing.contains(&report.layer))
        .cloned()
        .collect();
    if refused.is_empty() {
        return Ok(sandbox);
    }
    Err(self::refused(CreateError::NotEnforceable {
        level: decision.level,
        missing: refused,
    }))
}

/// A sandbox that waits, with the decided limits in force.
async fn waiting(
    engine: &Engine,
    backend: &Arc<dyn Backend>,
    decision: &Decision,
    environment: &Environment,
    job: &Job,
) -> Waiting {
    let Some(pools) = engine.pools.as_ref().filter(|_| !backend.keeps_ready()) else {
        return Waiting::default();
    };
    // Without sharing this is 1.
    let messages_max = match backend.renews(environment, job) {
        true => decision.messages_max,
        false => 1,
    };
    // One that can be renewed is started with its job.
    if messages_max <= 1 && !backend.suits_warm(job) {
        return Waiting::default();
    }
    let limits = &decision.limits;
    let key = Key::new(
        decision.level,
        environment.clone(),
        decision.system_calls,
        limits,
    )
    .accepting(decision.accept_missing.clone())
    .sharing(decision.sharing)
    .serving(messages_max);
    let mut waiting = pools.take(backend, &key, limits);
    let refuses = |sandbox: &mut Box<dyn Sandbox>| sandbox.set_limits(limits).is_err();
    if let Some(sandbox) = waiting.sandbox.take_if(refuses) {
        // Smaller than what already runs inside; one that starts with them will say so.
        let _ = sandbox.destroy().await;
        return Waiting::default();
    }
    waiting
}

/// Which message of its sandbox a message is, where policy lets messages share one.
pub(crate) fn turn(number: u32, messages_max: u32, comes_back: bool) -> String {
    let before = number.saturating_sub(1);
    match (before, comes_back) {
        (0, true) => {
            format!("its sandbox is new; up to {messages_max} messages of the tenant may share it")
        }
        (0, false) => "its sandbox is new, and not one that several messages can share".to_owned(),
        (1.., _) => format!(
            "message {number} of up to {messages_max} in the same sandbox, renewed since the last \
             one"
        ),
    }
}

fn refused(error: CreateError) -> Halt {
    match error {
        CreateError::NotEnforceable { ref missing, .. } => {
            let may_be_missing = missing
                .iter()
                .all(|report| Layer::DISPENSABLE.contains(&report.layer));
            let or = if may_be_missing {
                ", and a policy can accept less (`accept_missing` in docs/policy.md)"
            } else {
                ""
            };
            Halt::refused(format!(
                "{error}; `atoll doctor` says what to install or enable{or}"
            ))
        }
        CreateError::Environment(_) => Halt::refused(error.to_string()),
        CreateError::Internal { .. } => Halt::failed(&error),
    }
}
