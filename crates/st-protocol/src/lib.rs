//! The control wire: verb, escaped payload, `0x00`.
