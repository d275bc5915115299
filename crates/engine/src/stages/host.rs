//! What this host has for a message's program: asked for by the rules of the policy.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use atoll_policy::{Host, Request};
use atoll_sandbox::Job;
use atoll_types::{Analysis, Level, Message};

use crate::Engine;
use crate::stages::job;

/// Looks at the backends when it is asked, and remembers what it found.
pub(crate) struct OnHost<'a> {
    engine: &'a Engine,
    message: &'a Message,
    analysis: &'a Analysis,
    request: &'a Request,
    levels: OnceLock<BTreeSet<Level>>,
    lacks: OnceLock<String>,
    differs: OnceLock<String>,
}

impl<'a> OnHost<'a> {
    pub(crate) const fn new(
        engine: &'a Engine,
        message: &'a Message,
        analysis: &'a Analysis,
        request: &'a Request,
    ) -> Self {
        Self {
            engine,
            message,
            analysis,
            request,
            levels: OnceLock::new(),
            lacks: OnceLock::new(),
            differs: OnceLock::new(),
        }
    }

    fn find_levels(&self) -> BTreeSet<Level> {
        let (kind, request) = (self.message.program.kind, self.request);
        let able = self.engine.backends().iter().filter(|backend| {
            // A level that has to refuse what was asked for is not there for this message.
            backend.supports(kind).is_ok()
                && backend.unenforceable(kind, &request.calls).is_none()
                && (backend.shows_dependencies() || !request.has_dependencies)
        });
        able.map(|backend| backend.level()).collect()
    }

    fn job(&self) -> Job {
        job(self.message, &self.request.calls, None)
    }

    fn find_differing(&self) -> Option<String> {
        let backend = self.engine.backend(Level::Instance)?;
        backend.differs(&self.job(), self.analysis)
    }

    fn find_lacking(&self) -> Result<(), String> {
        let kind = self.message.program.kind;
        let Some(backend) = self.engine.backend(Level::Instance) else {
            return Err("the level itself".to_owned());
        };
        backend.supports(kind)?;
        backend.suits(&self.job(), self.analysis)?;
        match backend.unenforceable(kind, &self.request.calls) {
            Some(why) => Err(why),
            None => Ok(()),
        }
    }
}

impl Host for OnHost<'_> {
    fn levels(&self) -> &BTreeSet<Level> {
        self.levels.get_or_init(|| self.find_levels())
    }

    fn lacks_at_instance(&self) -> &str {
        let lacking = || self.find_lacking().err().unwrap_or_default();
        self.lacks.get_or_init(lacking)
    }

    fn differs_at_instance(&self) -> &str {
        let differing = || self.find_differing().unwrap_or_default();
        self.differs.get_or_init(differing)
    }

    fn is_compiled(&self) -> bool {
        let backend = self.engine.backend(Level::Instance);
        backend.is_some_and(|backend| backend.is_compiled(self.message.program.kind))
    }

    fn keeps_ready(&self) -> bool {
        self.engine.pools.is_some()
    }
}
