//! Any text as a forest of decision trees.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| atoll_fuzz::forest(bytes));
