use core::fmt;

use crate::{Dir, Side};

/// A stream of a session (RFC 9000 §2.1): bit 0 tells who opened it, bit 1 its direction, the rest
/// is its index among the streams of that kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u64);

impl StreamId {
    /// The stream number `index` of its kind.
    pub const fn new(initiator: Side, dir: Dir, index: u64) -> Self {
        Self(index << 2 | (dir as u64) << 1 | initiator as u64)
    }

    /// From its number on the wire.
    pub const fn from_u64(id: u64) -> Self {
        Self(id)
    }

    /// Its number on the wire.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The end that opened the stream.
    pub const fn initiator(self) -> Side {
        if self.0 & 1 == 0 {
            Side::Initiator
        } else {
            Side::Responder
        }
    }

    /// Whether it carries bytes both ways.
    pub const fn dir(self) -> Dir {
        if self.0 & 2 == 0 { Dir::Bi } else { Dir::Uni }
    }

    /// Its index among the streams of its kind, from 0.
    pub const fn index(self) -> u64 {
        self.0 >> 2
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} {:?} stream {}",
            self.initiator(),
            self.dir(),
            self.index()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back() {
        for side in [Side::Initiator, Side::Responder] {
            for dir in [Dir::Bi, Dir::Uni] {
                let id = StreamId::new(side, dir, 5);
                assert_eq!((id.initiator(), id.dir(), id.index()), (side, dir, 5));
            }
        }
        assert_eq!(StreamId::new(Side::Responder, Dir::Uni, 1).as_u64(), 7);
    }
}
