use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stt_store::{Environment, NoRandomness};

use crate::error::NodeError;

/// The operating system's generator and wall clock, for stores and chambers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(out).map_err(|_| NoRandomness)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge where time enters"
    )]
    fn now(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        // Before 1970 nothing has expired.
        now.unwrap_or_default()
    }
}

/// 32 bytes of the system's randomness.
pub(super) fn entropy() -> Result<[u8; 32], NodeError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(NodeError::NoRandomness)?;
    Ok(bytes)
}
