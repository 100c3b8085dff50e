//! The extension module `drywire._native`: what the Python packages of Drywire are made of.
//!
//! Typed Python lies over it (`python/drybox`); nothing here is public API.

mod adapter;
mod adapters;
mod audio;
mod cli;
mod config;
mod crypto;
mod errors;
mod host;
mod json;
mod metrics;
mod plan;
mod sdu;
mod st_protocol;
mod stt;

use pyo3::prelude::*;

/// The compiled part of Drywire. Use the `drybox` package.
#[pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::cli::main;
    #[pymodule_export]
    use crate::crypto::{ed25519_public, ed25519_sign, ed25519_verify};
    #[pymodule_export]
    use crate::metrics::read_metrics;
    #[pymodule_export]
    use crate::plan::Plan;
    #[pymodule_export]
    use crate::st_protocol::{
        StDecoder, st_address_decode, st_address_encode, st_decode, st_encode, st_read_lbytes,
        st_verbs,
    };
    #[pymodule_export]
    use crate::stt::{
        bridge::{Awaitable, stt_shut_down, stt_wake},
        chamber::SttChamber,
        crypto::{PyStreamContext, StcWrapper},
        endpoints::SttEndpoints,
        frame::PyFrame,
        handshake::PyHandshake,
        messages::{SttFrameDone, SttFrames},
        node::SttNode,
        session::{SttSession, SttSessionEnd},
        storage::{SttObjectReader, SttObjectWriter, SttStorage},
        stream::{SttRecvStream, SttSendStream},
        streaming::{SttChunkOpener, SttStreamDecoder, SttStreamEncoder},
        transport::{
            SttUdp, SttWebSocket, SttWebSocketListener, stt_bind_udp, stt_connect_frames,
            stt_listen_frames,
        },
        value::{deserialize_stt, serialize_stt},
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
