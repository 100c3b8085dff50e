use crate::{Dir, StreamId};

/// What a packet carried for streams: comes back by [`Streams::on_acked`](super::Streams::on_acked)
/// or [`Streams::on_lost`](super::Streams::on_lost), at most once (`docs/spec/stt-streams.md` §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Carried {
    /// Bytes of a stream.
    Stream {
        /// The stream.
        id: StreamId,
        /// Offset of the first.
        start: u64,
        /// Offset behind the last.
        end: u64,
        /// Whether the stream ends with them.
        fin: bool,
    },
    /// A RESET.
    Reset(StreamId),
    /// A STOP.
    Stop(StreamId),
    /// The session's credit.
    MaxData(u64),
    /// A stream's credit.
    MaxStreamData {
        /// The stream.
        id: StreamId,
        /// The credit, as an offset.
        max: u64,
    },
    /// How many streams the peer may open.
    MaxStreams {
        /// Their direction.
        dir: Dir,
        /// The limit, a count.
        max: u64,
    },
}
