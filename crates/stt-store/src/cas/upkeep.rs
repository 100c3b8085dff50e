//! Listing, counting and collecting (`docs/spec/stt-store.md`, sections 9 and 10).

use core::{sync::atomic::Ordering, time::Duration};
use std::{collections::BTreeSet, sync::Arc};

use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use super::{
    manifest::{Body, Manifest},
    storage::{BLOBS, BinaryStorage, INDEX, Inner},
};
use crate::{Address, FormatError, StoreError, hex};

/// Manifests that are read at once.
const READS: usize = 8;

/// An object of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its address.
    pub address: Address,
    /// Its bytes.
    pub size: u64,
}

/// How much is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StorageStats {
    /// Objects.
    pub objects: u64,
    /// Of them, those with a file of their own beside the manifest; and blobs that nothing refers
    /// to (any more, or yet).
    pub blobs: u64,
    /// Bytes of all files of the store, sealed as they are.
    pub bytes: u64,
}

/// What a collection deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Collected {
    /// Blobs that no manifest named.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files of uploads that never ended.
    pub staged: u64,
}

impl BinaryStorage {
    /// Every object, in an order that says nothing about them. An object whose manifest is damaged
    /// is an error in its place; the list goes on after it.
    pub fn list(&self) -> impl Stream<Item = Result<Entry, StoreError>> + Send + 'static {
        let inner = Arc::clone(&self.0);
        stream::once(async move {
            let names = inner.names().await?;
            Ok::<_, StoreError>(inner.manifests(names))
        })
        .try_flatten()
        .map_ok(|manifest| Entry {
            address: manifest.address,
            size: manifest.size,
        })
    }

    /// Counts what is stored, without opening it.
    ///
    /// # Errors
    ///
    /// The backend fails.
    pub async fn stats(&self) -> Result<StorageStats, StoreError> {
        let mut stats = StorageStats::default();
        let mut files = self.0.backend.list(INDEX);
        while let Some((name, meta)) = files.try_next().await? {
            if hex::decode_name::<32>(&name).is_some() {
                stats.objects += 1;
                stats.bytes += meta.size;
            }
        }
        let mut files = self.0.backend.list(BLOBS);
        while let Some((name, meta)) = files.try_next().await? {
            if hex::decode_name::<16>(&name).is_some() {
                stats.blobs += 1;
                stats.bytes += meta.size;
            }
        }
        self.0.used.store(stats.bytes, Ordering::Relaxed);
        Ok(stats)
    }

    /// Deletes what puts that never ended have left, if it is older than the grace period.
    ///
    /// # Errors
    ///
    /// A manifest is damaged, so that what it refers to isn't known: no blob was deleted. Or the
    /// backend fails.
    pub async fn collect(&self) -> Result<Collected, StoreError> {
        let inner = &self.0;
        let now = inner.environment.now();
        let before = now.saturating_sub(inner.options.get_grace());
        let mut collected = Collected {
            staged: inner.backend.delete_staged(before).await?,
            ..Collected::default()
        };

        // First the blobs, then what refers to them: a put in between is younger than the grace.
        let mut old = Vec::new();
        let mut files = inner.backend.list(BLOBS);
        while let Some((name, meta)) = files.try_next().await? {
            let changed = u64::try_from(meta.last_modified.timestamp_millis()).unwrap_or(0);
            if let Some(id) = hex::decode_name::<16>(&name)
                && Duration::from_millis(changed) < before
            {
                old.push((id, meta.size));
            }
        }
        if old.is_empty() {
            return Ok(collected);
        }
        let mut named = BTreeSet::new();
        let mut manifests = inner.manifests(inner.names().await?).boxed();
        while let Some(manifest) = manifests.try_next().await? {
            if let Body::Blob(blob) = manifest.body {
                named.insert(blob.id);
            }
        }
        for (id, size) in old {
            let path = format!("{BLOBS}/{}", hex::encode(&id));
            if !named.contains(&id) && inner.backend.delete(&path).await? {
                collected.blobs += 1;
                collected.bytes += size;
            }
        }
        Ok(collected)
    }
}

impl Inner {
    /// The names of all manifests, sorted.
    async fn names(&self) -> Result<Vec<[u8; 32]>, StoreError> {
        let mut names = Vec::new();
        let mut files = self.backend.list(INDEX);
        while let Some((name, _)) = files.try_next().await? {
            names.extend(hex::decode_name(&name));
        }
        names.sort_unstable();
        Ok(names)
    }

    fn manifests(
        self: &Arc<Self>,
        names: Vec<[u8; 32]>,
    ) -> impl Stream<Item = Result<Manifest, StoreError>> + Send + use<> {
        let inner = Arc::clone(self);
        stream::iter(names)
            .map(move |name| {
                let inner = Arc::clone(&inner);
                async move {
                    match inner.manifest_named(&name).await {
                        Ok(Some(Ok(manifest))) => Some(Ok(manifest)),
                        Ok(Some(Err(cause))) => Some(Err(damaged(&name, cause))),
                        // Removed since it was listed.
                        Ok(None) => None,
                        Err(error) => Some(Err(error)),
                    }
                }
            })
            .buffered(READS)
            .filter_map(|manifest| async { manifest })
    }
}

fn damaged(name: &[u8; 32], cause: FormatError) -> StoreError {
    StoreError::Damaged {
        object: "an object".to_owned(),
        place: format!("{INDEX}/{}", hex::encode(name)),
        cause,
    }
}
