//! PCM blocks between numpy and DryBox (users' document, sections 4.1 and 8.1).

use drybox::{
    adapter::AdapterFault,
    radio::{BLOCK_SAMPLES, Block},
};
use numpy::{
    PyArray1, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods, dtype,
};
use pyo3::prelude::*;

/// Imports numpy, so that a missing one is an error of loading and not of the first block.
pub(crate) fn require_numpy(py: Python<'_>) -> Result<(), AdapterFault> {
    py.import("numpy").map(drop).map_err(|error| {
        AdapterFault::Load(format!(
            "audio mode hands blocks over as numpy arrays, and numpy cannot be imported ({}): \
             pip install numpy",
            error.value(py)
        ))
    })
}

/// A new, writable array that the adapter may keep and change.
pub(crate) fn to_array<'py>(py: Python<'py>, block: &Block) -> Bound<'py, PyArray1<i16>> {
    PyArray1::from_slice(py, block)
}

/// Copies a pulled array, or says what is wrong with it.
pub(crate) fn copy_block(pulled: &Bound<'_, PyAny>, block: &mut Block) -> Result<(), String> {
    let Ok(array) = pulled.cast::<PyUntypedArray>() else {
        let kind = pulled.get_type().name();
        return Err(format!(
            "pull_tx_block() must return a numpy array of {BLOCK_SAMPLES} int16 samples, got {}",
            kind.map_or_else(|_| "another type".to_owned(), |kind| kind.to_string())
        ));
    };
    if !array.dtype().is_equiv_to(&dtype::<i16>(pulled.py())) {
        return Err(format!(
            "pull_tx_block() must return dtype int16 (little-endian), got {}",
            array.dtype()
        ));
    }
    if array.shape() != [BLOCK_SAMPLES] {
        return Err(format!(
            "pull_tx_block() must return shape ({BLOCK_SAMPLES},), got {}",
            shape(array.shape())
        ));
    }
    if !array.is_c_contiguous() {
        return Err(
            "pull_tx_block() must return a C-contiguous array: numpy.ascontiguousarray() makes one"
                .to_owned(),
        );
    }
    let samples = pulled
        .cast::<PyArray1<i16>>()
        .ok()
        .and_then(|array| array.try_readonly().ok());
    match samples.as_ref().map(|samples| samples.as_slice()) {
        Some(Ok(samples)) => {
            block.copy_from_slice(samples);
            Ok(())
        }
        _ => Err(
            "pull_tx_block() must return samples that are aligned to 2 bytes: numpy.array() \
             makes a copy that is"
                .to_owned(),
        ),
    }
}

/// A shape as Python writes it.
fn shape(shape: &[usize]) -> String {
    match shape {
        [one] => format!("({one},)"),
        _ => {
            let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
            format!("({})", sizes.join(", "))
        }
    }
}
