//! How does a program's need grow with its input? Runs it on inputs of several sizes, to see.
//!
//! Nothing of that is recorded: nobody has sent a message.

use std::time::{Duration, Instant};

use atoll_policy::{Denied, Request};
use atoll_types::{Decision, Message, Profile, TrialEnd, TrialRun};

use crate::stages::{self, Once, Place};
use crate::way::{Stop, Stopping};
use crate::{Engine, EngineError};

/// A program with an input of a known size.
#[derive(Debug, Clone)]
pub struct Sized {
    /// The size: bytes, or whatever the caller counts in.
    pub size: u64,
    /// The program with that input.
    pub message: Message,
}

/// What came of runs on inputs of several sizes.
#[derive(Debug)]
pub struct Tried {
    /// What was expected of the first.
    pub profile: Profile,
    /// How they were isolated, or why they were not run.
    pub decision: Result<Decision, Denied>,
    /// The runs, each with its size.
    pub runs: Vec<TrialRun>,
    /// Why there are no more.
    pub ended: TrialEnd,
}

impl Engine {
    /// Runs a program on one input after the other, isolated as the first of them would be, as long
    /// as there is time; tells of each. What the runs print and leave is thrown away.
    ///
    /// # Errors
    /// [`EngineError`] when history cannot be read.
    pub async fn try_sizes(
        &self,
        inputs: &[Sized],
        request: &Request,
        dependencies: Option<std::path::PathBuf>,
        budget: Duration,
        each: &mut (dyn FnMut(&TrialRun) + Send),
        stop: Stop<'_>,
    ) -> Result<Option<Tried>, EngineError> {
        let Some(first) = inputs.first() else {
            return Ok(None);
        };
        let explaining = self.explain(&first.message, request, dependencies.clone());
        let explained = explaining.await?;
        let surroundings = stages::environment(&first.message, dependencies);
        let (Ok(decision), Ok(environment)) = (&explained.decision, surroundings) else {
            return Ok(Some(Tried {
                profile: explained.profile,
                decision: explained.decision,
                runs: Vec::new(),
                ended: TrialEnd::Failed,
            }));
        };
        let place = Place {
            decision,
            environment: &environment,
            trust: explained.trust,
            profile: &explained.profile,
        };
        let (mut runs, mut ended) = (Vec::new(), TrialEnd::Whole);
        let mut stopping = Stopping::new(stop);
        let began = Instant::now();
        for Sized { size, message } in inputs {
            let left = budget.saturating_sub(began.elapsed());
            if left.is_zero() {
                ended = TrialEnd::Budget;
                break;
            }
            match stages::once(self, message, &place, left, *size, &mut stopping).await {
                Once::Ran(run) => {
                    each(&run);
                    runs.push(run);
                }
                Once::Ended(why) => {
                    ended = why;
                    break;
                }
                Once::Stopped => return Ok(None),
            }
        }
        Ok(Some(Tried {
            profile: explained.profile,
            decision: explained.decision,
            runs,
            ended,
        }))
    }
}
