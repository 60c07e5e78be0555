//! Every fuzz target: which one it is, its name says.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| esets_fuzz::run(env!("CARGO_BIN_NAME"), bytes));
