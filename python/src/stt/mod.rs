//! The compiled side of `seigr_toolset_transmissions` (`docs/spec/stt-python.md`, whose sections
//! are cited).

pub(crate) mod bridge;
pub(crate) mod chamber;
pub(crate) mod crypto;
pub(crate) mod data;
pub(crate) mod endpoints;
pub(crate) mod environment;
pub(crate) mod errors;
pub(crate) mod frame;
pub(crate) mod handshake;
pub(crate) mod messages;
pub(crate) mod name;
pub(crate) mod node;
pub(crate) mod process;
pub(crate) mod session;
pub(crate) mod storage;
pub(crate) mod stream;
pub(crate) mod streaming;
pub(crate) mod transport;
pub(crate) mod value;
