//! The supervision of a program's calls, where there are rules for them.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use atoll_types::Layer;
use atoll_types::calls::{CallAudit, CallRules};

use super::{Jail, JailError, internal, limits_refused, missing, resource_limits};
use crate::calls::{self, Violation};
use crate::host::host;
use crate::plan::ResourceLimits;
use crate::seccomp::Filter;

impl Jail {
    /// The calls of the program so far, if its rules want them taken down.
    #[must_use]
    pub fn audit(&self) -> Option<CallAudit> {
        self.supervised.as_ref()?.audit()
    }

    /// Why the program was ended, if it was for a call of its own.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        self.supervised.as_ref()?.violation()
    }

    /// Whether the program has run and was ended by a rule.
    pub(super) fn is_trapped(&self) -> bool {
        self.violation().is_some_and(|violation| violation.by_rule)
    }

    /// The limits of each process, with room for the process that carries calls out, if there is
    /// going to be one.
    pub(super) fn resource_limits(&self, rules: &CallRules) -> ResourceLimits {
        let limits = resource_limits(&self.limits);
        let hand = u64::from(!rules.is_empty());
        ResourceLimits {
            processes: limits.processes.saturating_add(hand),
            ..limits
        }
    }

    /// The filter that lets calls wait, if there are rules for them.
    pub(super) fn calls_filter(&self, rules: &CallRules) -> Result<Option<Filter>, JailError> {
        if rules.is_empty() {
            return Ok(None);
        }
        if let Some(why) = calls::unenforceable(rules) {
            return Err(missing(Layer::Seccomp, &why));
        }
        if self.copy.is_some() {
            // Its filter is in force already.
            let why = "a copy of an interpreter cannot have rules for calls";
            return Err(missing(Layer::Seccomp, why));
        }
        let filter = calls::filter(rules);
        let filter = filter.map_err(|error| {
            internal("compile the filter for calls")(std::io::Error::other(error))
        });
        filter.map(Some)
    }

    /// Starts to supervise the calls of the program that is about to start, if there are rules for
    /// them; answers with the other end, for the launcher.
    pub(super) fn supervise(&mut self, rules: &CallRules) -> Result<Option<OwnedFd>, JailError> {
        if rules.is_empty() {
            return Ok(None);
        }
        let attempt = "supervise calls";
        let (ours, theirs) = UnixStream::pair().map_err(internal(attempt))?;
        let first = self.first.as_ref().ok_or(std::io::ErrorKind::NotConnected);
        let first = first.map_err(|error| internal(attempt)(error.into()))?;
        let first = first.try_clone().map_err(internal(attempt))?;
        let supervised = calls::supervise(rules, ours, first).map_err(internal(attempt))?;
        self.supervised = Some(supervised);
        if !host().is_without(Layer::ProcessLimit) {
            // There is room for the process that carries calls out.
            self.group
                .set_limits(&self.group_limits(&self.limits))
                .map_err(limits_refused)?;
        }
        Ok(Some(theirs.into()))
    }
}
