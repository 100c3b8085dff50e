//! Rust futures as Python awaitables, on one runtime for the process (section 5).
//!
//! An awaitable is polled by the event loop that awaits it. Threads of the runtime never take the
//! interpreter's lock: whatever wakes an awaitable leaves a note for one thread of ours, which takes
//! the lock while it holds nothing else, and hands the note to the loop.

mod awaitable;
mod notes;
mod runtime;

pub(crate) use awaitable::{Awaitable, ErrorToPython};
pub(crate) use notes::stt_wake;
pub(crate) use runtime::stt_shut_down;
