//! What can go wrong with a chamber.

use std::io;

use thiserror::Error;

use crate::NoRandomness;

/// Why an operation on a chamber failed. Names are quoted as Rust writes strings.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChamberError {
    /// An entry that is not what was stored. The others are not affected.
    #[error("{kind} {name} in {place} does not open: changed, or moved from another place")]
    Damaged {
        /// Key, session or ticket.
        kind: &'static str,
        /// Its name, or its slot in hex where the name isn't known.
        name: String,
        /// The file.
        place: String,
    },
    /// The database failed; if the disk did, it is opened again with the next call.
    #[error("{doing} {place}: {source}")]
    Database {
        /// What was being done: `chamber`, or `storing key "a" in chamber`.
        doing: String,
        /// The file.
        place: String,
        /// What it said.
        source: Box<redb::Error>,
    },
    /// It is in use.
    #[error("chamber {place} is open in another process, or a second time in this one")]
    InUse {
        /// The file.
        place: String,
    },
    /// The file system failed.
    #[error("opening chamber {place}: {source}")]
    Io {
        /// The file.
        place: String,
        /// What it said.
        source: io::Error,
    },
    /// A name that is too long.
    #[error("the name of a {kind} has {len} bytes, at most {max} are possible")]
    NameTooLong {
        /// Key, session or ticket.
        kind: &'static str,
        /// Bytes of the name.
        len: usize,
        /// The most.
        max: usize,
    },
    /// No randomness.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// A database of something else.
    #[error("{place} is no chamber: it is a database without the mark of one")]
    NoChamber {
        /// The file.
        place: String,
    },
    /// The chamber belongs to another seed or node.
    #[error(
        "chamber {place} does not open: it was made with another seed or for another node, or is damaged"
    )]
    OtherOwner {
        /// The file.
        place: String,
    },
    /// Pages of the file had changed.
    #[error("chamber {place} was damaged; the database has repaired what it could: check it again")]
    Repaired {
        /// The file.
        place: String,
    },
    /// No more entries are possible.
    #[error("{place} has {max} entries of the kind {kind}, the most: remove some")]
    TooMany {
        /// The file.
        place: String,
        /// Key, session or ticket.
        kind: &'static str,
        /// The most.
        max: u64,
    },
    /// The file's structure is damaged beyond what the database copes with.
    #[error("chamber {place} is damaged: its structure can't be read")]
    Unreadable {
        /// The file.
        place: String,
    },
    /// A value that is too long.
    #[error("the {kind} {name} has {len} bytes, at most {max} are possible")]
    ValueTooLong {
        /// Key, session or ticket.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Bytes of the value.
        len: usize,
        /// The most.
        max: usize,
    },
}

impl ChamberError {
    /// The same, telling which entry it is about.
    pub(super) fn about(self, verb: &str, kind: &str, name: &str) -> Self {
        match self {
            Self::Database { place, source, .. } => Self::Database {
                doing: format!("{verb} {kind} {name} in chamber"),
                place,
                source,
            },
            other => other,
        }
    }

    /// Whether the database does nothing more until it is opened again.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Database { source, .. }
            if matches!(**source, redb::Error::Io(_) | redb::Error::PreviousIo))
    }
}
