//! What a program is made of besides itself: components that it imports from.

use crate::Program;

/// The parts of a program, and what is demanded of them.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// The components, each under the name that the sender gives it.
    pub parts: Vec<Part>,
    /// Pairs of parts that share a store, whatever their trust. The program itself goes by
    /// [`Program::part_name`].
    pub together: Vec<(String, String)>,
    /// Who provides an import, where several parts could.
    pub provided: Vec<Provided>,
    /// Whether the program is refused when an interface that cannot cross would put parts of
    /// different trust into one store.
    pub refuse_mixed: bool,
}

impl Parts {
    /// Whether the program is all there is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// A component that others import from.
#[derive(Debug, Clone)]
pub struct Part {
    /// The component; its name is what others know it by.
    pub program: Program,
    /// Who answers for it; `None` for the sender of the message.
    pub trust: Option<String>,
    /// What speaks against it, from 0 to 1; `None` for the risk of the message.
    pub risk: Option<f64>,
    /// Whether most of it is compiled from a language that does not protect its own memory.
    pub native: bool,
    /// What it shares with no other part.
    pub alone: Option<Alone>,
}

/// What a part has for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alone {
    /// Its store.
    Store,
    /// Its process.
    Process,
}

/// Names the part that provides an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provided {
    /// The part that imports.
    pub importer: String,
    /// What it imports, as it names it.
    pub interface: String,
    /// The part that provides it.
    pub provider: String,
}
