//! Any bytes are a scenario or an error, and what was resolved resolves to itself.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| drybox::scenario::fuzz(bytes));
