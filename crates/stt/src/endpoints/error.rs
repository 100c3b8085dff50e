use thiserror::Error;

/// Why a message was not routed or received (`docs/spec/stt-primitives.md` §4).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// No id has that many bytes.
    #[error("an endpoint's id has {len} bytes; 1 to 255 are possible")]
    Id {
        /// Its bytes.
        len: usize,
    },
    /// The endpoint was closed.
    #[error("endpoint {id:?} is closed")]
    Closed {
        /// Its id.
        id: String,
    },
    /// The whole manager was closed.
    #[error("the endpoint manager is closed")]
    ManagerClosed,
    /// As many endpoints exist as may.
    #[error("endpoint {id:?} would be one more than {limit}: close one that isn't needed")]
    TooMany {
        /// Its id.
        id: String,
        /// [`super::EndpointLimits::endpoints`].
        limit: usize,
    },
}
