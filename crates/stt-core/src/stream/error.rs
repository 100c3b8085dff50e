use crate::StreamId;

/// Why nothing was written to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The send buffer is full. [`StreamEvent::Writable`](super::StreamEvent) follows.
    #[error("send buffer full; wait for the stream to be writable")]
    Blocked,
    /// The peer wants no more of the stream, for this reason of its application's.
    #[error("stopped by the peer with code {0}")]
    Stopped(u64),
    /// The stream was finished or reset before.
    #[error("the sending half was finished or reset before")]
    Closed,
    /// No such stream, or one on which only the peer sends.
    #[error("{0:?} is not open for sending")]
    Unknown(StreamId),
}

/// Why nothing was read from a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Nothing has come. [`StreamEvent::Readable`](super::StreamEvent) follows.
    #[error("nothing to read; wait for the stream to be readable")]
    Blocked,
    /// The peer gave the stream up, for this reason of its application's. Told once.
    #[error("reset by the peer with code {0}")]
    Reset(u64),
    /// The stream was stopped by this end, with this code.
    #[error("stopped by this end with code {0}")]
    Stopped(u64),
    /// No such stream, one on which only this end sends, or one that was read to its end.
    #[error("{0:?} is not open for receiving")]
    Unknown(StreamId),
}

/// The operation doesn't apply to the stream's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is unknown, or was closed before")]
pub struct ClosedStream(pub StreamId);
