//! What a poll is held to, and the words for exceeding it (`docs/spec/adapters.md`, section 5).

use super::{AdapterFault, SduBatch};

/// The limits of one `poll_link_tx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most SDUs that one poll may return.
    pub budget: usize,
    /// The largest SDU in bytes.
    pub sdu_max_bytes: usize,
}

impl Limits {
    /// Checks the SDUs that a poll appended to `batch` from index `start` on.
    pub fn check(self, batch: &SduBatch, start: usize) -> Result<(), AdapterFault> {
        let count = batch.len() - start;
        if count > self.budget {
            return Err(self.over_budget(count));
        }
        let too_long = |sdu: &[u8]| sdu.len() > self.sdu_max_bytes;
        match batch
            .iter()
            .skip(start)
            .enumerate()
            .find(|(_, sdu)| too_long(sdu))
        {
            Some((index, sdu)) => Err(self.too_long(index, sdu.len())),
            None => Ok(()),
        }
    }

    /// A poll returned `count` SDUs.
    pub fn over_budget(self, count: usize) -> AdapterFault {
        AdapterFault::Contract(format!(
            "poll_link_tx() returned {count} SDUs, over its budget of {}",
            self.budget
        ))
    }

    /// The SDU at `index` of what a poll returned has `len` bytes.
    pub fn too_long(self, index: usize, len: usize) -> AdapterFault {
        AdapterFault::Contract(format!(
            "poll_link_tx() returned an SDU of {len} bytes at index {index}, over sdu_max_bytes = {}",
            self.sdu_max_bytes
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        budget: 2,
        sdu_max_bytes: 4,
    };

    #[test]
    fn only_what_was_appended_is_checked() {
        let mut batch = SduBatch::new();
        batch.push(b"longer than four");
        assert_eq!(LIMITS.check(&batch, 1), Ok(()));
        batch.push(b"four");
        batch.push(b"fives");
        assert_eq!(LIMITS.check(&batch, 1), Err(LIMITS.too_long(1, 5)));
        batch.push(b"");
        let message = LIMITS.check(&batch, 1).unwrap_err().to_string();
        assert_eq!(
            message,
            "poll_link_tx() returned 3 SDUs, over its budget of 2"
        );
    }
}
