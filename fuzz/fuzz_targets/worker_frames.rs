//! Any bytes as what a WebAssembly process and its supervisor say to each other.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| atoll_fuzz::worker_frames(bytes));
