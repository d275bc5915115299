//! The instance level as a whole: real workers in real jails. Needs root, `atoll-launcher` and
//! `atoll-wasm-worker`, which a build of the whole workspace puts beside these tests.

mod conformance;
mod endings;
mod fixtures;
mod support;
