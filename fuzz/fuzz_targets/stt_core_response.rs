//! Any bytes are one HELLO_RESP or an error, and one is written as it was read.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| stt_core::__fuzz::response(bytes));
