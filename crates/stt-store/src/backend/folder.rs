//! A local folder, with what `object_store` leaves out: private folders, flushing after deletions,
//! files of uploads that never ended (`docs/spec/stt-store.md`, 7.4 and 10.1).

use core::time::Duration;
use std::{
    fs::{self, DirBuilder, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use object_store::local::LocalFileSystem;

use super::{Backend, PART_CHUNKS};
use crate::{StoreError, blocking};

/// The folders of a store.
const FOLDERS: [&str; 2] = ["blobs", "index"];

impl Backend {
    /// A folder, made if it isn't there (on Unix with mode 0700). Every write is flushed to the
    /// disk before it counts.
    ///
    /// # Errors
    ///
    /// The folder can't be made or read.
    pub fn folder(path: &Path) -> Result<Self, StoreError> {
        let failed = |source: io::Error| StoreError::Io {
            operation: "opening the folder",
            place: path.display().to_string(),
            source,
        };
        make(path).map_err(failed)?;
        let root = path.canonicalize().map_err(failed)?;
        for folder in FOLDERS {
            make(&root.join(folder)).map_err(failed)?;
        }
        sync_folder(&root).map_err(failed)?;
        let store = LocalFileSystem::new_with_prefix(&root)
            .map_err(|source| StoreError::backend("opening", &path.display().to_string(), source))?
            .with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            folder: Some(root),
            part_chunks: PART_CHUNKS,
            service: false,
        })
    }
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

pub(super) async fn sync(root: PathBuf, folder: &'static str) -> Result<(), StoreError> {
    blocking(move || {
        sync_folder(&root.join(folder)).map_err(|source| StoreError::Io {
            operation: "flushing",
            place: folder.to_owned(),
            source,
        })
    })
    .await
}

/// Elsewhere folders can't be opened and need no flushing of their own.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

pub(super) async fn delete_staged(root: PathBuf, before: Duration) -> Result<u64, StoreError> {
    blocking(move || {
        let mut deleted = 0;
        for folder in FOLDERS {
            delete_staged_in(&root.join(folder), before, &mut deleted).map_err(|source| {
                StoreError::Io {
                    operation: "collecting",
                    place: folder.to_owned(),
                    source,
                }
            })?;
        }
        Ok(deleted)
    })
    .await
}

fn delete_staged_in(folder: &Path, before: Duration, deleted: &mut u64) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if !name.to_str().is_some_and(is_staged) {
            continue;
        }
        // Whoever wrote it may have ended it in the meantime.
        let Some(metadata) = there(entry.metadata())? else {
            continue;
        };
        let changed = metadata.modified()?.duration_since(UNIX_EPOCH);
        if metadata.is_file() && changed.is_ok_and(|changed| changed < before) {
            *deleted += u64::from(there(fs::remove_file(entry.path()))?.is_some());
        }
    }
    Ok(())
}

fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// `<hex>#<number>`, as `object_store` names files on their way.
fn is_staged(name: &str) -> bool {
    name.split_once('#').is_some_and(|(base, number)| {
        !base.is_empty()
            && base.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_on_their_way_are_staged() {
        for name in ["00ff#1", "a#12"] {
            assert!(is_staged(name), "{name}");
        }
        for name in ["", "00ff", "#1", "00ff#", "00ff#x", "my file#1", "00ff#1#2"] {
            assert!(!is_staged(name), "{name}");
        }
    }
}
