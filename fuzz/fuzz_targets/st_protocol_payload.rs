//! Fields that read are the only form of what they say; a failed read moves nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| st_protocol::__fuzz::payload(bytes));
