#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_tests::run("socks_answer", data));
