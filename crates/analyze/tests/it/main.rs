//! The crate from outside: realistic programs, hostile shapes, arbitrary bytes.

mod any_bytes;
mod hostile;
mod labelled;
mod programs;
