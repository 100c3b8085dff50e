//! An auth block that reads is written as it was read.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| st_protocol::__fuzz::auth_block(bytes));
