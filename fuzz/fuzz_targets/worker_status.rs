//! Any bytes as the report of a WebAssembly worker.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| atoll_fuzz::worker_status(bytes));
