//! The instance level: WebAssembly instances in jailed workers
