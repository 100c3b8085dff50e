//! Reading a large file from its start, in runs of any length.

use std::{
    fs::File,
    io::{self, Read},
    sync::Arc,
};

use bytes::{Buf, Bytes};
use futures_util::{StreamExt, stream::BoxStream};
use object_store::{Error, GetResult, GetResultPayload};

use super::whole::{self, Failure};
use crate::{
    FormatError, StoreError, blocking,
    cas::{BlobKey, sealed_len},
};

/// A file being read.
pub(crate) struct Pull {
    path: String,
    len: u64,
    source: Source,
}

enum Source {
    /// Read where reading may block, and kept open: whoever removes it meanwhile takes nothing
    /// away from this reader.
    File(File),
    Stream {
        stream: BoxStream<'static, Result<Bytes, Error>>,
        /// What has come and was not asked for yet.
        rest: Bytes,
    },
}

impl Pull {
    pub(super) fn new(path: &str, result: GetResult) -> Self {
        let (path, len) = (path.to_owned(), result.meta.size);
        let source = match result.payload {
            GetResultPayload::File(file, _) => Source::File(file),
            GetResultPayload::Stream(stream) => Source::Stream {
                stream,
                rest: Bytes::new(),
            },
        };
        Self { path, len, source }
    }

    /// Bytes of the whole file.
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Reads `len` bytes, or fewer at the end, in front of `spare` bytes of room, and lets `then`
    /// work on them where it may take its time.
    pub(crate) async fn read<T: Send + 'static>(
        mut self,
        len: usize,
        then: impl FnOnce(Vec<u8>) -> T + Send + 'static,
    ) -> Result<(Self, T), StoreError> {
        match self.source {
            Source::File(mut file) => {
                let path = self.path.clone();
                let (file, value) = blocking(move || {
                    let mut run = vec![0; len];
                    match read_full(&mut file, &mut run) {
                        Ok(read) => run.truncate(read),
                        Err(source) => {
                            return Err(StoreError::Io {
                                operation: "reading",
                                place: path,
                                source,
                            });
                        }
                    }
                    Ok((file, then(run)))
                })
                .await?;
                self.source = Source::File(file);
                Ok((self, value))
            }
            Source::Stream {
                ref mut stream,
                ref mut rest,
            } => {
                let mut run = Vec::with_capacity(len);
                while run.len() < len {
                    if rest.is_empty() {
                        match stream.next().await {
                            Some(Ok(bytes)) => *rest = bytes,
                            Some(Err(source)) => {
                                return Err(StoreError::backend("reading", &self.path, source));
                            }
                            None => break,
                        }
                    }
                    let now = rest.len().min(len - run.len());
                    run.extend_from_slice(&rest[..now]);
                    rest.advance(now);
                }
                let value = blocking(move || Ok(then(run))).await?;
                Ok((self, value))
            }
        }
    }
}

impl Pull {
    /// Reads an object of `size` bytes, opening every chunk where it lies in the end.
    pub(crate) async fn read_object(
        self,
        size: u64,
        key: Arc<BlobKey>,
        damaged: impl FnOnce(FormatError) -> StoreError + Send + 'static,
    ) -> Result<Vec<u8>, StoreError> {
        let too_large = || StoreError::Io {
            operation: "reading into memory",
            place: self.path.clone(),
            source: io::ErrorKind::OutOfMemory.into(),
        };
        let plain = usize::try_from(size).map_err(|_| too_large())?;
        let len = usize::try_from(sealed_len(size)).map_err(|_| too_large())?;
        match self.source {
            Source::File(file) => {
                let path = self.path;
                blocking(move || {
                    whole::read(&file, &key, plain).map_err(|failure| match failure {
                        Failure::Io(source) => StoreError::Io {
                            operation: "reading",
                            place: path,
                            source,
                        },
                        Failure::Format(cause) => damaged(cause),
                    })
                })
                .await
            }
            Source::Stream { .. } => {
                let (_, object) = self
                    .read(len, move |mut run| {
                        key.open_run(0, size, &mut run).map(|()| run)
                    })
                    .await?;
                object.map_err(damaged)
            }
        }
    }
}

/// Fills `buffer` as far as the file goes.
fn read_full(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
