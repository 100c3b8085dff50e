//! Putting an object piece by piece (`docs/spec/stt-store.md`, section 7).
//!
//! Full parts of plaintext go to two tasks: one hashes, the other seals and uploads. Hashing is the
//! slower by far, so the upload may run ahead of it by what the channel to it holds.

use core::{fmt, sync::atomic::Ordering, time::Duration};
use std::{collections::VecDeque, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream::FuturesUnordered};
use object_store::{MultipartUpload, PutPayload};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinHandle,
};

use super::{
    address::Hasher,
    blob::{BlobKey, BlobRef, CHUNK, sealed_len},
    manifest::{Body, INLINE_MAX, Manifest},
    storage::{Inner, Stored},
};
use crate::{Address, StoreError, blocking, environment::random};

/// Plaintext that may wait for the hash, in bytes.
const HASH_BACKLOG: usize = 16 << 20;
/// Parts that may wait to be sealed.
const SEAL_BACKLOG: usize = 1;
/// Parts that may be on their way to the backend at once.
const UPLOADS: usize = 2;
/// Pieces under this many bytes are copied together.
const SMALL_PIECE: usize = 16 << 10;

/// Puts an object. What was written counts when [`Self::finish`] returns; a writer that is dropped
/// stores nothing.
pub struct ObjectWriter {
    inner: Arc<Inner>,
    /// What has come and is not in a part yet.
    pending: VecDeque<Bytes>,
    /// Small pieces, copied together; they come after `pending`.
    tail: BytesMut,
    pending_len: usize,
    size: u64,
    /// There when the object is more than its first part.
    pipeline: Option<Pipeline>,
}

impl ObjectWriter {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            pending: VecDeque::new(),
            tail: BytesMut::new(),
            pending_len: 0,
            size: 0,
            pipeline: None,
        }
    }

    /// Adds bytes. Waits while as many as may be in memory are.
    ///
    /// # Errors
    ///
    /// A limit of the store, or the backend. The writer is of no use after that.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        let limit = self.inner.options.get_max_object();
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > limit {
            return Err(StoreError::TooLarge { limit });
        }
        self.pending_len += bytes.len();
        if bytes.len() < SMALL_PIECE {
            self.tail.extend_from_slice(&bytes);
        } else {
            self.flush_tail();
            self.pending.push_back(bytes);
        }
        let part_len = self.inner.backend.part_chunks() as usize * CHUNK;
        // One byte has to stay: the last part is sealed as such.
        while self.pending_len > part_len {
            let part = self.take(part_len);
            self.send(part, false).await?;
        }
        Ok(())
    }

    /// Seals what is left, waits until all is durable, and commits the object.
    ///
    /// # Errors
    ///
    /// A limit of the store, or the backend; nothing was stored.
    pub async fn finish(mut self) -> Result<Stored, StoreError> {
        if self.size <= INLINE_MAX as u64 {
            return self.finish_inline().await;
        }
        let rest = self.take(self.pending_len);
        self.send(rest, true).await?;
        let Some(pipeline) = self.pipeline.take() else {
            return Err(StoreError::Stopped);
        };
        let uploaded = pipeline.end().await?;
        let manifest = Manifest {
            address: uploaded.address,
            size: self.size,
            body: Body::Blob(uploaded.blob),
        };
        let committed = self.inner.commit(&manifest, uploaded.ready).await;
        match &committed {
            Ok(true) => {
                let len = sealed_len(self.size);
                self.inner.used.fetch_add(len, Ordering::Relaxed);
            }
            // The older one stays. If this one can't be deleted now, it is an orphan.
            Ok(false) => {
                self.inner.backend.delete(&uploaded.blob.path()).await.ok();
            }
            Err(error) => self.inner.take_back(&manifest, error).await,
        }
        Ok(Stored {
            address: uploaded.address,
            size: self.size,
            new: committed?,
        })
    }

    async fn finish_inline(mut self) -> Result<Stored, StoreError> {
        let part = self.take(self.pending_len);
        let bytes: Vec<u8> = part
            .iter()
            .flat_map(|piece| piece.iter().copied())
            .collect();
        self.inner.reserve(bytes.len() as u64)?;
        let manifest = Manifest {
            address: Address::of(&bytes),
            size: self.size,
            body: Body::Inline(bytes),
        };
        let new = self.inner.commit(&manifest, Duration::ZERO).await?;
        Ok(Stored {
            address: manifest.address,
            size: self.size,
            new,
        })
    }

    /// Bytes written so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    async fn send(&mut self, part: Part, last: bool) -> Result<(), StoreError> {
        self.inner.reserve(part_len(&part) as u64)?;
        let pipeline = match &mut self.pipeline {
            Some(pipeline) => pipeline,
            none => none.insert(Pipeline::start(&self.inner).await?),
        };
        if pipeline.send(part, last).await.is_ok() {
            return Ok(());
        }
        // A task has ended before its time: its error is the answer.
        match self.pipeline.take() {
            Some(pipeline) => pipeline.end().await.and(Err(StoreError::Stopped)),
            None => Err(StoreError::Stopped),
        }
    }

    /// Takes the first `len` bytes of what is pending.
    fn take(&mut self, len: usize) -> Part {
        self.flush_tail();
        let mut part = Part::new();
        let mut left = len;
        while left > 0 {
            let Some(first) = self.pending.front_mut() else {
                break;
            };
            if first.len() > left {
                part.push(first.split_to(left));
                left = 0;
            } else {
                left -= first.len();
                part.extend(self.pending.pop_front());
            }
        }
        self.pending_len -= len - left;
        part
    }

    fn flush_tail(&mut self) {
        if !self.tail.is_empty() {
            self.pending.push_back(self.tail.split().freeze());
        }
    }
}

impl fmt::Debug for ObjectWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is being stored is left out.
        f.debug_struct("ObjectWriter")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Plaintext in pieces.
type Part = Vec<Bytes>;

fn part_len(part: &Part) -> usize {
    part.iter().map(Bytes::len).sum()
}

/// The two tasks behind a writer. They end by themselves when it goes.
struct Pipeline {
    to_hash: Sender<Part>,
    to_seal: Sender<(Part, bool)>,
    hashing: JoinHandle<Result<Address, StoreError>>,
    uploading: JoinHandle<Result<Duration, StoreError>>,
    blob: BlobRef,
}

struct Uploaded {
    address: Address,
    blob: BlobRef,
    ready: Duration,
}

impl Pipeline {
    async fn start(inner: &Arc<Inner>) -> Result<Self, StoreError> {
        let blob = BlobRef {
            salt: random(&*inner.environment)?,
            id: random(&*inner.environment)?,
        };
        let started = inner.environment.now();
        let upload = inner.backend.upload(&blob.path()).await?;
        let part = inner.backend.part_chunks() as usize * CHUNK;
        let (to_hash, parts) = channel((HASH_BACKLOG / part).max(1));
        let hashing = tokio::spawn(hash(parts));
        let (to_seal, parts) = channel(SEAL_BACKLOG);
        let uploading = tokio::spawn(upload_parts(
            Arc::clone(inner),
            blob,
            upload,
            started,
            parts,
        ));
        Ok(Self {
            to_hash,
            to_seal,
            hashing,
            uploading,
            blob,
        })
    }

    async fn send(&self, part: Part, last: bool) -> Result<(), ()> {
        self.to_hash.send(part.clone()).await.map_err(drop)?;
        self.to_seal.send((part, last)).await.map_err(drop)
    }

    async fn end(self) -> Result<Uploaded, StoreError> {
        drop((self.to_hash, self.to_seal));
        let (uploaded, hashed) = (joined(self.uploading).await, joined(self.hashing).await);
        Ok(Uploaded {
            ready: uploaded?,
            address: hashed?,
            blob: self.blob,
        })
    }
}

async fn joined<T>(task: JoinHandle<Result<T, StoreError>>) -> Result<T, StoreError> {
    match task.await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(StoreError::Stopped),
        },
    }
}

async fn hash(mut parts: Receiver<Part>) -> Result<Address, StoreError> {
    let mut hasher = Hasher::new();
    while let Some(part) = parts.recv().await {
        hasher = blocking(move || {
            for piece in &part {
                hasher.update(piece);
            }
            Ok(hasher)
        })
        .await?;
    }
    Ok(hasher.finish())
}

/// Seals and uploads; gives the time from which the blob's age counts. Without a last part the
/// upload is taken back.
async fn upload_parts(
    inner: Arc<Inner>,
    blob: BlobRef,
    mut upload: Box<dyn MultipartUpload>,
    started: Duration,
    mut parts: Receiver<(Part, bool)>,
) -> Result<Duration, StoreError> {
    let path = blob.path();
    let failed = |source| StoreError::backend("writing", &path, source);
    let key = Arc::new(blob.sealer(&inner.key));
    let mut uploads = FuturesUnordered::new();
    let mut next_chunk = 0;
    let result = loop {
        let Some((part, last)) = parts.recv().await else {
            break None;
        };
        let ready = inner.environment.now();
        let len = part_len(&part);
        let sealed = match seal(&key, next_chunk, last, part, len).await {
            Ok(sealed) => sealed,
            Err(error) => break Some(Err(error)),
        };
        next_chunk += len.div_ceil(CHUNK) as u64;
        if uploads.len() >= UPLOADS
            && let Some(Err(error)) = uploads.next().await
        {
            break Some(Err(failed(error)));
        }
        uploads.push(upload.put_part(PutPayload::from(Bytes::from(sealed))));
        if last {
            break Some(Ok(ready));
        }
    };
    let result = match result {
        Some(Ok(ready)) => loop {
            match uploads.next().await {
                Some(Ok(())) => {}
                Some(Err(error)) => break Err(failed(error)),
                None => {
                    break upload.complete().await.map(|_| ready).map_err(failed);
                }
            }
        },
        Some(Err(error)) => Err(error),
        None => Err(StoreError::Stopped),
    };
    drop(uploads);
    if result.is_err() {
        // The first error is the one to tell; what stays behind is collected.
        upload.abort().await.ok();
    }
    result.map(|ready| {
        if inner.backend.is_service() {
            started
        } else {
            ready
        }
    })
}

async fn seal(
    key: &Arc<BlobKey>,
    first: u64,
    last: bool,
    part: Part,
    len: usize,
) -> Result<Vec<u8>, StoreError> {
    let key = Arc::clone(key);
    blocking(move || Ok(key.seal(first, last, part.iter().map(|piece| &piece[..]), len))).await
}
