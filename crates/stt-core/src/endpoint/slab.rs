use core::fmt;

/// Names a session, or an attempt to open one, of one endpoint. A handle whose session is gone
/// names nothing: it is never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionHandle {
    index: u32,
    generation: u32,
}

impl ConnectionHandle {
    pub(super) const fn index(self) -> u32 {
        self.index
    }
}

impl fmt::Debug for ConnectionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}.{}", self.index, self.generation)
    }
}

/// Values in slots that are used again, under handles that are not.
pub(super) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Puts in what `make` makes for its handle; `None` if there are `u32::MAX` values already or
    /// `make` has none.
    pub(super) fn insert_with(
        &mut self,
        make: impl FnOnce(ConnectionHandle) -> Option<T>,
    ) -> Option<ConnectionHandle> {
        let index = match self.free.last() {
            Some(index) => *index,
            None => u32::try_from(self.slots.len()).ok()?,
        };
        let generation = self
            .slots
            .get(index as usize)
            .map_or(0, |slot| slot.generation);
        let handle = ConnectionHandle { index, generation };
        let value = Some(make(handle)?);
        match self.slots.get_mut(index as usize) {
            Some(slot) => {
                slot.value = value;
                self.free.pop();
            }
            None => self.slots.push(Slot { generation, value }),
        }
        Some(handle)
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<T> {
        let slot = self.slots.get_mut(index as usize)?;
        let value = slot.value.take()?;
        // A slot whose generations are used up is left empty: 2^32 sessions in it were enough.
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            self.free.push(index);
        }
        Some(value)
    }

    pub(super) fn at(&self, index: u32) -> Option<&T> {
        self.slots.get(index as usize)?.value.as_ref()
    }

    pub(super) fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        self.slots.get_mut(index as usize)?.value.as_mut()
    }

    pub(super) fn get(&self, handle: ConnectionHandle) -> Option<&T> {
        let slot = self.slots.get(handle.index as usize)?;
        slot.value
            .as_ref()
            .filter(|_| slot.generation == handle.generation)
    }

    pub(super) fn get_mut(&mut self, handle: ConnectionHandle) -> Option<&mut T> {
        let slot = self.slots.get_mut(handle.index as usize)?;
        slot.value
            .as_mut()
            .filter(|_| slot.generation == handle.generation)
    }

    /// The handle of the value at `index`.
    pub(super) fn handle(&self, index: u32) -> Option<ConnectionHandle> {
        let slot = self.slots.get(index as usize)?;
        slot.value.as_ref().map(|_| ConnectionHandle {
            index,
            generation: slot.generation,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_handle_names_nothing() {
        let mut slab = Slab::new();
        let first = slab.insert_with(|_| Some('a')).unwrap();
        let second = slab.insert_with(|_| Some('b')).unwrap();
        assert_eq!(slab.remove(first.index()), Some('a'));
        assert_eq!(slab.remove(first.index()), None);
        assert_eq!(slab.insert_with(|_| None), None);
        let third = slab.insert_with(|_| Some('c')).unwrap();
        assert_eq!(third.index(), first.index(), "the slot is used again");
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.get_mut(first), None);
        assert_eq!(
            (slab.get(second), slab.get(third)),
            (Some(&'b'), Some(&'c'))
        );
        assert_eq!(slab.handle(third.index()), Some(third));
        assert_eq!(slab.len(), 2);
    }

    #[test]
    fn a_slot_without_generations_left_stays_empty() {
        let mut slab = Slab::new();
        let handle = slab.insert_with(|_| Some(0)).unwrap();
        slab.slots[0].generation = u32::MAX;
        assert_eq!(slab.remove(handle.index()), Some(0));
        let next = slab.insert_with(|_| Some(1)).unwrap();
        assert_eq!(next.index(), 1);
    }
}
