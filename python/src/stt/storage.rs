//! `BinaryStorage` (section 4.6).

use std::{path::PathBuf, sync::Arc};

use futures_util::TryStreamExt as _;
use pyo3::{
    IntoPyObjectExt as _,
    prelude::*,
    types::{PyBytes, PyDict, PyString},
};
use stt_store::{
    Address, Backend, BinaryStorage, ObjectReader, ObjectWriter, StorageOptions, StoreError,
};
use tokio::sync::{Mutex, OnceCell};

use super::{
    bridge::{Awaitable, ErrorToPython},
    crypto::StcWrapper,
    data::{Data, Given, Number},
    environment::System,
    errors::{self, raise},
};

impl ErrorToPython for StoreError {
    fn to_python(self, py: Python<'_>) -> PyErr {
        errors::store(py, &self)
    }
}

/// The compiled part of `BinaryStorage`. The folder is opened by the first call.
#[pyclass(frozen)]
pub(crate) struct SttStorage(Arc<Lazy>);

struct Lazy {
    stc: Arc<stt_crypto::Stc>,
    folder: PathBuf,
    options: StorageOptions,
    open: OnceCell<BinaryStorage>,
}

impl Lazy {
    async fn get(&self) -> Result<&BinaryStorage, StoreError> {
        let open = || async {
            let folder = self.folder.clone();
            let backend = tokio::task::spawn_blocking(move || Backend::folder(&folder))
                .await
                .map_err(|_| StoreError::Stopped)??;
            let (key, options) = (self.stc.seed().storage_key(), self.options.clone());
            BinaryStorage::open(backend, key, Arc::new(System), options).await
        };
        self.open.get_or_try_init(open).await
    }
}

#[pymethods]
impl SttStorage {
    #[new]
    #[pyo3(signature = (stc_wrapper, storage_dir, capacity))]
    fn new(
        py: Python<'_>,
        stc_wrapper: Given<Py<StcWrapper>>,
        storage_dir: PathBuf,
        capacity: Option<Given<Number>>,
    ) -> PyResult<Self> {
        let stc_wrapper = stc_wrapper.named(py, "stc_wrapper")?;
        let mut options = StorageOptions::default();
        if let Some(capacity) = capacity {
            let bytes = capacity.within(py, "STTStorageError", "capacity", 0, u64::MAX)?;
            options.capacity(Some(bytes));
        }
        Ok(Self(Arc::new(Lazy {
            stc: Arc::clone(stc_wrapper.get().stc()),
            folder: storage_dir,
            options,
            open: OnceCell::new(),
        })))
    }

    #[pyo3(signature = (data))]
    fn store(&self, py: Python<'_>, data: Given<Data>) -> PyResult<Awaitable> {
        let (storage, data) = (Arc::clone(&self.0), data.named(py, "data")?.into_bytes());
        Awaitable::spawned(
            py,
            async move { storage.get().await?.store(data).await },
            address,
        )
    }

    #[pyo3(signature = (hash_address))]
    fn retrieve(&self, py: Python<'_>, hash_address: Given<String>) -> PyResult<Awaitable> {
        let (storage, at) = (Arc::clone(&self.0), parse(py, hash_address)?);
        Awaitable::spawned(
            py,
            async move { storage.get().await?.retrieve(&at).await },
            |py, object| Ok(PyBytes::new(py, &object).into_any().unbind()),
        )
    }

    #[pyo3(signature = (hash_address))]
    fn exists(&self, py: Python<'_>, hash_address: Given<String>) -> PyResult<Awaitable> {
        let (storage, at) = (Arc::clone(&self.0), parse(py, hash_address)?);
        Awaitable::spawned(
            py,
            async move { storage.get().await?.exists(&at).await },
            plain,
        )
    }

    #[pyo3(signature = (hash_address))]
    fn verify(&self, py: Python<'_>, hash_address: Given<String>) -> PyResult<Awaitable> {
        let (storage, at) = (Arc::clone(&self.0), parse(py, hash_address)?);
        Awaitable::spawned(
            py,
            async move { storage.get().await?.verify(&at).await },
            plain,
        )
    }

    #[pyo3(signature = (hash_address))]
    fn remove(&self, py: Python<'_>, hash_address: Given<String>) -> PyResult<Awaitable> {
        let (storage, at) = (Arc::clone(&self.0), parse(py, hash_address)?);
        Awaitable::spawned(
            py,
            async move { storage.get().await?.remove(&at).await },
            plain,
        )
    }

    /// Every address with its size; the first damaged manifest is an error.
    fn entries(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let storage = Arc::clone(&self.0);
        let list = async move {
            let entries = storage.get().await?.list();
            entries
                .map_ok(|entry| (entry.address.to_string(), entry.size))
                .try_collect::<Vec<_>>()
                .await
        };
        Awaitable::spawned(py, list, plain)
    }

    fn stats(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let storage = Arc::clone(&self.0);
        Awaitable::spawned(
            py,
            async move { storage.get().await?.stats().await },
            |py, stats| {
                let dict = PyDict::new(py);
                dict.set_item("objects", stats.objects)?;
                dict.set_item("blobs", stats.blobs)?;
                dict.set_item("bytes", stats.bytes)?;
                Ok(dict.into_any().unbind())
            },
        )
    }

    fn collect(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let storage = Arc::clone(&self.0);
        Awaitable::spawned(
            py,
            async move { storage.get().await?.collect().await },
            |py, collected| {
                let dict = PyDict::new(py);
                dict.set_item("blobs", collected.blobs)?;
                dict.set_item("bytes", collected.bytes)?;
                dict.set_item("staged", collected.staged)?;
                Ok(dict.into_any().unbind())
            },
        )
    }

    /// A writer for an object that comes in pieces.
    fn writer(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let storage = Arc::clone(&self.0);
        Awaitable::spawned(
            py,
            async move { Ok::<_, StoreError>(storage.get().await?.writer()) },
            |py, writer| {
                let writer = SttObjectWriter(Arc::new(Mutex::new(Some(writer))));
                Ok(Py::new(py, writer)?.into_any())
            },
        )
    }

    /// A reader of an object, piece by piece.
    #[pyo3(signature = (hash_address))]
    fn reader(&self, py: Python<'_>, hash_address: Given<String>) -> PyResult<Awaitable> {
        let (storage, at) = (Arc::clone(&self.0), parse(py, hash_address)?);
        Awaitable::spawned(
            py,
            async move { storage.get().await?.reader(&at).await },
            |py, reader| {
                let reader = SttObjectReader(Arc::new(Mutex::new(reader)));
                Ok(Py::new(py, reader)?.into_any())
            },
        )
    }
}

/// Writes one object. Dropped before `finish`, it stores nothing.
#[pyclass(frozen)]
pub(crate) struct SttObjectWriter(Arc<Mutex<Option<ObjectWriter>>>);

#[pymethods]
impl SttObjectWriter {
    #[pyo3(signature = (data, /))]
    fn write(&self, py: Python<'_>, data: Given<Data>) -> PyResult<Awaitable> {
        let (writer, data) = (Arc::clone(&self.0), data.named(py, "data")?.into_bytes());
        let write = async move {
            let mut slot = writer.lock().await;
            // Taken out while it works: given up halfway, it is gone, and nothing is stored.
            let mut writer = slot.take().ok_or(StoreError::Stopped)?;
            writer.write(data).await?;
            *slot = Some(writer);
            Ok::<_, StoreError>(())
        };
        Awaitable::spawned(py, write, |py, ()| Ok(py.None()))
    }

    fn finish(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let writer = Arc::clone(&self.0);
        let finish = async move {
            let writer = writer.lock().await.take().ok_or(StoreError::Stopped)?;
            writer.finish().await
        };
        Awaitable::spawned(py, finish, |py, stored| address(py, stored.address))
    }
}

/// Reads one object.
#[pyclass(frozen)]
pub(crate) struct SttObjectReader(Arc<Mutex<ObjectReader>>);

#[pymethods]
impl SttObjectReader {
    /// The next piece; None at the end.
    fn next(&self, py: Python<'_>) -> PyResult<Awaitable> {
        let reader = Arc::clone(&self.0);
        Awaitable::spawned(
            py,
            async move { reader.lock().await.next().await },
            |py, piece| match piece {
                Some(piece) => Ok(PyBytes::new(py, &piece).into_any().unbind()),
                None => Ok(py.None()),
            },
        )
    }
}

fn parse(py: Python<'_>, hash_address: Given<String>) -> PyResult<Address> {
    let address = hash_address.named(py, "hash_address")?;
    address
        .parse()
        .map_err(|error| raise(py, "STTStorageError", format!("{address:?}: {error}")))
}

fn address(py: Python<'_>, address: Address) -> PyResult<Py<PyAny>> {
    Ok(PyString::new(py, &address.to_string()).into_any().unbind())
}

fn plain<T: for<'py> IntoPyObject<'py>>(py: Python<'_>, value: T) -> PyResult<Py<PyAny>> {
    value.into_py_any(py)
}
