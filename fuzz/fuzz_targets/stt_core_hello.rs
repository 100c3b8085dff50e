//! Any bytes are one HELLO or an error, and a HELLO is written as it was read.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| stt_core::__fuzz::hello(bytes));
