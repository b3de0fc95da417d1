//! Fuzzes files of Terraform's configuration and of backend settings; see `aloka_tests::parsers`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aloka_tests::parsers::configuration(data));
