//! What a store takes from the world around it (`docs/spec/stt-store.md`, 1.3).

use core::time::Duration;

use thiserror::Error;

/// Randomness and time, given by the program that opens a store.
pub trait Environment: Send + Sync + 'static {
    /// Fills `out` from a cryptographically secure generator.
    ///
    /// # Errors
    ///
    /// The generator failed; nothing is stored then.
    fn fill_random(&self, out: &mut [u8]) -> Result<(), NoRandomness>;

    /// The time since 1970-01-01 00:00 UTC.
    fn now(&self) -> Duration;
}

/// The generator of the environment failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the system gives no randomness: nothing was stored")]
pub struct NoRandomness;

/// `N` random bytes.
pub(crate) fn random<const N: usize>(
    environment: &dyn Environment,
) -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    environment.fill_random(&mut bytes)?;
    Ok(bytes)
}
