//! Segments of encrypted streams (`docs/spec/stt-crypto.md`, section 8).

use core::fmt;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use thiserror::Error;

use crate::{
    packet::ForgeryCount,
    secret::{Secret, StreamContext},
    suite::{Aead, TAG_LEN},
};

/// Bytes of an encoder's salt.
pub const SALT_LEN: usize = 16;
/// What a segment adds to its plaintext: salt, flags, tag.
pub const SEGMENT_OVERHEAD: usize = SALT_LEN + 1 + TAG_LEN;

/// Flag: nothing follows.
const LAST: u8 = 1;
/// One past the largest segment number.
const NUMBER_END: u64 = 1 << 62;

/// Seals the segments of one encoder, in order.
pub struct SegmentSealer {
    salt: [u8; SALT_LEN],
    key: LessSafeKey,
    next: u64,
    finished: bool,
}

impl SegmentSealer {
    pub(crate) fn new(salt: [u8; SALT_LEN], key: &Secret<32>) -> Self {
        Self {
            salt,
            key: less_safe(key),
            next: 0,
            finished: false,
        }
    }

    /// The number that the next segment gets.
    pub const fn next_number(&self) -> u64 {
        self.next
    }

    /// Appends the next segment to `out` and gives its number.
    ///
    /// # Errors
    ///
    /// The last segment is sealed already, or all 2⁶² numbers are used; `out` is as it was.
    pub fn seal(
        &mut self,
        plaintext: &[u8],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<u64, SegmentError> {
        let number = self.next;
        if self.finished {
            return Err(SegmentError::AfterLast);
        }
        if number >= NUMBER_END {
            return Err(SegmentError::Number { number });
        }
        let flags = if last { LAST } else { 0 };
        let start = out.len();
        out.reserve(SEGMENT_OVERHEAD + plaintext.len());
        out.extend_from_slice(&self.salt);
        out.push(flags);
        out.extend_from_slice(plaintext);
        let text = &mut out[start + SALT_LEN + 1..];
        match self
            .key
            .seal_in_place_separate_tag(nonce(number), Aad::from([flags]), text)
        {
            Ok(tag) => out.extend_from_slice(tag.as_ref()),
            Err(_) => {
                out.truncate(start);
                return Err(SegmentError::TooLong);
            }
        }
        self.next += 1;
        self.finished = last;
        Ok(number)
    }
}

impl fmt::Debug for SegmentSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is left out.
        f.debug_struct("SegmentSealer")
            .field("next", &self.next)
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}

/// Opens the segments of one encoder, in any order.
pub struct SegmentOpener {
    state: Opening,
    failures: ForgeryCount,
    exhausted: bool,
}

enum Opening {
    /// No segment has opened yet: any salt may be the encoder's.
    Unpinned(StreamContext),
    /// The encoder is known.
    Pinned {
        salt: [u8; SALT_LEN],
        key: LessSafeKey,
    },
}

/// A segment that has opened.
#[derive(Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The plaintext.
    pub plaintext: &'a [u8],
    /// Whether nothing follows. The numbers before may still be missing.
    pub last: bool,
}

impl SegmentOpener {
    pub(crate) fn new(context: StreamContext) -> Self {
        Self {
            state: Opening::Unpinned(context),
            failures: ForgeryCount::new(Aead::ChaCha20Poly1305),
            exhausted: false,
        }
    }

    /// Opens segment `number` in place. The first that opens decides which salt is the encoder's.
    /// That a number comes once only is the caller's to see to.
    ///
    /// # Errors
    ///
    /// See [`SegmentError`]; `segment` holds nothing useful then, the opener is usable.
    pub fn open<'a>(
        &mut self,
        number: u64,
        segment: &'a mut [u8],
    ) -> Result<Segment<'a>, SegmentError> {
        if self.exhausted {
            return Err(SegmentError::LimitReached);
        }
        if number >= NUMBER_END {
            return Err(SegmentError::Number { number });
        }
        if segment.len() < SEGMENT_OVERHEAD {
            return Err(SegmentError::TooShort);
        }
        let Some((salt, rest)) = segment.split_first_chunk_mut::<SALT_LEN>() else {
            return Err(SegmentError::TooShort);
        };
        let Some((flags, sealed)) = rest.split_first_mut() else {
            return Err(SegmentError::TooShort);
        };
        let (salt, flags) = (*salt, *flags);
        if flags & !LAST != 0 {
            return Err(SegmentError::Flags { flags });
        }
        let opened = match &self.state {
            Opening::Pinned { salt: pinned, key } => {
                if salt != *pinned {
                    return Err(SegmentError::OtherSalt);
                }
                key.open_in_place(nonce(number), Aad::from([flags]), sealed)
            }
            Opening::Unpinned(context) => {
                let key = less_safe(&context.segment_key(&salt));
                let opened = key.open_in_place(nonce(number), Aad::from([flags]), sealed);
                if opened.is_ok() {
                    self.state = Opening::Pinned { salt, key };
                }
                opened
            }
        };
        match opened {
            Ok(plaintext) => Ok(Segment {
                plaintext,
                last: flags & LAST != 0,
            }),
            Err(_) => {
                self.exhausted = self.failures.record().is_err();
                Err(SegmentError::Forged)
            }
        }
    }
}

impl fmt::Debug for SegmentOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Key and context are left out.
        let pinned = matches!(self.state, Opening::Pinned { .. });
        f.debug_struct("SegmentOpener")
            .field("pinned", &pinned)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

fn less_safe(key: &Secret<32>) -> LessSafeKey {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key.expose());
    LessSafeKey::new(key.expect("the key has 32 bytes by type"))
}

/// Four zero bytes, then the number, big-endian.
fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// Why a segment was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SegmentError {
    /// Fewer bytes than salt, flags and tag.
    #[error("the segment is shorter than its overhead of {SEGMENT_OVERHEAD} bytes")]
    TooShort,
    /// More than the AEAD takes at once (256 GiB).
    #[error("the segment is longer than the AEAD takes")]
    TooLong,
    /// Flags of another version.
    #[error("the segment has flags {flags:#04x}, of which only bit 0 is known")]
    Flags {
        /// The byte that came.
        flags: u8,
    },
    /// Another encoder's.
    #[error("the segment has another salt: it comes from another encoder")]
    OtherSalt,
    /// Another context or number, or changed on the way.
    #[error("the segment does not open: another context or number, forged or damaged")]
    Forged,
    /// The stream has ended.
    #[error("the last segment is sealed already")]
    AfterLast,
    /// Past the last number.
    #[error("segment number {number} is past 2^62 - 1")]
    Number {
        /// The number given.
        number: u64,
    },
    /// As many forgeries as the AEAD allows.
    #[error("as many segments failed to open as the AEAD allows: the stream has to end")]
    LimitReached,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stc;

    fn context() -> StreamContext {
        Stc::new(&[1; 32])
            .unwrap()
            .create_stream_context(b"session!", 7)
            .unwrap()
    }

    fn seal(sealer: &mut SegmentSealer, plaintext: &[u8], last: bool) -> Vec<u8> {
        let mut out = Vec::new();
        sealer.seal(plaintext, last, &mut out).unwrap();
        assert_eq!(out.len(), plaintext.len() + SEGMENT_OVERHEAD);
        out
    }

    #[test]
    fn segments_open_in_any_order_and_tell_the_last() {
        let mut sealer = context().sealer([2; SALT_LEN]);
        let mut segments: Vec<_> = (0..5u8)
            .map(|i| seal(&mut sealer, &vec![i; usize::from(i)], i == 4))
            .collect();
        let mut opener = context().opener();
        for i in [3, 0, 4, 2, 1] {
            let segment = opener.open(i as u64, &mut segments[i]).unwrap();
            assert_eq!(
                (segment.plaintext, segment.last),
                (&vec![i as u8; i][..], i == 4)
            );
        }
        assert_eq!(
            sealer.seal(b"", false, &mut vec![]),
            Err(SegmentError::AfterLast)
        );
    }

    #[test]
    fn every_change_is_refused_and_the_opener_goes_on() {
        let segment = seal(&mut context().sealer([2; SALT_LEN]), b"plaintext", false);
        for pinned in [false, true] {
            let mut opener = context().opener();
            if pinned {
                opener.open(0, &mut segment.clone()).unwrap();
            }
            for bit in 0..8 * segment.len() {
                let mut forged = segment.clone();
                forged[bit / 8] ^= 1 << (bit % 8);
                assert!(opener.open(0, &mut forged).is_err(), "bit {bit}");
            }
            for len in 0..segment.len() {
                assert!(
                    opener.open(0, &mut segment.clone()[..len]).is_err(),
                    "{len} bytes"
                );
            }
            assert_eq!(
                opener.open(1, &mut segment.clone()),
                Err(SegmentError::Forged)
            );
            let number = 1 << 62;
            assert_eq!(
                opener.open(number, &mut segment.clone()),
                Err(SegmentError::Number { number })
            );
            assert_eq!(
                opener.open(0, &mut segment.clone()).unwrap().plaintext,
                b"plaintext"
            );
        }
    }

    #[test]
    fn the_first_authentic_salt_is_kept() {
        let mut first = context().sealer([2; SALT_LEN]);
        let mut second = context().sealer([3; SALT_LEN]);
        let (a, b) = (
            seal(&mut first, b"a", false),
            seal(&mut second, b"b", false),
        );
        assert_ne!(a[SALT_LEN + 1..], b[SALT_LEN + 1..]);
        let mut opener = context().opener();
        opener.open(0, &mut a.clone()).unwrap();
        assert_eq!(opener.open(0, &mut b.clone()), Err(SegmentError::OtherSalt));
        // Nobody else's salt was kept before one opened.
        let mut forged = b.clone();
        forged[SEGMENT_OVERHEAD] ^= 1;
        let mut opener = context().opener();
        assert_eq!(opener.open(0, &mut forged), Err(SegmentError::Forged));
        opener.open(0, &mut a.clone()).unwrap();
    }

    #[test]
    fn contexts_are_isolated() {
        let stc = Stc::new(&[1; 32]).unwrap();
        let segment = seal(&mut context().sealer([2; SALT_LEN]), b"plaintext", true);
        let others = [
            stc.create_stream_context(b"session!", 8).unwrap(),
            stc.create_stream_context(b"session?", 7).unwrap(),
            stc.create_stream_context(b"", 7).unwrap(),
            Stc::new(&[2; 32])
                .unwrap()
                .create_stream_context(b"session!", 7)
                .unwrap(),
        ];
        for other in others {
            assert!(other.opener().open(0, &mut segment.clone()).is_err());
        }
        assert!(context().opener().open(0, &mut segment.clone()).is_ok());
    }

    #[test]
    fn limits_hold() {
        let mut sealer = context().sealer([2; SALT_LEN]);
        sealer.next = NUMBER_END;
        let mut out = vec![1, 2];
        let number = NUMBER_END;
        assert_eq!(
            sealer.seal(b"x", false, &mut out),
            Err(SegmentError::Number { number })
        );
        assert_eq!(out, [1, 2]);

        let segment = seal(&mut context().sealer([2; SALT_LEN]), b"x", false);
        let mut opener = context().opener();
        opener.failures.pretend_left(1);
        assert_eq!(
            opener.open(1, &mut segment.clone()),
            Err(SegmentError::Forged)
        );
        assert_eq!(
            opener.open(0, &mut segment.clone()),
            Err(SegmentError::LimitReached)
        );
    }
}
