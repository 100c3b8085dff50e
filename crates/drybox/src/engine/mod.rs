//! The engine: one loop that drives two adapters over a simulated link (`docs/spec/engine.md`).
//!
//! ```text
//!   Engine ── Seat L ─ dyn Adapter        ByteMode ─ Link ─ bearers, SAR
//!      │  └── Seat R ─ dyn Adapter        AudioMode ─ VoicePath ×2
//!      └── Journal ─ Recorder, Tallies    (both write what they see to the journal)
//! ```

mod audio_mode;
mod byte_mode;
mod configs;
mod goodput;
mod hooks;
mod journal;
mod messages;
mod outcome;
mod run;
mod seat;
mod tallies;

pub use configs::configs;
pub use hooks::{Hooks, NoHooks, Progress};
pub(crate) use journal::write_link_record;
pub use outcome::{End, Measurements, Outcome};
pub use run::{Setup, run};
pub use tallies::{Handshake, LockClock, SideTally, Tallies};
