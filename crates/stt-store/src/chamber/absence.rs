//! Whether what isn't found was never there (`docs/spec/stt-store.md`, 15.6).

use std::sync::{Mutex, PoisonError};

use redb::{Database, ReadableDatabase as _, ReadableTable};

use super::{
    ChamberError,
    entry::{Entry, Kind, Place},
    store::{Chamber, table},
};

/// Where an entry is.
type Slot = [u8; 32];

/// Slots whose entries don't open there, of each kind, once they were looked for.
#[derive(Debug, Default)]
pub(super) struct Strays(Mutex<[Option<Vec<Slot>>; 4]>);

/// The entries of a kind.
pub(super) struct Survey {
    pub(super) count: u64,
    /// Those that don't open.
    pub(super) strays: Vec<Slot>,
}

impl Strays {
    /// Forgets them: the database is another.
    pub(super) fn forget(&self) {
        *self.lock() = Default::default();
    }

    fn known(&self, kind: Kind) -> Option<Vec<Slot>> {
        self.lock()[kind as usize].clone()
    }

    fn note(&self, kind: Kind, slots: &[Slot]) {
        self.lock()[kind as usize] = Some(slots.to_vec());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, [Option<Vec<Slot>>; 4]> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chamber {
    /// The slots of entries that were stored at `place`, are not found there, and are elsewhere
    /// now: a bit of their slot has changed. The kind's entries are all opened once for that.
    ///
    /// # Errors
    ///
    /// What is read one after the other isn't what is found when asked for.
    pub(super) fn astray(
        &self,
        entries: &impl ReadableTable<&'static Slot, &'static [u8]>,
        place: &Place,
    ) -> Result<Vec<Slot>, ChamberError> {
        let strays = match self.strays.known(place.kind) {
            Some(strays) => strays,
            None => {
                let strays = self.survey(entries, place.kind)?.strays;
                self.strays.note(place.kind, &strays);
                strays
            }
        };
        let mut astray = Vec::new();
        for slot in strays {
            let row = entries.get(&slot).map_err(|error| self.failed(error))?;
            if row.is_some_and(|row| Entry::open(&self.key, place, row.value()).is_ok()) {
                astray.push(slot);
            }
        }
        Ok(astray)
    }

    /// Reads a kind's entries one after the other.
    ///
    /// # Errors
    ///
    /// They aren't what is found when asked for, or not as many as there should be.
    pub(super) fn survey_kind(
        &self,
        database: &Database,
        kind: Kind,
    ) -> Result<Survey, ChamberError> {
        let transaction = database.begin_read().map_err(|e| self.failed(e))?;
        let entries = transaction
            .open_table(table(kind))
            .map_err(|e| self.failed(e))?;
        self.survey(&entries, kind)
    }

    fn survey(
        &self,
        entries: &impl ReadableTable<&'static Slot, &'static [u8]>,
        kind: Kind,
    ) -> Result<Survey, ChamberError> {
        let unreadable = || ChamberError::Unreadable {
            place: self.place.clone(),
        };
        let mut strays = Vec::new();
        let mut last: Option<Slot> = None;
        let mut count = 0;
        for row in entries.iter().map_err(|e| self.failed(e))? {
            let (slot, sealed) = row.map_err(|e| self.failed(e))?;
            let slot = *slot.value();
            let is_found = entries.get(&slot).map_err(|e| self.failed(e))?.is_some();
            if !is_found || last.is_some_and(|last| last >= slot) {
                return Err(unreadable());
            }
            if Entry::open(&self.key, &Place { kind, slot }, sealed.value()).is_err() {
                strays.push(slot);
            }
            last = Some(slot);
            count += 1;
        }
        if count != entries.len().map_err(|e| self.failed(e))? {
            return Err(unreadable());
        }
        Ok(Survey { count, strays })
    }
}
