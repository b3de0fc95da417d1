//! Fuzzes variables files, values of the environment and of the command line; see `aloka_tests::parsers`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aloka_tests::parsers::tfvars(data));
