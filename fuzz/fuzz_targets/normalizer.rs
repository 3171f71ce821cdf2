#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| duijie_core::fuzzing::normalizer(bytes));
