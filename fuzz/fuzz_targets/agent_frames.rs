//! Any bytes as what an agent behind a boundary and its host say to each other.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| atoll_fuzz::agent_frames(bytes));
