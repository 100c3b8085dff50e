//! What `poll_link_tx` returned, checked and copied (users' document, section 3.1).

use drybox::adapter::SduBatch;
use pyo3::{
    prelude::*,
    types::{PyByteArray, PyBytes, PyList, PyTuple},
};

/// Appends the SDUs that the adapter returned to `out`, or says what is wrong with them.
///
/// A list or tuple of bytes objects, or of `(bytes, time)` pairs whose time is ignored; `None` is an
/// empty list. How many and how long they may be is the engine's to check, for every kind of adapter.
pub(crate) fn take(polled: &Bound<'_, PyAny>, out: &mut SduBatch) -> Result<(), String> {
    if let Ok(list) = polled.cast::<PyList>() {
        list.iter().try_for_each(|item| push(&item, out))
    } else if let Ok(tuple) = polled.cast::<PyTuple>() {
        tuple.iter().try_for_each(|item| push(&item, out))
    } else if polled.is_none() {
        Ok(())
    } else {
        Err(format!(
            "poll_link_tx() must return a list of bytes, got {}",
            type_name(polled)
        ))
    }
}

fn push(item: &Bound<'_, PyAny>, out: &mut SduBatch) -> Result<(), String> {
    if push_bytes(item, out) {
        return Ok(());
    }
    if let Ok(pair) = item.cast::<PyTuple>()
        && pair.len() == 2
        && pair.get_item(0).is_ok_and(|sdu| push_bytes(&sdu, out))
    {
        return Ok(());
    }
    Err(format!(
        "poll_link_tx() must return a list of bytes, got one with {} in it",
        type_name(item)
    ))
}

/// Whether `item` was bytes, which are then appended.
fn push_bytes(item: &Bound<'_, PyAny>, out: &mut SduBatch) -> bool {
    if let Ok(bytes) = item.cast::<PyBytes>() {
        out.push(bytes.as_bytes());
    } else if let Ok(bytes) = item.cast::<PyByteArray>() {
        out.push(&bytes.to_vec());
    } else {
        return false;
    }
    true
}

fn type_name(value: &Bound<'_, PyAny>) -> String {
    let name = value.get_type().name();
    name.map_or_else(|_| "another type".to_owned(), |name| name.to_string())
}
