//! A standalone frame is written as it was read, or is an error.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| stt_core::__fuzz::sttframe(bytes));
