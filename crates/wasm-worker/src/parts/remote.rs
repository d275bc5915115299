//! What a proxy calls through, and how a call can fail.

use super::value::Value;

/// The longest text in a [`CallFailed`], in bytes; longer ones are cut.
pub const TEXT_BYTES_MAX: usize = 4 << 10;

/// The way to a part in another store.
#[async_trait::async_trait]
pub trait Remote: Send + Sync {
    /// Calls a function of an interface that the part exports.
    ///
    /// # Errors
    /// Whatever happens to the part, within the time that the way allows.
    async fn call(
        &self,
        interface: &str,
        function: &str,
        arguments: Vec<Value>,
    ) -> Result<Vec<Value>, CallFailed>;
}

/// A part of which a caller may call some interfaces only.
pub struct Offered<R> {
    part: R,
    interfaces: Vec<String>,
}

impl<R> Offered<R> {
    /// Offers these interfaces of a part.
    pub const fn new(part: R, interfaces: Vec<String>) -> Self {
        Self { part, interfaces }
    }
}

#[async_trait::async_trait]
impl<R: Remote> Remote for Offered<R> {
    async fn call(
        &self,
        interface: &str,
        function: &str,
        arguments: Vec<Value>,
    ) -> Result<Vec<Value>, CallFailed> {
        if !self.interfaces.iter().any(|offered| offered == interface) {
            let name = format!("{interface}#{function} to this caller");
            return Err(CallFailed::NotOffered(name).cut());
        }
        self.part.call(interface, function, arguments).await
    }
}

/// Why a call of another part has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallFailed {
    /// The part trapped. What it had in its memory is lost.
    #[error("the part trapped: {0}")]
    Trapped(String),
    /// The part did not answer in time and was stopped.
    #[error("the part did not answer within {after_ms} ms and was stopped")]
    TooLate {
        /// How long it had.
        after_ms: u64,
    },
    /// The part failed before and is not started again.
    #[error("the part is not started again after it failed: {0}")]
    Stopped(String),
    /// The other process is gone, or speaks nonsense and is treated as gone.
    #[error("the process of the part is gone: {0}")]
    Gone(String),
    /// The part does not export the function.
    #[error("the part does not export {0}")]
    NotOffered(String),
    /// Arguments or results are more than a message holds, or cannot cross.
    #[error("the values of the call cannot be passed on: {0}")]
    Unfit(String),
}

impl CallFailed {
    /// The same with its text cut to [`TEXT_BYTES_MAX`].
    pub(super) fn cut(mut self) -> Self {
        match &mut self {
            Self::Trapped(text)
            | Self::Stopped(text)
            | Self::Gone(text)
            | Self::NotOffered(text)
            | Self::Unfit(text) => cut(text),
            Self::TooLate { .. } => {}
        }
        self
    }
}

/// Cuts a text at a character's border.
fn cut(text: &mut String) {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.truncate(end);
}
