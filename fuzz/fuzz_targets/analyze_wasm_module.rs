//! Any bytes, taken for WasmModule.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    atoll_fuzz::analyze(atoll_types::ProgramKind::WasmModule, bytes);
});
