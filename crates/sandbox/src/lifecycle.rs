//! The life of a sandbox, as a state machine that refuses every other turn.

/// Where in its life a sandbox is.
///
/// ```text
///   +-------------- renew -----------+
///   v                                |
/// Ready --start--> Running --end--> Ended --destroy--> Destroyed
///   |                 |                                   ^
///   |                 +------------- destroy -------------+
///   +------------------------------- destroy -------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Built or renewed, nothing has run since.
    Ready,
    /// The program runs.
    Running,
    /// The program has ended; whatever it left still exists.
    Ended,
    /// Nothing is left.
    Destroyed,
}

/// Holds a [`State`] and allows only the transitions of its diagram.
#[derive(Debug)]
pub struct Lifecycle {
    state: State,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            state: State::Ready,
        }
    }
}

/// A transition that the diagram does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a sandbox cannot go from {from:?} to {to:?}")]
pub struct InvalidTransition {
    from: State,
    to: State,
}

impl Lifecycle {
    /// The current state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Moves on.
    ///
    /// # Errors
    /// When the diagram has no such transition; the state is unchanged then.
    pub fn advance(&mut self, to: State) -> Result<(), InvalidTransition> {
        let allowed = matches!(
            (self.state, to),
            (State::Ready, State::Running | State::Destroyed)
                | (State::Running, State::Ended | State::Destroyed)
                | (State::Ended, State::Ready | State::Destroyed)
        );
        if !allowed {
            return Err(InvalidTransition {
                from: self.state,
                to,
            });
        }
        self.state = to;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_transitions_of_the_diagram_are_allowed() {
        let states = [State::Ready, State::Running, State::Ended, State::Destroyed];
        let allowed = [
            (State::Ready, State::Running),
            (State::Ready, State::Destroyed),
            (State::Running, State::Ended),
            (State::Running, State::Destroyed),
            (State::Ended, State::Ready),
            (State::Ended, State::Destroyed),
        ];
        for from in states {
            for to in states {
                let mut lifecycle = Lifecycle { state: from };
                assert_eq!(lifecycle.advance(to).is_ok(), allowed.contains(&(from, to)));
            }
        }
    }
}
