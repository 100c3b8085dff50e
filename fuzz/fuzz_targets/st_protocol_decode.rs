//! Any bytes are one frame or an error, and a frame is written as it was read.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| st_protocol::__fuzz::decode(bytes));
