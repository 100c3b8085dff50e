//! Addresses, routed frames and saved host caches that read are written as they were read.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| st_protocol::__fuzz::address(bytes));
