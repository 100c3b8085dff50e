//! Any bytes are one VERSIONS or an error, and every byte of one is told.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| stt_core::__fuzz::versions(bytes));
