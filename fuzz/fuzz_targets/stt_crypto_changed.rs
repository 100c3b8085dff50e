//! What is sealed for us opens as it is, and changed in any way it doesn't.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| stt_crypto::__fuzz::changed(bytes));
