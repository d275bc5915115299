//! Any bytes: recognised, then analysed.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| atoll_fuzz::recognise(bytes));
