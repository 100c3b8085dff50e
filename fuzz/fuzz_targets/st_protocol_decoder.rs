//! However a stream is cut, the same frames and the same error come out; resynchronising accounts for every byte.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| st_protocol::__fuzz::decoder(bytes));
