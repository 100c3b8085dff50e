/// How much memory the streams of a session may take (`docs/spec/stt-streams.md` §8).
///
/// What the peer may send at first is in [`Limits`](crate::wire::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamConfig {
    /// Bytes that a stream holds until they are acknowledged; default 2 MiB. One stream carries at
    /// most this much a round trip.
    pub send_buffer: usize,
    /// Of these, bytes that were not sent yet; default 256 KiB, which keeps a fast link busy. More would
    /// only grow cold and old while they wait.
    pub max_unsent: usize,
    /// Bytes that all streams together hold until they are acknowledged; default 8 MiB. Each may hold
    /// 4 KiB whatever the others do.
    pub session_send_buffer: usize,
    /// How far a stream's receive window may grow, bytes; default 8 MiB.
    pub max_stream_window: u64,
    /// How far the session's receive window may grow, bytes; default 16 MiB. All received bytes that
    /// were not read fit in it.
    pub max_window: u64,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            send_buffer: 2 << 20,
            max_unsent: 256 << 10,
            session_send_buffer: 8 << 20,
            max_stream_window: 8 << 20,
            max_window: 16 << 20,
        }
    }
}
