//! What may be set when a store is opened.

use core::time::Duration;

use super::blob::MAX_OBJECT;

/// Limits of a store.
#[derive(Debug, Clone)]
pub struct StorageOptions {
    capacity: Option<u64>,
    grace: Duration,
    max_object: u64,
}

impl StorageOptions {
    /// The shortest grace period.
    pub const MIN_GRACE: Duration = Duration::from_secs(60);

    /// Bytes that all files of the store may have together; none, the default, means as many as
    /// fit. A put that would pass it fails ([`StoreError::Full`](crate::StoreError::Full)).
    pub const fn capacity(&mut self, bytes: Option<u64>) -> &mut Self {
        self.capacity = bytes;
        self
    }

    /// How old what nothing refers to has to be before it is collected (24 hours; at least
    /// [`Self::MIN_GRACE`], to which shorter ones are raised). A put that takes longer than half of
    /// it between its last byte and its commit fails.
    pub fn grace(&mut self, grace: Duration) -> &mut Self {
        self.grace = grace.max(Self::MIN_GRACE);
        self
    }

    /// Bytes that an object may have (2⁴⁶, which is also the most).
    pub fn max_object(&mut self, bytes: u64) -> &mut Self {
        self.max_object = bytes.min(MAX_OBJECT);
        self
    }

    pub(crate) const fn get_capacity(&self) -> Option<u64> {
        self.capacity
    }

    pub(crate) const fn get_grace(&self) -> Duration {
        self.grace
    }

    pub(crate) const fn get_max_object(&self) -> u64 {
        self.max_object
    }
}

impl Default for StorageOptions {
    fn default() -> Self {
        Self {
            capacity: None,
            grace: Duration::from_secs(24 * 60 * 60),
            max_object: MAX_OBJECT,
        }
    }
}
