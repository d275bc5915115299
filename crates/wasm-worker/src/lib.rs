//! What a WebAssembly worker is made of, beside its `main`.
//!
//! Owns the calls between the parts of a program that is made of several components. The process
//! itself, its jail and its protocol are the business of `main.rs`.

pub mod parts;
