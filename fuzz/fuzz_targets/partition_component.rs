//! Any bytes, taken for a part of a program: its types and its calls are read.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = atoll_partition::read(bytes);
});
