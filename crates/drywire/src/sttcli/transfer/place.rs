//! Where a received file goes: checked names, the part, the final name
//! (`docs/spec/stt-commands.md` 4.3, 4.5).

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA3_256};

use super::{
    CHUNK, HASH_LEN,
    files::MAX_DEPTH,
    message::Offer,
    names::{self, PART, STATE},
};

/// Most integers of a stamp.
const MAX_STAMP: usize = 4;

/// Why a file is not received.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlaceError {
    /// Told to the sender.
    #[error("{0}")]
    Refused(String),
    #[error("{}: {cause}", path.display())]
    File { path: PathBuf, cause: io::Error },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> PlaceError {
    move |cause| PlaceError::File {
        path: path.to_owned(),
        cause,
    }
}

/// A file that is being received.
pub(super) struct Place {
    target: PathBuf,
    part: PathBuf,
    state: PathBuf,
    size: u64,
}

/// The part, open behind what is there, and the hash of that.
pub(super) struct Part {
    file: File,
    hash: Context,
    pub(super) len: u64,
}

/// What a place is ready for.
pub(super) enum Ready {
    /// Bytes from `Part::len` on.
    Part(Part),
    /// Nothing: the file is there, of this size and with this stamp.
    There,
}

impl Place {
    /// The place of an offered file below `root`. Makes the folders on the way.
    pub(super) fn new(root: &Path, offer: &Offer) -> Result<Self, PlaceError> {
        let refuse = |why: &str| Err(PlaceError::Refused(why.to_owned()));
        if offer.path.is_empty() || offer.path.len() > MAX_DEPTH {
            return refuse("a path has 1 to 64 names");
        }
        if offer.stamp.len() > MAX_STAMP {
            return refuse("a stamp has at most 4 integers");
        }
        for name in &offer.path {
            names::check(name).map_err(PlaceError::Refused)?;
        }
        let mut folder = root.to_owned();
        let (name, folders) = offer.path.split_last().unwrap_or((&offer.path[0], &[]));
        for name in folders {
            folder.push(name);
            match fs::create_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made.map_err(at(&folder))?,
            }
            // A link could lead anywhere.
            let metadata = fs::symlink_metadata(&folder).map_err(at(&folder))?;
            if !metadata.is_dir() {
                return Err(PlaceError::Refused(format!("{name:?} is no folder here")));
            }
        }
        let stem = names::stem(name);
        let place = Self {
            target: folder.join(name),
            part: folder.join(format!("{stem}{PART}")),
            state: folder.join(format!("{stem}{STATE}")),
            size: offer.size,
        };
        for path in [&place.part, &place.state] {
            match fs::symlink_metadata(path) {
                Ok(metadata) if !metadata.is_file() => {
                    return Err(PlaceError::Refused(format!(
                        "{name:?}.part is no file here"
                    )));
                }
                _ => {}
            }
        }
        Ok(place)
    }

    /// Opens the part, the one of this very state of the file or a new one. A file that is there under the
    /// name is left alone, unless `overwrite`, or it is the same.
    pub(super) fn open(&self, offer: &Offer, overwrite: bool) -> Result<Ready, PlaceError> {
        let state = state_of(offer);
        match fs::symlink_metadata(&self.target) {
            Ok(metadata) if !metadata.is_file() => {
                return Err(PlaceError::Refused(
                    "its name is taken by something else".to_owned(),
                ));
            }
            Ok(metadata) => {
                // A stamp was kept if the file was received whole.
                let is_same = metadata.len() == offer.size && modified(&metadata) == offer.stamp;
                if is_same {
                    return Ok(Ready::There);
                }
                if !overwrite {
                    return Err(PlaceError::Refused(
                        "another file of this name is there: remove it, or receive with --overwrite"
                            .to_owned(),
                    ));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(at(&self.target)(error)),
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&self.part).map_err(at(&self.part))?;
        if !self.is_own(&file).map_err(at(&self.part))? {
            return Err(PlaceError::Refused(
                "it is being received already, by another process".to_owned(),
            ));
        }
        if fs::read(&self.state).is_ok_and(|known| known == state) {
            // What is there is gone on from.
        } else {
            file.set_len(0).map_err(at(&self.part))?;
            fs::write(&self.state, &state).map_err(at(&self.state))?;
        }
        let mut hash = Context::new(&SHA3_256);
        let len = read_into(&mut file, &mut hash, offer.size).map_err(at(&self.part))?;
        file.set_len(len).map_err(at(&self.part))?;
        file.seek(SeekFrom::Start(len)).map_err(at(&self.part))?;
        Ok(Ready::Part(Part { file, hash, len }))
    }

    /// Takes the part for this process, until the file is closed; says whether it could be had.
    fn is_own(&self, part: &File) -> io::Result<bool> {
        match part.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(false),
            // Where the file system has no locks, two processes are not told from each other.
            Err(TryLockError::Error(_)) => Ok(true),
            // It may have taken the file's name since it was opened.
            Ok(()) => is_at(part, &self.part),
        }
    }

    /// Appends bytes to the part.
    pub(super) fn append(&self, part: &mut Part, bytes: &[u8]) -> Result<(), PlaceError> {
        part.file.write_all(bytes).map_err(at(&self.part))?;
        part.hash.update(bytes);
        part.len += bytes.len() as u64;
        Ok(())
    }

    /// Gives the whole part its name, if the hash is right, durably; else removes it. Says which.
    pub(super) fn commit(
        &self,
        part: Part,
        offer: &Offer,
        expected: &[u8; HASH_LEN],
        overwrite: bool,
    ) -> Result<bool, PlaceError> {
        let Part { file, hash, len } = part;
        if len != self.size || hash.finish().as_ref() != expected {
            // The lock is kept until both have gone.
            for path in [&self.part, &self.state] {
                fs::remove_file(path).map_err(at(path))?;
            }
            return Ok(false);
        }
        if let Some(time) = time_of(&offer.stamp) {
            // Where the file system has no such time, the file is received again when it is sent again.
            let _ = file.set_modified(time);
        }
        file.sync_all().map_err(at(&self.part))?;
        self.publish(overwrite)?;
        sync_folder(&self.target).map_err(at(&self.target))?;
        // Left behind by a crash, it belongs to no part and does no harm.
        let _ = fs::remove_file(&self.state);
        Ok(true)
    }

    /// Gives the part its name. What has taken that since it was opened is left alone, unless `overwrite`: the part stays.
    fn publish(&self, overwrite: bool) -> Result<(), PlaceError> {
        if !overwrite {
            match fs::hard_link(&self.part, &self.target) {
                Ok(()) => return fs::remove_file(&self.part).map_err(at(&self.part)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(PlaceError::Refused(
                        "another file has taken its name meanwhile: remove it, or receive with --overwrite"
                            .to_owned(),
                    ));
                }
                // A file system without links: the name was free when the part was opened.
                Err(_) => {}
            }
        }
        fs::rename(&self.part, &self.target).map_err(at(&self.target))
    }
}

#[cfg(unix)]
fn sync_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (opened, named) = (file.metadata()?, fs::symlink_metadata(path));
    Ok(named.is_ok_and(|named| (named.dev(), named.ino()) == (opened.dev(), opened.ino())))
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

fn state_of(offer: &Offer) -> Vec<u8> {
    let stamp: Vec<_> = offer.stamp.iter().map(u64::to_string).collect();
    format!(
        "stt-part 1\nsize {}\nstamp {}\n",
        offer.size,
        stamp.join(" ")
    )
    .into_bytes()
}

fn modified(metadata: &fs::Metadata) -> Vec<u64> {
    let since = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .unwrap_or_default();
    vec![since.as_secs(), u64::from(since.subsec_nanos())]
}

fn time_of(stamp: &[u64]) -> Option<std::time::SystemTime> {
    let [seconds, nanos] = *stamp else {
        return None;
    };
    let nanos = u32::try_from(nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    std::time::UNIX_EPOCH.checked_add(std::time::Duration::new(seconds, nanos))
}

/// Hashes at most `limit` bytes from the start of a file; how many there were.
pub(super) fn read_into(file: &mut File, hash: &mut Context, limit: u64) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK];
    let mut len = 0;
    loop {
        let want = chunk
            .len()
            .min(usize::try_from(limit - len).unwrap_or(usize::MAX));
        let read = file.read(&mut chunk[..want])?;
        if read == 0 {
            return Ok(len);
        }
        hash.update(&chunk[..read]);
        len += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(path: &[&str], size: u64) -> Offer {
        Offer {
            v: 1,
            path: path.iter().map(|&name| name.into()).collect(),
            size,
            stamp: vec![1_000_000_000, 5],
        }
    }

    fn sha3(bytes: &[u8]) -> [u8; HASH_LEN] {
        let hash = aws_lc_rs::digest::digest(&SHA3_256, bytes);
        hash.as_ref().try_into().unwrap()
    }

    fn part(place: &Place, offer: &Offer) -> Part {
        match place.open(offer, false).unwrap() {
            Ready::Part(part) => part,
            Ready::There => panic!("nothing is there yet"),
        }
    }

    #[test]
    fn a_part_goes_on_where_it_stopped_and_ends_as_the_file() {
        let root = tempfile::tempdir().unwrap();
        let offer = offer(&["d", "a"], 6);
        let place = Place::new(root.path(), &offer).unwrap();
        let mut first = part(&place, &offer);
        place.append(&mut first, b"abc").unwrap();
        drop(first);

        let mut second = part(&place, &offer);
        assert_eq!(second.len, 3);
        place.append(&mut second, b"def").unwrap();
        assert!(
            place
                .commit(second, &offer, &sha3(b"abcdef"), false)
                .unwrap()
        );
        assert_eq!(fs::read(root.path().join("d/a")).unwrap(), b"abcdef");
        assert_eq!(fs::read_dir(root.path().join("d")).unwrap().count(), 1);
        // The same file again is there already.
        assert!(matches!(place.open(&offer, false).unwrap(), Ready::There));
    }

    #[test]
    fn two_processes_do_not_write_one_part() {
        let root = tempfile::tempdir().unwrap();
        let (one, mut other) = (offer(&["a"], 3), offer(&["a"], 3));
        other.stamp = vec![2, 0];
        let place = Place::new(root.path(), &one).unwrap();
        let mut open = part(&place, &one);
        place.append(&mut open, b"abc").unwrap();
        // Locks of one file by two openings are as those of two processes.
        let refused = place.open(&other, true);
        assert!(matches!(refused, Err(PlaceError::Refused(_))));
        assert!(place.commit(open, &one, &sha3(b"abc"), false).unwrap());
        assert_eq!(fs::read(root.path().join("a")).unwrap(), b"abc");
        assert!(matches!(place.open(&other, true), Ok(Ready::Part(_))));
    }

    #[test]
    fn the_longest_names_have_parts_too() {
        let root = tempfile::tempdir().unwrap();
        for name in ["n".repeat(255), "n".repeat(247)] {
            let offer = offer(&[&name], 3);
            let place = Place::new(root.path(), &offer).unwrap();
            let mut open = part(&place, &offer);
            place.append(&mut open, b"abc").unwrap();
            assert!(place.commit(open, &offer, &sha3(b"abc"), false).unwrap());
            assert_eq!(fs::read(root.path().join(&name)).unwrap(), b"abc");
        }
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
    }

    #[test]
    fn another_state_of_the_file_starts_anew() {
        let root = tempfile::tempdir().unwrap();
        let (old, mut new) = (offer(&["a"], 6), offer(&["a"], 6));
        new.stamp = vec![2, 0];
        let place = Place::new(root.path(), &old).unwrap();
        let mut first = part(&place, &old);
        place.append(&mut first, b"abc").unwrap();
        drop(first);
        assert_eq!(part(&place, &new).len, 0);
    }

    #[test]
    fn a_wrong_hash_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let offer = offer(&["a"], 3);
        let place = Place::new(root.path(), &offer).unwrap();
        let mut open = part(&place, &offer);
        place.append(&mut open, b"abc").unwrap();
        assert!(!place.commit(open, &offer, &sha3(b"abd"), false).unwrap());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        for name in &names::tests::refused() {
            for path in [&[&**name][..], &[name, "b"], &["b", name]] {
                let refused = Place::new(root.path(), &offer(path, 1));
                assert!(matches!(refused, Err(PlaceError::Refused(_))), "{path:?}");
            }
        }
        assert!(Place::new(root.path(), &offer(&[], 1)).is_err());
        assert!(Place::new(root.path(), &offer(&["a"; 65], 1)).is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outside.path(), root.path().join("link")).unwrap();
            let refused = Place::new(root.path(), &offer(&["link", "a"], 1));
            assert!(matches!(refused, Err(PlaceError::Refused(_))));
            std::os::unix::fs::symlink(outside.path().join("x"), root.path().join("f.part"))
                .unwrap();
            let refused = Place::new(root.path(), &offer(&["f"], 1));
            assert!(matches!(refused, Err(PlaceError::Refused(_))));
        }
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_takes_the_name_meanwhile_is_kept_unless_told_otherwise() {
        let root = tempfile::tempdir().unwrap();
        let offer = offer(&["a"], 3);
        let place = Place::new(root.path(), &offer).unwrap();
        let target = root.path().join("a");
        let mut open = part(&place, &offer);
        place.append(&mut open, b"abc").unwrap();
        fs::write(&target, "mine").unwrap();
        let refused = place.commit(open, &offer, &sha3(b"abc"), false);
        assert!(matches!(refused, Err(PlaceError::Refused(_))));
        assert_eq!(fs::read(&target).unwrap(), b"mine");
        // What has come is not lost.
        let Ready::Part(open) = place.open(&offer, true).unwrap() else {
            panic!("another file");
        };
        assert_eq!(open.len, 3);
        assert!(place.commit(open, &offer, &sha3(b"abc"), true).unwrap());
        assert_eq!(fs::read(&target).unwrap(), b"abc");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn another_file_of_the_name_is_kept_unless_told_otherwise() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "mine").unwrap();
        let offer = offer(&["a"], 3);
        let place = Place::new(root.path(), &offer).unwrap();
        assert!(matches!(
            place.open(&offer, false),
            Err(PlaceError::Refused(_))
        ));
        assert!(matches!(place.open(&offer, true), Ok(Ready::Part(_))));
        assert_eq!(fs::read(root.path().join("a")).unwrap(), b"mine");
    }
}
