//! The deadlines of one session.

use crate::Timestamp;

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// A packet counts as lost, or a probe is due (`stt-recovery.md`).
    Recovery,
    /// An ACK is due.
    Ack,
    /// The pacer lets the next packet go.
    Pacing,
    /// Nothing was heard for the idle time-out.
    Idle,
    /// A PING keeps the session alive.
    KeepAlive,
    /// The initiator has heard nothing since its first packet.
    Greet,
    /// Validation of a path has failed.
    Path,
    /// The previous receive key is wiped.
    KeyDiscard,
    /// The keys have served long enough.
    Rekey,
    /// A closed session is forgotten.
    Close,
    /// An idle session gives memory back.
    Trim,
}

impl Timer {
    const ALL: [Self; 11] = [
        Self::Recovery,
        Self::Ack,
        Self::Pacing,
        Self::Idle,
        Self::KeepAlive,
        Self::Greet,
        Self::Path,
        Self::KeyDiscard,
        Self::Rekey,
        Self::Close,
        Self::Trim,
    ];
}

/// One deadline for each [`Timer`], or [`NEVER`].
pub(super) struct Timers([Timestamp; Timer::ALL.len()]);

impl Default for Timers {
    fn default() -> Self {
        Self([NEVER; Timer::ALL.len()])
    }
}

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Timestamp) {
        self.0[timer as usize] = at;
    }

    pub(super) fn set_or_stop(&mut self, timer: Timer, at: Option<Timestamp>) {
        self.0[timer as usize] = at.unwrap_or(NEVER);
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = NEVER;
    }

    pub(super) fn stop_all(&mut self) {
        *self = Self::default();
    }

    pub(super) fn get(&self, timer: Timer) -> Option<Timestamp> {
        Some(self.0[timer as usize]).filter(|&at| at != NEVER)
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let first = self.0.iter().min().copied();
        first.filter(|&at| at != NEVER)
    }

    /// Takes one that is due, in the order of the enum.
    pub(super) fn expire(&mut self, now: Timestamp) -> Option<Timer> {
        let timer = Timer::ALL
            .into_iter()
            .find(|timer| self.get(*timer).is_some_and(|at| at <= now))?;
        self.stop(timer);
        Some(timer)
    }
}

/// The end of time, which no deadline is.
const NEVER: Timestamp = Timestamp::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_once_in_order() {
        let mut timers = Timers::default();
        timers.set(Timer::Idle, Timestamp::from_millis(5));
        timers.set(Timer::Ack, Timestamp::from_millis(5));
        timers.set(Timer::Close, Timestamp::from_millis(6));
        assert_eq!(timers.next(), Some(Timestamp::from_millis(5)));
        let now = Timestamp::from_millis(5);
        assert_eq!(timers.expire(now), Some(Timer::Ack));
        assert_eq!(timers.expire(now), Some(Timer::Idle));
        assert_eq!(timers.expire(now), None);
        assert_eq!(timers.next(), Some(Timestamp::from_millis(6)));
    }

    #[test]
    fn all_lists_each_in_its_place() {
        for (index, timer) in Timer::ALL.into_iter().enumerate() {
            assert_eq!(timer as usize, index);
        }
    }
}
