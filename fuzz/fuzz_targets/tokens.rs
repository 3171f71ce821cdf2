#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| duijie::fuzzing::tokens(bytes));
