//! Adapters that are built in (`docs/spec/adapters.md`, section 7).

mod pingpong;
mod settings;
mod tone;
mod traffic;
mod wav;

pub use pingpong::PingPong;
pub(super) use settings::Settings;
pub use tone::Tone;
pub use traffic::Traffic;
pub use wav::Wav;

use drybox::adapter::AdapterFault;

/// The fault of a callback that belongs to the mode which the adapter does not announce.
fn not_announced(what: &str) -> AdapterFault {
    AdapterFault::Contract(format!("{what} was called in a mode that is not announced"))
}
