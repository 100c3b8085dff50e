//! Transport parameters are written in a form that reads alike.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| stt_core::__fuzz::params(bytes));
