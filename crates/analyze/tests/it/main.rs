//! Hostile shapes of source, from outside the crate.

mod hostile;
