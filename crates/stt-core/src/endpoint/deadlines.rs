use crate::Timestamp;

/// The deadline of each of many things that have small numbers: a binary heap that knows where
/// each stands. Setting is O(log n), the earliest O(1); nothing allocates once all numbers were seen.
#[derive(Default)]
pub(super) struct Deadlines {
    heap: Vec<(Timestamp, u32)>,
    /// Where each number stands in the heap, or [`NOWHERE`].
    places: Vec<u32>,
}

impl Deadlines {
    /// The earliest deadline and whose it is.
    pub(super) fn first(&self) -> Option<(Timestamp, u32)> {
        self.heap.first().copied()
    }

    /// Sets the deadline of `number`, or takes it away.
    pub(super) fn set(&mut self, number: u32, deadline: Option<Timestamp>) {
        let slot = number as usize;
        if self.places.len() <= slot {
            if deadline.is_none() {
                return;
            }
            self.places.resize(slot + 1, NOWHERE);
        }
        match (self.places[slot], deadline) {
            (NOWHERE, None) => {}
            (NOWHERE, Some(deadline)) => {
                // As many as there are numbers, which are u32.
                let place = self.heap.len();
                self.heap.push((deadline, number));
                self.places[slot] = place as u32;
                self.rise(place);
            }
            (place, Some(deadline)) => {
                let place = place as usize;
                let before = self.heap[place].0;
                self.heap[place].0 = deadline;
                if deadline < before {
                    self.rise(place);
                } else if deadline > before {
                    self.sink(place);
                }
            }
            (place, None) => {
                let place = place as usize;
                self.heap.swap_remove(place);
                self.places[slot] = NOWHERE;
                if let Some(&(_, moved)) = self.heap.get(place) {
                    self.places[moved as usize] = place as u32;
                    self.rise(place);
                    self.sink(self.places[moved as usize] as usize);
                }
            }
        }
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.heap[parent] <= self.heap[place] {
                break;
            }
            self.swap(place, parent);
            place = parent;
        }
    }

    fn sink(&mut self, mut place: usize) {
        while let Some(child) = (2 * place + 1..self.heap.len())
            .take(2)
            .min_by_key(|child| self.heap[*child])
        {
            if self.heap[place] <= self.heap[child] {
                break;
            }
            self.swap(place, child);
            place = child;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        for place in [a, b] {
            self.places[self.heap[place].1 as usize] = place as u32;
        }
    }
}

const NOWHERE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_a_plain_table(steps in proptest::collection::vec((0_u32..24, proptest::option::of(0_u64..50)), 0..200)) {
            let mut deadlines = Deadlines::default();
            let mut table = [None; 24];
            for (number, millis) in steps {
                let deadline = millis.map(Timestamp::from_millis);
                deadlines.set(number, deadline);
                table[number as usize] = deadline;
                let first = (0..)
                    .zip(table)
                    .filter_map(|(number, deadline)| Some((deadline?, number)))
                    .min();
                prop_assert_eq!(deadlines.first(), first);
            }
        }
    }
}
