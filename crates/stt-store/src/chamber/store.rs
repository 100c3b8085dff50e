//! What a chamber does (`docs/spec/stt-store.md`, section 15).

use core::{fmt, time::Duration};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use redb::{
    Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table, TableDefinition,
    TableHandle as _,
};
use stt_crypto::secret::{ChamberKey, SecretBytes};

use super::{
    ChamberError,
    absence::Strays,
    entry::{Entry, Kind, MAX_NAME, MAX_VALUE, Place, seal},
    file::{self, Guarded, guarded},
};
use crate::{Environment, environment::random, hex};

/// Entries that a kind may have.
pub const MAX_ENTRIES: u64 = 65_536;

/// A table of entries: slot, sealed value.
type Entries = TableDefinition<'static, &'static [u8; 32], &'static [u8]>;
type OpenEntries<'a> = Table<'a, &'static [u8; 32], &'static [u8]>;

const MARK: TableDefinition<'static, u8, &'static [u8]> = TableDefinition::new("mark");

pub(super) const fn table(kind: Kind) -> Entries {
    TableDefinition::new(match kind {
        Kind::Mark => "mark",
        Kind::Key => "keys",
        Kind::Session => "sessions",
        Kind::Ticket => "tickets",
    })
}

/// The chamber of a node. Every change is durable when its call returns; calls block on the disk.
///
/// One process at a time opens a chamber; in it any number of threads may use it.
pub struct Chamber {
    /// Nothing if it could not be opened again after the disk had failed.
    database: RwLock<Option<Guarded>>,
    /// The disk has failed: the database has to be opened again.
    is_broken: AtomicBool,
    pub(super) strays: Strays,
    path: PathBuf,
    pub(super) key: ChamberKey,
    environment: Arc<dyn Environment>,
    /// The file, for errors.
    pub(super) place: String,
}

impl Chamber {
    /// Opens the chamber in a file, or makes one (on Unix with mode 0600). Its folder has to be
    /// there.
    ///
    /// # Errors
    ///
    /// Another process has it open; it was made with another seed or for another node; it is
    /// damaged; the file system fails.
    pub fn open(
        path: &Path,
        key: ChamberKey,
        environment: Arc<dyn Environment>,
    ) -> Result<Self, ChamberError> {
        let place = path.display().to_string();
        let database = guarded(&place, || file::open(path, &place))?;
        let chamber = Self {
            database: RwLock::new(Some(database)),
            is_broken: AtomicBool::new(false),
            strays: Strays::default(),
            path: path.to_owned(),
            key,
            environment,
            place,
        };
        chamber.with(|database| chamber.check_mark(database))?;
        Ok(chamber)
    }

    /// Stores a key under a name, in place of the one that was there.
    ///
    /// # Errors
    ///
    /// The name or the key is too long, there are too many, or the file system fails.
    pub fn store_key(&self, name: &str, key: &[u8]) -> Result<(), ChamberError> {
        self.store(Kind::Key, name.as_bytes(), key, None)
    }

    /// The key of a name; nothing if there is none.
    ///
    /// # Errors
    ///
    /// This key is damaged, also where it is so that it isn't found (15.6), or the file system
    /// fails.
    pub fn retrieve_key(&self, name: &str) -> Result<Option<SecretBytes>, ChamberError> {
        self.retrieve(Kind::Key, name.as_bytes())
    }

    /// Removes a key, also a damaged one; says whether it was there.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn remove_key(&self, name: &str) -> Result<bool, ChamberError> {
        self.remove(Kind::Key, name.as_bytes())
    }

    /// The names of all keys, sorted by their bytes. A damaged one is an error in its place, at
    /// the end.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn list_keys(&self) -> Result<Vec<Result<String, ChamberError>>, ChamberError> {
        self.list(Kind::Key)
    }

    /// Stores what is to be known of a session, serialized by the caller, in place of what was
    /// there.
    ///
    /// # Errors
    ///
    /// The name or the session is too long, there are too many, or the file system fails.
    pub fn store_session(&self, name: &str, session: &[u8]) -> Result<(), ChamberError> {
        self.store(Kind::Session, name.as_bytes(), session, None)
    }

    /// The session of a name, as it was given; nothing if there is none.
    ///
    /// # Errors
    ///
    /// This session is damaged, also where it is so that it isn't found (15.6), or the file system
    /// fails.
    pub fn retrieve_session(&self, name: &str) -> Result<Option<SecretBytes>, ChamberError> {
        self.retrieve(Kind::Session, name.as_bytes())
    }

    /// Removes a session, also a damaged one; says whether it was there.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn remove_session(&self, name: &str) -> Result<bool, ChamberError> {
        self.remove(Kind::Session, name.as_bytes())
    }

    /// The names of all sessions, sorted by their bytes. A damaged one is an error in its place,
    /// at the end.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn list_sessions(&self) -> Result<Vec<Result<String, ChamberError>>, ChamberError> {
        self.list(Kind::Session)
    }

    /// Stores a ticket until `expiry`, a time as the environment tells it. `name` is what it will
    /// be asked for by: its id, or the peer's.
    ///
    /// # Errors
    ///
    /// The name or the ticket is too long, there are too many that have not expired, or the file
    /// system fails.
    pub fn store_ticket(
        &self,
        name: &[u8],
        ticket: &[u8],
        expiry: Duration,
    ) -> Result<(), ChamberError> {
        self.store(Kind::Ticket, name, ticket, Some(expiry))
    }

    /// Takes a ticket out: it is gone from the disk before this returns (15.2). Nothing if there
    /// is none or it has expired.
    ///
    /// # Errors
    ///
    /// The ticket is damaged, and gone; or the file system fails, and it may be gone.
    pub fn take_ticket(&self, name: &[u8]) -> Result<Option<SecretBytes>, ChamberError> {
        let place = Place::of(&self.key, Kind::Ticket, name);
        let taken = self.change(Kind::Ticket, |tickets| {
            let row = tickets.remove(&place.slot).map_err(|e| self.failed(e))?;
            Ok(row.map(|row| row.value().to_vec()))
        });
        let taken = taken.map_err(|error| error.about("taking", "ticket", &readable(name)))?;
        let Some(sealed) = taken else {
            return Ok(None);
        };
        let entry = self.open_named(&place, name, &sealed)?;
        Ok((!entry.expired(self.environment.now())).then_some(entry.value))
    }

    /// All tickets that have not expired, name and ticket each, in the order of their expiry. Those
    /// that don't open are left out: they are of no use.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn list_tickets(&self) -> Result<Vec<(Vec<u8>, SecretBytes)>, ChamberError> {
        let now = self.environment.now();
        let entries = self.entries(Kind::Ticket)?;
        let mut valid: Vec<_> = entries
            .into_iter()
            .flatten()
            .filter(|entry| !entry.expired(now))
            .collect();
        valid.sort_by_key(|entry| entry.expiry);
        let named = valid.into_iter().map(|entry| (entry.name, entry.value));
        Ok(named.collect())
    }

    /// Removes the tickets that have expired or don't open, and says how many.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn expire_tickets(&self) -> Result<u64, ChamberError> {
        self.change(Kind::Ticket, |tickets| self.expire(tickets))
    }

    /// Opens every entry and reads every page of the file; gives how many entries there are.
    ///
    /// # Errors
    ///
    /// The first damage that was found (15.4).
    pub fn check(&mut self) -> Result<u64, ChamberError> {
        let mut count = 0;
        for kind in Kind::ENTRIES {
            count += self.with(|database| {
                let survey = self.survey_kind(database, kind)?;
                match survey.strays.first() {
                    Some(slot) => Err(self.damaged(kind, hex::encode(slot))),
                    None => Ok(survey.count),
                }
            })?;
        }
        let place = self.place.clone();
        self.strays.forget();
        let database = self.database.get_mut();
        let database = database.unwrap_or_else(PoisonError::into_inner).as_mut();
        let intact = guarded(&place, || match database {
            Some(database) => {
                let intact = database.check_integrity();
                intact.map_err(|error| failed(&place, error))
            }
            None => Err(gone(&place)),
        })?;
        if !intact {
            return Err(ChamberError::Repaired { place });
        }
        Ok(count)
    }

    fn store(
        &self,
        kind: Kind,
        name: &[u8],
        value: &[u8],
        expiry: Option<Duration>,
    ) -> Result<(), ChamberError> {
        if name.len() > MAX_NAME {
            return Err(ChamberError::NameTooLong {
                kind: kind.noun(),
                len: name.len(),
                max: MAX_NAME,
            });
        }
        if value.len() > MAX_VALUE {
            return Err(ChamberError::ValueTooLong {
                kind: kind.noun(),
                name: readable(name),
                len: value.len(),
                max: MAX_VALUE,
            });
        }
        let place = Place::of(&self.key, kind, name);
        let nonce = random(&*self.environment)?;
        let sealed = seal(&self.key, &place, name, value, expiry, &nonce);
        let stored = self.change(kind, |entries| {
            let fits = |entries: &OpenEntries<'_>| {
                let full = entries.len().map_err(|e| self.failed(e))? >= MAX_ENTRIES;
                let there = entries.get(&place.slot).map_err(|e| self.failed(e))?;
                Ok::<_, ChamberError>(!full || there.is_some())
            };
            if !fits(entries)? && kind == Kind::Ticket {
                self.expire(entries)?;
            }
            if !fits(entries)? {
                return Err(ChamberError::TooMany {
                    place: self.place.clone(),
                    kind: kind.noun(),
                    max: MAX_ENTRIES,
                });
            }
            let stored = entries.insert(&place.slot, &sealed[..]);
            stored.map(drop).map_err(|error| self.failed(error))
        });
        stored.map_err(|error| error.about("storing", kind.noun(), &readable(name)))
    }

    fn retrieve(&self, kind: Kind, name: &[u8]) -> Result<Option<SecretBytes>, ChamberError> {
        let place = Place::of(&self.key, kind, name);
        let sealed = self.with(|database| {
            let transaction = database.begin_read().map_err(|e| self.failed(e))?;
            let entries = transaction
                .open_table(table(kind))
                .map_err(|e| self.failed(e))?;
            let row = entries.get(&place.slot).map_err(|e| self.failed(e))?;
            if row.is_none() && !self.astray(&entries, &place)?.is_empty() {
                return Err(self.damaged(kind, readable(name)));
            }
            Ok(row.map(|row| row.value().to_vec()))
        });
        let sealed =
            sealed.map_err(|error| error.about("reading", kind.noun(), &readable(name)))?;
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        Ok(Some(self.open_named(&place, name, &sealed)?.value))
    }

    fn remove(&self, kind: Kind, name: &[u8]) -> Result<bool, ChamberError> {
        let place = Place::of(&self.key, kind, name);
        let removed = self.change(kind, |entries| {
            let row = entries.remove(&place.slot).map_err(|e| self.failed(e))?;
            if row.is_some() {
                return Ok(true);
            }
            drop(row);
            let astray = self.astray(entries, &place)?;
            for slot in &astray {
                entries.remove(slot).map_err(|e| self.failed(e))?;
            }
            Ok(!astray.is_empty())
        });
        removed.map_err(|error| error.about("removing", kind.noun(), &readable(name)))
    }

    fn list(&self, kind: Kind) -> Result<Vec<Result<String, ChamberError>>, ChamberError> {
        let (mut names, mut damaged) = (Vec::new(), Vec::new());
        for entry in self.entries(kind)? {
            match entry {
                Ok(entry) => names.push(String::from_utf8_lossy(&entry.name).into_owned()),
                Err(error) => damaged.push(Err(error)),
            }
        }
        names.sort_unstable();
        Ok(names.into_iter().map(Ok).chain(damaged).collect())
    }

    /// Every entry of a kind, opened.
    fn entries(&self, kind: Kind) -> Result<Vec<Result<Entry, ChamberError>>, ChamberError> {
        self.with(|database| {
            let transaction = database.begin_read().map_err(|e| self.failed(e))?;
            let entries = transaction
                .open_table(table(kind))
                .map_err(|e| self.failed(e))?;
            let mut opened = Vec::new();
            for row in entries.iter().map_err(|e| self.failed(e))? {
                let (slot, sealed) = row.map_err(|e| self.failed(e))?;
                let slot = *slot.value();
                let entry = Entry::open(&self.key, &Place { kind, slot }, sealed.value());
                opened.push(entry.map_err(|_| self.damaged(kind, hex::encode(&slot))));
            }
            Ok(opened)
        })
    }

    /// Changes a table and commits.
    fn change<T>(
        &self,
        kind: Kind,
        change: impl FnOnce(&mut OpenEntries<'_>) -> Result<T, ChamberError>,
    ) -> Result<T, ChamberError> {
        self.with(|database| {
            let transaction = database.begin_write().map_err(|e| self.failed(e))?;
            let mut entries = transaction
                .open_table(table(kind))
                .map_err(|e| self.failed(e))?;
            let value = change(&mut entries)?;
            drop(entries);
            transaction.commit().map_err(|e| self.failed(e))?;
            Ok(value)
        })
    }

    fn expire(&self, tickets: &mut OpenEntries<'_>) -> Result<u64, ChamberError> {
        let now = self.environment.now();
        let kind = Kind::Ticket;
        let mut removed = 0;
        tickets
            .retain(|&slot, sealed| {
                let entry = Entry::open(&self.key, &Place { kind, slot }, sealed);
                let keep = entry.is_ok_and(|entry| !entry.expired(now));
                removed += u64::from(!keep);
                keep
            })
            .map_err(|error| self.failed(error))?;
        Ok(removed)
    }

    /// Finds the mark, or makes a new database a chamber.
    fn check_mark(&self, database: &Database) -> Result<(), ChamberError> {
        let transaction = database.begin_write().map_err(|e| self.failed(e))?;
        let tables = transaction.list_tables().map_err(|e| self.failed(e))?;
        let tables: Vec<String> = tables.map(|table| table.name().to_owned()).collect();
        let fresh = tables.is_empty();
        // One that is missing would be made anew by the next change, and what it held forgotten.
        let made = |kind| tables.iter().any(|name| name == table(kind).name());
        if tables.iter().any(|name| name == MARK.name()) && !Kind::ENTRIES.into_iter().all(made) {
            return Err(ChamberError::Unreadable {
                place: self.place.clone(),
            });
        }
        let mut marks = transaction.open_table(MARK).map_err(|e| self.failed(e))?;
        let mark = marks.get(0).map_err(|e| self.failed(e))?;
        let mark = mark.map(|mark| mark.value().to_vec());
        match mark {
            Some(mark) => match Entry::open(&self.key, &Place::MARK, &mark) {
                Ok(_) => Ok(()),
                Err(_) => Err(ChamberError::OtherOwner {
                    place: self.place.clone(),
                }),
            },
            None if fresh => {
                let nonce = random(&*self.environment)?;
                let mark = seal(&self.key, &Place::MARK, b"", b"", None, &nonce);
                marks.insert(0, &mark[..]).map_err(|e| self.failed(e))?;
                drop(marks);
                for kind in Kind::ENTRIES {
                    let made = transaction.open_table(table(kind));
                    made.map(drop).map_err(|error| self.failed(error))?;
                }
                transaction.commit().map_err(|e| self.failed(e))
            }
            None => Err(ChamberError::NoChamber {
                place: self.place.clone(),
            }),
        }
    }

    fn open_named(&self, place: &Place, name: &[u8], sealed: &[u8]) -> Result<Entry, ChamberError> {
        let entry = Entry::open(&self.key, place, sealed);
        entry.map_err(|_| self.damaged(place.kind, readable(name)))
    }

    pub(super) fn damaged(&self, kind: Kind, name: String) -> ChamberError {
        ChamberError::Damaged {
            kind: kind.noun(),
            name,
            place: self.place.clone(),
        }
    }

    pub(super) fn failed(&self, error: impl Into<redb::Error>) -> ChamberError {
        failed(&self.place, error)
    }

    /// Works on the database; opens it again first if the disk has failed before.
    fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, ChamberError>,
    ) -> Result<T, ChamberError> {
        self.open_again()?;
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(|| gone(&self.place))?;
        let result = guarded(&self.place, || work(database));
        if result.as_ref().is_err_and(ChamberError::is_final) {
            self.is_broken.store(true, Relaxed);
        }
        result
    }

    /// After a failure of the disk the database does nothing more: closes it and opens it again.
    fn open_again(&self) -> Result<(), ChamberError> {
        if !self.is_broken.load(Relaxed) {
            return Ok(());
        }
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if !self.is_broken.load(Relaxed) {
            return Ok(());
        }
        // Closed first: it holds the file's lock.
        drop(database.take());
        if !self.path.exists() {
            return Err(gone(&self.place));
        }
        let opened = guarded(&self.place, || {
            let opened = file::open(&self.path, &self.place)?;
            self.check_mark(&opened)?;
            Ok(opened)
        })?;
        *database = Some(opened);
        self.strays.forget();
        self.is_broken.store(false, Relaxed);
        Ok(())
    }
}

/// The file isn't there any more.
fn gone(place: &str) -> ChamberError {
    ChamberError::Io {
        place: place.to_owned(),
        source: std::io::ErrorKind::NotFound.into(),
    }
}

fn failed(place: &str, error: impl Into<redb::Error>) -> ChamberError {
    ChamberError::Database {
        doing: String::from("chamber"),
        place: place.to_owned(),
        source: Box::new(error.into()),
    }
}

/// A name for a message.
fn readable(name: &[u8]) -> String {
    match core::str::from_utf8(name) {
        Ok(text) => format!("{text:?}"),
        Err(_) => hex::encode(name),
    }
}

impl fmt::Debug for Chamber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys and entries are left out.
        f.debug_struct("Chamber")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
