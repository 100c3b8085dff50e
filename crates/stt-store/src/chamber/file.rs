//! The file of a chamber.

use core::ops::{Deref, DerefMut};
use std::{
    fs::{File, OpenOptions},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use redb::{Builder, Database, DatabaseError, ReadableDatabase as _};

use super::ChamberError;

/// Pages that are kept in memory, in bytes: a chamber is small.
const CACHE: usize = 1 << 20;

/// The database of a chamber.
///
/// It trusts the structure of its pages and panics where that doesn't hold, also while it is
/// closed. Of a file that was damaged, neither may end the program.
pub(super) struct Guarded(Option<Database>);

impl Deref for Guarded {
    type Target = Database;

    fn deref(&self) -> &Database {
        self.0.as_ref().expect("it is taken out by `drop` only")
    }
}

impl DerefMut for Guarded {
    fn deref_mut(&mut self) -> &mut Database {
        self.0.as_mut().expect("it is taken out by `drop` only")
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let database = self.0.take();
        // What could not be written on closing is found out on opening.
        catch_unwind(AssertUnwindSafe(|| drop(database))).ok();
    }
}

/// Turns a panic over a damaged file into an error. Transactions that it cuts off roll back.
pub(super) fn guarded<T>(
    place: &str,
    work: impl FnOnce() -> Result<T, ChamberError>,
) -> Result<T, ChamberError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(ChamberError::Unreadable {
            place: place.to_owned(),
        })
    })
}

/// Opens the database in a file, or makes one that only its owner can read.
pub(super) fn open(path: &Path, place: &str) -> Result<Guarded, ChamberError> {
    let opened = open_file(path).and_then(|file| Ok((file.metadata()?.len() == 0, file)));
    let (is_new, file) = opened.map_err(|source| ChamberError::Io {
        place: place.to_owned(),
        source,
    })?;
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    let mut database = builder.create_file(file).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => ChamberError::InUse {
            place: place.to_owned(),
        },
        error => ChamberError::Database {
            doing: String::from("chamber"),
            place: place.to_owned(),
            source: Box::new(error.into()),
        },
    })?;
    if !is_new {
        check_empty(&mut database, place)?;
    }
    Ok(Guarded(Some(database)))
}

/// Refuses a database that seems to hold nothing because it is damaged (15.7).
fn check_empty(database: &mut Database, place: &str) -> Result<(), ChamberError> {
    let failed = |source| ChamberError::Database {
        doing: String::from("chamber"),
        place: place.to_owned(),
        source: Box::new(source),
    };
    let is_empty = {
        let transaction = database.begin_read().map_err(|e| failed(e.into()))?;
        let mut tables = transaction.list_tables().map_err(|e| failed(e.into()))?;
        tables.next().is_none()
    };
    if is_empty && !database.check_integrity().map_err(|e| failed(e.into()))? {
        return Err(ChamberError::Unreadable {
            place: place.to_owned(),
        });
    }
    Ok(())
}

fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    if path.exists() {
        return options.open(path);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    // Another process may make it at the same moment: the lock decides.
    let file = options.create(true).truncate(false).open(path)?;
    if cfg!(unix)
        && let Some(folder) = path.parent()
        && !folder.as_os_str().is_empty()
    {
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}
