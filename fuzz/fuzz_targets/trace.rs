//! Fuzzes traces of rehearsals; see `aloka_tests::parsers`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aloka_tests::parsers::trace(data));
