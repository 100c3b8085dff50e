//! Frames from a peer that keeps no rule end a session or are taken, and cost bounded memory.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| stt_core::__fuzz::stream_frames(bytes));
