//! Errors as the exceptions of `seigr_toolset_transmissions.errors` (section 3).

use core::fmt;

use pyo3::prelude::*;
use stt_core::{
    handshake::{HandshakeError, Refusal, ResponseError},
    value::ValueError,
};
use stt_store::{ChamberError, StoreError};

use crate::errors::raise_from;

const MODULE: &str = "seigr_toolset_transmissions.errors";

/// An exception of this class, with the error's text.
pub(crate) fn raise(py: Python<'_>, class: &str, error: impl fmt::Display) -> PyErr {
    raise_from(py, MODULE, class, (error.to_string(),))
}

/// An exception of this class that takes a kind besides the text.
pub(crate) fn raise_kind(
    py: Python<'_>,
    class: &str,
    error: impl fmt::Display,
    kind: &str,
) -> PyErr {
    raise_from(py, MODULE, class, (error.to_string(), kind))
}

/// `STTClosedError`, with the code that the peer gave.
pub(crate) fn raise_closed(
    py: Python<'_>,
    error: impl fmt::Display,
    kind: &str,
    code: Option<u64>,
) -> PyErr {
    raise_from(
        py,
        MODULE,
        "STTClosedError",
        (error.to_string(), kind, code),
    )
}

/// The class of warnings about seeds.
pub(crate) fn seed_warning(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import(MODULE)?.getattr("STTSeedWarning")
}

pub(crate) fn value(py: Python<'_>, error: ValueError) -> PyErr {
    raise(py, "STTSerializationError", error)
}

pub(crate) fn handshake(py: Python<'_>, error: HandshakeError) -> PyErr {
    let kind = match &error {
        HandshakeError::OutOfTurn => "out_of_turn",
        HandshakeError::NotConfirmed => "not_confirmed",
        HandshakeError::Reflected => "reflected",
        HandshakeError::Refused(refusal) => match refusal {
            Refusal::Malformed(_) => "malformed",
            Refusal::WrongSeed => "wrong_seed",
            Refusal::WrongVersion { .. } | Refusal::Downgrade => "wrong_version",
            _ => "refused",
        },
        HandshakeError::Response(response) => match response {
            ResponseError::Malformed(_) => "malformed",
            ResponseError::OtherAttempt { .. } => "other_attempt",
            ResponseError::Forged(_) => "forged",
            ResponseError::WrongPeer { .. } => "wrong_peer",
            _ => "refused",
        },
        _ => "refused",
    };
    raise_kind(py, "STTHandshakeError", error, kind)
}

pub(crate) fn chamber(py: Python<'_>, error: ChamberError) -> PyErr {
    let kind = match &error {
        ChamberError::Damaged { .. } => "damaged",
        ChamberError::InUse { .. } => "in_use",
        ChamberError::NoChamber { .. }
        | ChamberError::OtherOwner { .. }
        | ChamberError::Repaired { .. }
        | ChamberError::Unreadable { .. } => "unreadable",
        ChamberError::NameTooLong { .. }
        | ChamberError::ValueTooLong { .. }
        | ChamberError::TooMany { .. } => "limit",
        _ => "failed",
    };
    raise_kind(py, "STTChamberError", error, kind)
}

pub(crate) fn store(py: Python<'_>, error: &StoreError) -> PyErr {
    let (class, kind) = match error {
        StoreError::NotFound { .. } => ("STTNotFoundError", "not_found"),
        StoreError::Damaged { .. } => ("STTStorageError", "damaged"),
        StoreError::Full { .. } => ("STTStorageError", "full"),
        StoreError::OtherSeed { .. } => ("STTStorageError", "other_seed"),
        StoreError::TooLarge { .. } => ("STTStorageError", "too_large"),
        _ => ("STTStorageError", "failed"),
    };
    raise_kind(py, class, error, kind)
}
