//! Any bytes are a capture or an error, and records come back as they were written.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| drybox::output::read::fuzz_capture(bytes));
