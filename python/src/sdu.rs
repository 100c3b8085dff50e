//! What `poll_link_tx` returned, checked and copied (`docs/spec/adapters.md`, section 5).

use drybox::adapter::{AdapterFault, SduBatch};
use drywire::adapters::contract::{Limits, Wrong};
use pyo3::{
    prelude::*,
    types::{PyByteArray, PyBytes, PyList, PyMemoryView, PyTuple},
};

/// Appends the SDUs that the adapter returned to `out`, or says what is wrong with them.
///
/// A list or tuple of bytes objects, or of `(bytes, time)` pairs whose time is ignored; `None` is an
/// empty list.
pub(crate) fn take(
    polled: &Bound<'_, PyAny>,
    limits: Limits,
    out: &mut SduBatch,
) -> Result<(), AdapterFault> {
    if let Ok(list) = polled.cast::<PyList>() {
        if !list.is_empty() {
            check_count(list.len(), limits)?;
            append(list.iter(), limits, out)?;
        }
        Ok(())
    } else if let Ok(tuple) = polled.cast::<PyTuple>() {
        check_count(tuple.len(), limits)?;
        append(tuple.iter(), limits, out)
    } else if polled.is_none() {
        Ok(())
    } else {
        let got = type_name(polled);
        Err(Wrong::ResultType { got }.fault(limits))
    }
}

fn check_count(count: usize, limits: Limits) -> Result<(), AdapterFault> {
    if count > limits.budget {
        return Err(Wrong::OverBudget { count }.fault(limits));
    }
    Ok(())
}

fn append<'py>(
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    limits: Limits,
    out: &mut SduBatch,
) -> Result<(), AdapterFault> {
    for (index, item) in items.enumerate() {
        let item = first_of_pair(&item).unwrap_or(item);
        let push = |sdu: &[u8], out: &mut SduBatch| {
            let len = sdu.len();
            if len > limits.sdu_max_bytes {
                return Err(Wrong::TooLong { index, len }.fault(limits));
            }
            out.push(sdu);
            Ok(())
        };
        if let Ok(bytes) = item.cast::<PyBytes>() {
            push(bytes.as_bytes(), out)?;
        } else if let Some(bytes) = copied(&item) {
            push(bytes.as_bytes(), out)?;
        } else {
            let got = type_name(&item);
            return Err(Wrong::ItemType { index, got }.fault(limits));
        }
    }
    Ok(())
}

/// The SDU of a `(bytes, time)` pair.
fn first_of_pair<'py>(item: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    if let Ok(pair) = item.cast::<PyTuple>() {
        return (pair.len() == 2).then(|| pair.get_item(0).ok()).flatten();
    }
    let pair = item.cast::<PyList>().ok()?;
    (pair.len() == 2).then(|| pair.get_item(0).ok()).flatten()
}

/// Other bytes-like objects, as bytes.
fn copied<'py>(item: &Bound<'py, PyAny>) -> Option<Bound<'py, PyBytes>> {
    if !item.is_instance_of::<PyByteArray>() && !item.is_instance_of::<PyMemoryView>() {
        return None;
    }
    let bytes = item.py().get_type::<PyBytes>().call1((item,)).ok()?;
    bytes.cast_into().ok()
}

/// What Python calls the type of `value`.
pub(crate) fn type_name(value: &Bound<'_, PyAny>) -> String {
    let name = value.get_type().name();
    name.map_or_else(|_| "another type".to_owned(), |name| name.to_string())
}
