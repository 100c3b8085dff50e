//! Randomness and time of the operating system.

use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::{exceptions::PyOSError, prelude::*};
use stt_store::{Environment, NoRandomness};

/// What stores and chambers take from the system.
pub(crate) struct System;

impl Environment for System {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(out).map_err(|_| NoRandomness)
    }

    fn now(&self) -> Duration {
        since_epoch()
    }
}

/// `N` random bytes.
pub(crate) fn random<const N: usize>() -> PyResult<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| PyOSError::new_err(format!("the system gives no randomness: {error}")))?;
    Ok(bytes)
}

/// The time since 1970. A clock set before that counts as 1970.
#[expect(clippy::disallowed_methods, reason = "this is where time enters")]
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
