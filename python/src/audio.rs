//! PCM blocks between numpy and DryBox (users' document, sections 4.1 and 8.1).

use drybox::{
    adapter::AdapterFault,
    radio::{BLOCK_SAMPLES, Block},
};
use drywire::adapters::contract::Wrong;
use numpy::{
    PyArray1, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods, dtype,
};
use pyo3::prelude::*;

use crate::sdu::type_name;

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
pub(crate) fn copy_block(pulled: &Bound<'_, PyAny>, block: &mut Block) -> Result<(), Wrong> {
    let Ok(array) = pulled.cast::<PyUntypedArray>() else {
        let got = type_name(pulled);
        return Err(Wrong::BlockType { got });
    };
    if !array.dtype().is_equiv_to(&dtype::<i16>(pulled.py())) {
        let got = array.dtype().to_string();
        return Err(Wrong::BlockDtype { got });
    }
    if array.shape() != [BLOCK_SAMPLES] {
        let got = array.shape().to_vec();
        return Err(Wrong::BlockShape { got });
    }
    if !array.is_c_contiguous() {
        return Err(Wrong::BlockLayout);
    }
    let typed = pulled.cast::<PyArray1<i16>>().ok();
    let typed = typed.and_then(|array| array.try_readonly().ok());
    if let Some(Ok(samples)) = typed.as_ref().map(|samples| samples.as_slice()) {
        block.copy_from_slice(samples);
        return Ok(());
    }
    copy_unaligned(pulled, block).map_err(|_| Wrong::BlockLayout)
}

/// Samples at an odd address, such as those of `numpy.frombuffer(packet, "<i2", offset=1)`.
#[cold]
fn copy_unaligned(pulled: &Bound<'_, PyAny>, block: &mut Block) -> PyResult<()> {
    let bytes: Vec<u8> = pulled.call_method0("tobytes")?.extract()?;
    for (sample, bytes) in block.iter_mut().zip(bytes.chunks_exact(2)) {
        *sample = i16::from_ne_bytes([bytes[0], bytes[1]]);
    }
    Ok(())
}
