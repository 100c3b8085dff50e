//! Any bytes as the head of a WebSocket handshake, and as frames.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| stt::__fuzz::websocket(bytes));
