//! The engine through its public interface: order, faults, determinism, accounting.

mod accounting;
mod determinism;
mod faults;
mod fuzz_corpus;
mod golden;
mod messages;
mod order;
mod rows;
mod sar;
mod support;
