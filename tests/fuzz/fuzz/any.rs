//! The target that `DESKHAND_FUZZ_TARGET` names.

#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<String> =
    LazyLock::new(|| std::env::var("DESKHAND_FUZZ_TARGET").expect("DESKHAND_FUZZ_TARGET names a target"));

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_tests::run(&TARGET, data));
