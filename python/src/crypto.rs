//! Ed25519 for adapters that sign (RFC 8032).

use ed25519_dalek::{SECRET_KEY_LENGTH, Signature, Signer, SigningKey, VerifyingKey};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};
use zeroize::Zeroizing;

/// The 32-byte public key of a 32-byte private seed.
///
/// Raises `ValueError` when `private` is not 32 bytes long.
#[pyfunction]
#[pyo3(signature = (private, /))]
pub(crate) fn ed25519_public<'py>(
    py: Python<'py>,
    private: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(
        py,
        signing_key(private)?.verifying_key().as_bytes(),
    ))
}

/// Signs `message` with a 32-byte private seed: 64 bytes, the same for the same arguments.
///
/// Raises `ValueError` when `private` is not 32 bytes long.
#[pyfunction]
#[pyo3(signature = (private, message, /))]
pub(crate) fn ed25519_sign<'py>(
    py: Python<'py>,
    private: &[u8],
    message: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let signature = signing_key(private)?.sign(message);
    Ok(PyBytes::new(py, &signature.to_bytes()))
}

/// Whether `signature` is `public`'s over `message`, by the strict rules: small-order keys and
/// malleable signatures are refused. Wrong lengths are a plain `False`, as bytes off a link are.
#[pyfunction]
#[pyo3(signature = (public, message, signature, /))]
pub(crate) fn ed25519_verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(public), Ok(signature)) = (
        VerifyingKey::try_from(public),
        Signature::from_slice(signature),
    ) else {
        return false;
    };
    public.verify_strict(message, &signature).is_ok()
}

fn signing_key(private: &[u8]) -> PyResult<SigningKey> {
    let seed: Zeroizing<[u8; SECRET_KEY_LENGTH]> =
        private.try_into().map(Zeroizing::new).map_err(|_| {
            PyValueError::new_err(format!(
                "an Ed25519 private seed is 32 bytes, this is {}",
                private.len()
            ))
        })?;
    Ok(SigningKey::from_bytes(&seed))
}
