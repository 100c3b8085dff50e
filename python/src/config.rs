//! `cfg`: the dict that an adapter is given (users' document, section 1.2).

use drybox::{
    adapter::{AdapterConfig, CryptoConfig},
    scenario::Mode,
};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict},
};

use crate::json;

/// What DryBox itself puts into `cfg`; a setting of the same name is not passed on.
const OWN_KEYS: [&str; 7] = [
    "side",
    "tick_ms",
    "seed",
    "mode",
    "sdu_max_bytes",
    "out_dir",
    "crypto",
];

/// The dict of `config`. DryBox's own keys come first.
pub(crate) fn to_dict<'py>(
    py: Python<'py>,
    config: &AdapterConfig,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("side", config.side.letter())?;
    dict.set_item("tick_ms", config.tick_ms)?;
    dict.set_item("seed", config.seed)?;
    dict.set_item(
        "mode",
        match config.mode {
            Mode::Byte => "byte",
            Mode::Audio => "audio",
        },
    )?;
    dict.set_item("sdu_max_bytes", config.sdu_max_bytes)?;
    dict.set_item(
        "out_dir",
        config.out_dir.as_ref().map(|path| path.as_os_str()),
    )?;
    if let Some(crypto) = &config.crypto {
        dict.set_item("crypto", crypto_dict(py, crypto)?)?;
    }
    for (key, value) in &config.settings {
        if !OWN_KEYS.contains(&key.as_str()) {
            dict.set_item(key, json::to_python(py, value)?)?;
        }
    }
    Ok(dict)
}

fn crypto_dict<'py>(py: Python<'py>, crypto: &CryptoConfig) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("priv", PyBytes::new(py, &crypto.private))?;
    dict.set_item("pub", PyBytes::new(py, &crypto.public))?;
    dict.set_item("peer_pub", PyBytes::new(py, &crypto.peer_public))?;
    dict.set_item("key_id", &crypto.key_id)?;
    dict.set_item("peer_key_id", &crypto.peer_key_id)?;
    Ok(dict)
}
