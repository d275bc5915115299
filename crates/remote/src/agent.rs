//! An agent, from its greeting until its sandbox is built.
//!
//! Owns one question and one answer at a time. From the start of a job on, host and agent speak at
//! once, which is the business of `driver`.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use atoll_sandbox::CreateError;
use atoll_types::{LayerReport, Level, Limits};
use tokio::time::timeout;

use crate::ledger::{Breach, Ledger, Step};
use crate::protocol::{
    Begin, Hello, NOTICE_BYTES_MAX, Notice, ORDER_BYTES_MAX, Order, Refusal, Stays, Surroundings,
};
use crate::wire::{WireReader, WireWriter, wire};

/// The host's end of the stream to an agent.
pub struct Agent {
    pub(crate) reader: WireReader,
    pub(crate) writer: WireWriter,
    pub(crate) ledger: Ledger,
    hello: Hello,
    patience: Duration,
    /// What it has been told to hold, and what it says that it enforces.
    pub(crate) begun: Option<(Limits, Vec<LayerReport>)>,
}

/// Why an agent is of no use. Whoever owns the boundary ends it then.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The stream ended or failed.
    #[error("the agent behind the boundary ended")]
    Gone(#[source] io::Error),
    /// It did not answer in time.
    #[error("the agent behind the boundary did not answer within {0:?}")]
    Silent(Duration),
    /// It broke the rules.
    #[error(transparent)]
    Breach(#[from] Breach),
    /// It says why it did not do what it was told.
    #[error("the agent behind the boundary refused: {}", say(.0))]
    Refused(Refusal),
    /// It failed.
    #[error("the agent behind the boundary failed: {0}")]
    Failed(String),
}

impl AgentError {
    /// What the engine hears when a sandbox of this level could not be made.
    #[must_use]
    pub fn into_create_error(self, level: Level) -> CreateError {
        let internal = |attempt: String, source| CreateError::Internal { attempt, source };
        match self {
            Self::Refused(Refusal::NotEnforceable(missing)) => {
                CreateError::NotEnforceable { level, missing }
            }
            Self::Refused(Refusal::Environment(text) | Refusal::Program(text)) => {
                CreateError::Environment(text)
            }
            Self::Refused(Refusal::Limit(limit)) => CreateError::Environment(format!(
                "the {limit} limit is too small for a sandbox; raise it in the policy"
            )),
            Self::Refused(Refusal::Internal { attempt, reason }) => {
                internal(attempt, io::Error::other(reason))
            }
            error => internal(
                "talk to the agent behind the boundary".to_owned(),
                io::Error::other(error),
            ),
        }
    }
}

impl Agent {
    /// Waits for an agent's greeting on a stream, which may be one descriptor twice. It has to be
    /// called inside a Tokio runtime.
    ///
    /// # Errors
    /// When none comes within `patience`, which also bounds every later answer.
    pub async fn meet(
        input: OwnedFd,
        output: OwnedFd,
        patience: Duration,
    ) -> Result<Self, AgentError> {
        let hello = Hello {
            version: 0,
            kernel: String::new(),
            memory_bytes: 0,
            processors: 0,
        };
        let mut agent = Self::new(input, output, patience, hello, Ledger::new())?;
        match agent.answer().await? {
            Notice::Hello(hello) => agent.hello = hello,
            other => return Err(unexpected(&other)),
        }
        Ok(agent)
    }

    /// The agent of a clone: the one that it was copied from has greeted already.
    ///
    /// # Errors
    /// When the stream cannot be waited for.
    pub fn clone_of(
        hello: Hello,
        input: OwnedFd,
        output: OwnedFd,
        patience: Duration,
    ) -> Result<Self, AgentError> {
        Self::new(input, output, patience, hello, Ledger::greeted())
    }

    fn new(
        input: OwnedFd,
        output: OwnedFd,
        patience: Duration,
        hello: Hello,
        ledger: Ledger,
    ) -> Result<Self, AgentError> {
        let wire = wire(input, output, NOTICE_BYTES_MAX, ORDER_BYTES_MAX);
        let (reader, writer) = wire.map_err(AgentError::Gone)?;
        Ok(Self {
            reader,
            writer,
            ledger,
            hello,
            patience,
            begun: None,
        })
    }

    /// What it said of itself.
    #[must_use]
    pub const fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Lets it make ready what sandboxes of these surroundings need, for a snapshot; `stays` as in
    /// [`Order::Prepare`].
    ///
    /// # Errors
    /// When it does not.
    pub async fn prepare(
        &mut self,
        surroundings: &Surroundings,
        stays: Option<&Stays>,
    ) -> Result<(), AgentError> {
        self.ledger.take(Step::Prepare)?;
        let order = Order::Prepare {
            surroundings: Box::new(surroundings.clone()),
            stays: stays.cloned().map(Box::new),
        };
        match self.ask(&order).await? {
            Notice::Prepared => Ok(()),
            Notice::Refused(refusal) => Err(AgentError::Refused(refusal)),
            other => Err(unexpected(&other)),
        }
    }

    /// Lets it build its sandbox, and answers with what is enforced behind the boundary.
    ///
    /// # Errors
    /// When it does not.
    pub async fn begin(&mut self, begin: Begin) -> Result<&[LayerReport], AgentError> {
        self.ledger.take(Step::Begin)?;
        let limits = begin.limits;
        match self.ask(&Order::Begin(Box::new(begin))).await? {
            Notice::Ready { layers } => Ok(&self.begun.insert((limits, layers)).1),
            Notice::Refused(refusal) => Err(AgentError::Refused(refusal)),
            other => Err(unexpected(&other)),
        }
    }

    /// Lets it go through the first steps of a job.
    ///
    /// # Errors
    /// When it does not.
    pub async fn rehearse(&mut self) -> Result<(), AgentError> {
        self.ledger.take(Step::Rehearse)?;
        match self.ask(&Order::Rehearse).await? {
            Notice::Rehearsed => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    async fn ask(&mut self, order: &Order) -> Result<Notice, AgentError> {
        self.writer.queue(order).map_err(AgentError::Gone)?;
        let patience = self.patience;
        let flushed = timeout(patience, self.writer.flush()).await;
        flushed
            .map_err(|_| AgentError::Silent(patience))?
            .map_err(AgentError::Gone)?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Notice, AgentError> {
        let patience = self.patience;
        let next = timeout(patience, self.reader.next::<Notice>()).await;
        let notice = next
            .map_err(|_| AgentError::Silent(patience))?
            .map_err(AgentError::Gone)?
            .ok_or_else(|| AgentError::Gone(io::ErrorKind::UnexpectedEof.into()))?;
        self.ledger.accept(&notice)?;
        match notice.tidied() {
            Notice::Failed { reason } => Err(AgentError::Failed(reason)),
            notice => Ok(notice),
        }
    }
}

/// The ledger has no such answer.
fn unexpected(_notice: &Notice) -> AgentError {
    AgentError::Breach(Breach("speaks out of order"))
}

fn say(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotEnforceable(missing) => {
            let names = missing.iter().map(|report| report.layer.name());
            format!("it cannot enforce {}", names.collect::<Vec<_>>().join(", "))
        }
        Refusal::Environment(text) | Refusal::Program(text) => text.clone(),
        Refusal::Limit(limit) => format!("the {limit} limit is too small"),
        Refusal::Internal { attempt, reason } => format!("failed to {attempt}: {reason}"),
    }
}
