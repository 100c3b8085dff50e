//! Two ends of streams deliver what was written, whatever applications and channel do.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| stt_core::__fuzz::streams(bytes));
