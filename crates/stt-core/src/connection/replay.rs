//! The replay window (`docs/spec/stt-session.md` §3.5).

/// Numbers up to the largest one that are remembered one by one.
const WINDOW: u64 = 8_192;
const WORDS: usize = (WINDOW / 64) as usize;

/// Which of the latest packet numbers have arrived.
///
/// ```text
///   forgotten │ 8,192 numbers, one bit each │ not seen yet
///             └─────────────── largest ─────┘
/// ```
///
/// The bit of a number stands at its value modulo the window: moving on clears the words that are
/// entered, nothing is shifted.
pub(super) struct ReplayWindow {
    /// One more than the largest number seen.
    next: u64,
    /// All words once there were numbers for them: many a session never sends as many packets.
    bits: Vec<u64>,
}

impl ReplayWindow {
    pub(super) fn new() -> Self {
        Self {
            next: 0,
            bits: Vec::new(),
        }
    }

    /// One more than the largest number marked: what the next one is expected to be.
    pub(super) fn expected(&self) -> u64 {
        self.next
    }

    /// Marks `number`; false if it was marked already or is too old to tell.
    #[must_use]
    pub(super) fn insert(&mut self, number: u64) -> bool {
        if number >= self.next {
            self.advance(number);
        } else if self.next - number > WINDOW {
            return false;
        }
        let word = &mut self.bits[(number % WINDOW / 64) as usize];
        let bit = 1 << (number % 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }

    /// Moves the window so that it ends with `number`, clearing what it enters.
    fn advance(&mut self, number: u64) {
        let words = number.min(WINDOW - 1) / 64 + 1;
        if self.bits.len() < words as usize {
            // The window has not turned round yet: each word stays where it is.
            self.bits
                .resize((words as usize).next_power_of_two().min(WORDS), 0);
        }
        let entered = number + 1 - self.next;
        if entered >= WINDOW {
            self.bits.fill(0);
        } else {
            let mut position = self.next;
            while position <= number {
                let index = (position % WINDOW / 64) as usize;
                if position.is_multiple_of(64) && number - position >= 63 {
                    self.bits[index] = 0;
                    position += 64;
                } else {
                    self.bits[index] &= !(1 << (position % 64));
                    position += 1;
                }
            }
        }
        self.next = number + 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_taken_once() {
        let mut window = ReplayWindow::new();
        assert!(window.insert(5));
        assert!(!window.insert(5));
        assert!(window.insert(3));
        assert_eq!(window.expected(), 6);
    }

    #[test]
    fn the_window_is_at_least_8192_wide() {
        let mut window = ReplayWindow::new();
        assert!(window.insert(8_191));
        assert!(window.insert(0), "the oldest number inside");
        assert!(window.insert(8_192));
        assert!(!window.insert(0), "the youngest number outside");
        assert!(window.insert(1));
    }

    #[test]
    fn the_largest_numbers_fit() {
        let mut window = ReplayWindow::new();
        let last = (1 << 62) - 1;
        assert!(window.insert(last));
        assert!(!window.insert(last));
        assert!(!window.insert(0));
    }

    proptest! {
        #[test]
        fn agrees_with_a_set(steps in prop::collection::vec((0u64..20_000, any::<bool>()), 1..400)) {
            let mut window = ReplayWindow::new();
            let mut seen = BTreeSet::new();
            let mut largest = 0;
            for (step, back) in steps {
                let number = if back { largest - step.min(largest) } else { largest + step % 3_000 };
                let old = number + WINDOW <= largest && !seen.is_empty();
                let fresh = !(seen.contains(&number) || old && number < largest);
                prop_assert_eq!(window.insert(number), fresh, "number {} of {}", number, largest);
                seen.insert(number);
                largest = largest.max(number);
            }
        }
    }
}
