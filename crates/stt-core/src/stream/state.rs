/// State of a stream's sending half (`docs/spec/stt-streams.md` §2, RFC 9000 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendState {
    /// Open; nothing was written.
    Ready,
    /// Bytes, or the end, are still to be sent for the first time.
    Send,
    /// The end was sent.
    DataSent,
    /// Given up; the peer hasn't confirmed.
    ResetSent,
    /// Over: everything was acknowledged, or the reset was, or there is no such half.
    Closed,
}

/// State of a stream's receiving half (`docs/spec/stt-streams.md` §3, RFC 9000 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvState {
    /// The end is not known.
    Recv,
    /// The end is known, bytes are missing.
    SizeKnown,
    /// Everything is here, and not yet read.
    DataRecvd,
    /// Given up by the peer; the application hasn't been told.
    ResetRecvd,
    /// Over: everything was read, or nobody wants to, or there is no such half.
    Closed,
}
