//! Two endpoints with an adversary between them stay within their bounds and come to rest.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| stt_core::__fuzz::endpoint(bytes));
