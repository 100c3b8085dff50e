//! Segments in any order, some of them changed: what is given is what was sent.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| stt::__fuzz::segments(bytes));
