//! One output stream: a buffer in front of a file, of memory or of any writer.

use std::{
    fs::File,
    io::{self, Seek as _, SeekFrom, Write},
    path::PathBuf,
};

use super::error::OutputError;

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 64 * 1024;

/// Where the bytes of one output go.
pub(super) struct Sink {
    /// For messages.
    path: PathBuf,
    buffer: Vec<u8>,
    target: Target,
    /// After a failure nothing more is tried, since part of the buffer may have been written, and
    /// every later attempt fails alike.
    failed: Option<io::ErrorKind>,
}

enum Target {
    File(File),
    /// The buffer is the output.
    Memory,
    #[cfg(test)]
    Writer(Box<dyn Write + Send>),
}

impl Sink {
    /// Creates or empties the file.
    pub(super) fn create(path: PathBuf) -> Result<Self, OutputError> {
        match File::create(&path) {
            Ok(file) => Ok(Self::new(path, Target::File(file))),
            Err(cause) => Err(OutputError::Create { path, cause }),
        }
    }

    /// Keeps everything.
    pub(super) fn memory(name: &str) -> Self {
        Self::new(PathBuf::from(name), Target::Memory)
    }

    #[cfg(test)]
    pub(super) fn writer(name: &str, writer: impl Write + Send + 'static) -> Self {
        Self::new(PathBuf::from(name), Target::Writer(Box::new(writer)))
    }

    fn new(path: PathBuf, target: Target) -> Self {
        // A record that crosses the limit stays whole, so leave room for one of ordinary size.
        let capacity = match target {
            Target::Memory => 0,
            _ => BUFFER_BYTES + 4096,
        };
        Self {
            path,
            buffer: Vec::with_capacity(capacity),
            target,
            failed: None,
        }
    }

    /// Where whole lines and records are appended; [`commit`](Self::commit) follows.
    pub(super) const fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Writes the buffer out once it is full.
    pub(super) fn commit(&mut self) -> Result<(), OutputError> {
        if self.buffer.len() < BUFFER_BYTES {
            return Ok(());
        }
        self.flush()
    }

    /// Writes the buffer out.
    pub(super) fn flush(&mut self) -> Result<(), OutputError> {
        let writer: &mut dyn Write = match &mut self.target {
            Target::Memory => return Ok(()),
            Target::File(file) => file,
            #[cfg(test)]
            Target::Writer(writer) => writer,
        };
        let result = match self.failed {
            None => writer.write_all(&self.buffer).and_then(|()| writer.flush()),
            Some(kind) => Err(kind.into()),
        };
        self.buffer.clear();
        result.map_err(|cause| {
            self.failed = Some(cause.kind());
            OutputError::Write {
                path: self.path.clone(),
                cause,
            }
        })
    }

    /// Overwrites bytes that were written before, such as a size in a header.
    pub(super) fn patch(&mut self, offset: usize, bytes: &[u8]) -> Result<(), OutputError> {
        self.flush()?;
        let result = match &mut self.target {
            Target::Memory => {
                if let Some(place) = self.buffer.get_mut(offset..offset + bytes.len()) {
                    place.copy_from_slice(bytes);
                }
                Ok(())
            }
            Target::File(file) => file
                .seek(SeekFrom::Start(offset as u64))
                .and_then(|_| file.write_all(bytes))
                .and_then(|()| file.seek(SeekFrom::End(0)))
                .map(|_| ()),
            #[cfg(test)]
            Target::Writer(_) => Ok(()),
        };
        result.map_err(|cause| OutputError::Write {
            path: self.path.clone(),
            cause,
        })
    }

    /// Takes everything that was written out of a sink in memory; empty otherwise.
    pub(super) fn take_memory(&mut self) -> Vec<u8> {
        match self.target {
            Target::Memory => std::mem::take(&mut self.buffer),
            _ => Vec::new(),
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // Best effort: a run that was abandoned has nobody left to tell.
        drop(self.flush());
    }
}
