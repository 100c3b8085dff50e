use std::collections::VecDeque;

/// Numbers that wait for their turn, each at most once, first come first served.
#[derive(Default)]
pub(super) struct Ready {
    queue: VecDeque<u32>,
    waiting: Vec<bool>,
}

impl Ready {
    /// Puts `number` at the end, unless it waits already.
    pub(super) fn push(&mut self, number: u32) {
        let slot = number as usize;
        if self.waiting.len() <= slot {
            self.waiting.resize(slot + 1, false);
        }
        if !self.waiting[slot] {
            self.waiting[slot] = true;
            self.queue.push_back(number);
        }
    }

    /// Takes the first.
    pub(super) fn pop(&mut self) -> Option<u32> {
        let number = self.queue.pop_front()?;
        self.waiting[number as usize] = false;
        Some(number)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_waits_once_and_in_order() {
        let mut ready = Ready::default();
        for number in [3, 1, 3, 2, 1] {
            ready.push(number);
        }
        assert_eq!(ready.len(), 3);
        assert_eq!(ready.pop(), Some(3));
        ready.push(3);
        assert_eq!(ready.pop(), Some(1));
        assert_eq!(
            (ready.pop(), ready.pop(), ready.pop()),
            (Some(2), Some(3), None)
        );
    }
}
