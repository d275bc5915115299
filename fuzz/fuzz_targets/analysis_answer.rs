//! Any bytes as what the process that reads a program says of it.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| atoll_fuzz::analysis_answer(bytes));
