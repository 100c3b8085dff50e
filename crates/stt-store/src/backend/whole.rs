//! Reading a whole object from a file, by several threads if it is large
//! (`docs/spec/stt-store.md`, section 8).

use std::{
    fs::File,
    io,
    num::NonZero,
    sync::OnceLock,
    thread::{self, available_parallelism},
};

use crate::{
    FormatError,
    cas::{BlobKey, CHUNK, SEALED_CHUNK, sealed_len},
};

/// Chunks that are worth a thread of their own: 4 MiB.
const SHARE: usize = 64;
/// Threads at most: from here on memory is what limits.
const THREADS: usize = 4;

/// Why an object couldn't be read.
#[derive(Debug)]
pub(super) enum Failure {
    Io(io::Error),
    Format(FormatError),
}

/// Reads an object of `size` bytes and opens every chunk where it lies in the end.
pub(super) fn read(file: &File, key: &BlobKey, size: usize) -> Result<Vec<u8>, Failure> {
    read_by(file, key, size, threads(size))
}

/// How many threads an object of `size` bytes gets.
fn threads(size: usize) -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    let worth = size.div_ceil(CHUNK) / SHARE;
    if worth < 2 {
        return 1;
    }
    let processors = PROCESSORS.get_or_init(|| available_parallelism().map_or(1, NonZero::get));
    worth.min(*processors).min(THREADS)
}

fn read_by(file: &File, key: &BlobKey, size: usize, threads: usize) -> Result<Vec<u8>, Failure> {
    let mut object = vec![0; size];
    let share = size.div_ceil(CHUNK).div_ceil(threads).max(1);
    let reader = Reader {
        file,
        key,
        size: size as u64,
    };
    thread::scope(|scope| {
        let mut shares = object.chunks_mut(share * CHUNK).enumerate();
        let own = shares.next();
        // The first thing that is wrong is the one to tell, whichever thread comes upon something first.
        let others: Vec<_> = shares
            .map(|(number, room)| {
                let first = number * share;
                scope.spawn(move || reader.open(first, room))
            })
            .collect();
        own.map_or(Ok(()), |(_, room)| reader.open(0, room))?;
        others.into_iter().try_for_each(|other| {
            let result = other.join();
            result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })?;
    Ok(object)
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    file: &'a File,
    key: &'a BlobKey,
    size: u64,
}

impl Reader<'_> {
    /// Reads the chunks from `first` on whose plaintext fills `room`.
    fn open(self, first: usize, room: &mut [u8]) -> Result<(), Failure> {
        let mut number = first as u64;
        let mut at = 0;
        while at < room.len() {
            let len = CHUNK.min(room.len() - at);
            let sealed = sealed_len(len as u64) as usize;
            // The tag lies where the next chunk comes to be; near the end there is no room for it.
            if let Some(chunk) = room.get_mut(at..at + sealed) {
                self.open_chunk(number, chunk)?;
            } else {
                let mut chunk = vec![0; sealed];
                self.open_chunk(number, &mut chunk)?;
                room[at..at + len].copy_from_slice(&chunk[..len]);
            }
            at += len;
            number += 1;
        }
        Ok(())
    }

    fn open_chunk(self, number: u64, chunk: &mut [u8]) -> Result<(), Failure> {
        let offset = number * SEALED_CHUNK as u64;
        let read = read_full_at(self.file, chunk, offset).map_err(Failure::Io)?;
        // One that is cut short does not open.
        let opened = self.key.open(number, self.size, &mut chunk[..read]);
        opened.map(drop).map_err(Failure::Format)
    }
}

/// Fills `buffer` from `offset` on, as far as the file goes.
fn read_full_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_at(file, &mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::cas::blob::tests::key;

    fn file(sealed: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(sealed).unwrap();
        file
    }

    fn sealed(object: &[u8]) -> Vec<u8> {
        key().seal(0, true, [object].into_iter(), object.len())
    }

    #[test]
    fn any_number_of_threads_reads_the_same() {
        for len in [1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK, 5 * CHUNK + 16] {
            let object: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let file = file(&sealed(&object));
            for threads in 1..8 {
                let read = read_by(&file, &key(), len, threads).unwrap();
                assert!(read == object, "{len} bytes by {threads} threads");
            }
        }
    }

    #[test]
    fn the_first_damaged_chunk_is_told() {
        let object = vec![7; 8 * CHUNK];
        let mut damaged = sealed(&object);
        for chunk in [2, 3, 6] {
            damaged[chunk * SEALED_CHUNK + 5] ^= 1;
        }
        let damaged = file(&damaged);
        let cut = file(&sealed(&object)[..2 * SEALED_CHUNK + 100]);
        for file in [damaged, cut] {
            for threads in 1..8 {
                let Err(Failure::Format(FormatError::Chunk { number, .. })) =
                    read_by(&file, &key(), object.len(), threads)
                else {
                    panic!("chunk 2 does not open");
                };
                assert_eq!(number, 2, "by {threads} threads");
            }
        }
    }

    #[test]
    fn a_thread_is_for_four_mebibytes() {
        assert_eq!(threads(0), 1);
        assert_eq!(
            threads(8 << 20) > 1,
            available_parallelism().unwrap().get() > 1
        );
        assert_eq!(threads((8 << 20) - CHUNK), 1);
        assert!(threads(usize::MAX) <= THREADS);
    }
}
