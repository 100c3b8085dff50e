use core::time::Duration;

use crate::Timestamp;

/// Lets through so many in each second.
pub(super) struct PerSecond {
    limit: u32,
    begin: Timestamp,
    count: u32,
}

impl PerSecond {
    pub(super) const fn new(limit: u32) -> Self {
        Self {
            limit,
            begin: Timestamp::ZERO,
            count: 0,
        }
    }

    /// Whether one more may pass in this second; counts it if so.
    pub(super) fn allow(&mut self, now: Timestamp) -> bool {
        if now.saturating_since(self.begin) >= Duration::from_secs(1) {
            self.begin = now;
            self.count = 0;
        }
        if self.count >= self.limit {
            return false;
        }
        self.count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_a_second() {
        let mut limiter = PerSecond::new(2);
        let passed = |limiter: &mut PerSecond, millis| {
            (0..5)
                .filter(|_| limiter.allow(Timestamp::from_millis(millis)))
                .count()
        };
        assert_eq!(passed(&mut limiter, 0), 2);
        assert_eq!(passed(&mut limiter, 999), 0);
        assert_eq!(passed(&mut limiter, 1_000), 2);
        assert_eq!(passed(&mut limiter, 1_999), 0);
        assert_eq!(passed(&mut limiter, u64::MAX), 2);
    }
}
