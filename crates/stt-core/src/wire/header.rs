//! The header of a sealed packet and its protection (`docs/spec/stt-wire.md` §3, RFC 9000 §17.1,
//! RFC 9001 §5.4). Pure byte work: the mask comes from the header key.

use super::{WireId, Writer};

/// The bit that tells a sealed packet from every other datagram.
pub const SEALED: u8 = 0x80;
/// Bytes of ciphertext that the mask is made from.
pub const SAMPLE_LEN: usize = 16;
/// The longest packet number, bytes.
pub const MAX_PN_LEN: usize = 4;
/// Packet number and plaintext together have at least this many bytes, so that there is a sample
/// (§3.4).
pub const MIN_PN_AND_PLAINTEXT: usize = 4;
/// Bytes of an AEAD tag.
pub const TAG_LEN: usize = 16;

/// Bits 6 and 5 of the first byte: zero, or the datagram isn't ours.
const FIXED: u8 = 0x60;
/// What header protection hides of the first byte.
const HIDDEN: u8 = 0x1f;
const RESERVED: u8 = 0x18;
const PHASE: u8 = 0x04;
const PN_LEN: u8 = 0x03;

/// The header of a packet to be sealed.
#[derive(Clone, Copy, Debug)]
pub struct SealedHeader;

impl SealedHeader {
    /// Bytes of a header for a receiver's id of `id_len` bytes.
    pub const fn len(id_len: usize, pn_len: usize) -> usize {
        1 + id_len + pn_len
    }

    /// Writes a header with the packet number `pn` cut to `pn_len` bytes, unprotected: as it is
    /// authenticated. Returns where the packet number begins, counted from the writer's start.
    ///
    /// # Panics
    /// If the writer has no room, or `pn_len` isn't 1 to 4.
    pub fn write(
        writer: &mut Writer<'_>,
        phase: bool,
        id: &WireId,
        pn_len: usize,
        pn: u64,
    ) -> usize {
        assert!(
            (1..=MAX_PN_LEN).contains(&pn_len),
            "a packet number has 1 to 4 bytes"
        );
        let phase = if phase { PHASE } else { 0 };
        writer.put_u8(SEALED | phase | (pn_len - 1) as u8);
        writer.put_slice(id.as_bytes());
        let pn_offset = writer.len();
        writer.put_slice(&pn.to_be_bytes()[8 - pn_len..]);
        pn_offset
    }
}

/// Whether a datagram claims to be a sealed packet, by its first byte (§1).
#[inline]
pub fn is_sealed(datagram: &[u8]) -> bool {
    datagram
        .first()
        .is_some_and(|first| first & (SEALED | FIXED) == SEALED)
}

/// The receiver's wire id in a sealed packet, if that has `id_len` bytes, and where its packet
/// number begins. `None` if it is no sealed packet or too short for one.
#[inline]
pub fn receiver(packet: &[u8], id_len: usize) -> Option<(WireId, usize)> {
    let pn_offset = 1 + id_len;
    if !is_sealed(packet) || packet.len() < pn_offset + MAX_PN_LEN + SAMPLE_LEN {
        return None;
    }
    let bytes = packet[1..].first_chunk()?;
    Some((WireId::cut(*bytes, id_len)?, pn_offset))
}

/// The bytes that the mask of a packet is made from, `None` if it is too short.
#[inline]
pub fn sample(packet: &[u8], pn_offset: usize) -> Option<&[u8; SAMPLE_LEN]> {
    packet
        .get(pn_offset.checked_add(MAX_PN_LEN)?..)?
        .first_chunk()
}

/// Hides flags and packet number of a sealed packet.
///
/// # Panics
/// If the packet ends before its packet number does.
#[inline]
pub fn protect(packet: &mut [u8], pn_offset: usize, mask: &[u8; 5]) {
    let pn_len = usize::from(packet[0] & PN_LEN) + 1;
    packet[0] ^= mask[0] & HIDDEN;
    for (byte, mask) in packet[pn_offset..pn_offset + pn_len]
        .iter_mut()
        .zip(&mask[1..])
    {
        *byte ^= mask;
    }
}

/// What a header said once its protection was taken off. Nothing of it is authenticated before
/// the packet has been opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unprotected {
    /// The key phase.
    pub phase: bool,
    /// Whether the two reserved bits are zero. If not, and the packet opens, its sender breaks the
    /// protocol (RFC 9000 §17.3.1); to tell before would be an oracle (RFC 9001 §9.5).
    pub reserved_clear: bool,
    /// Bytes of the packet number.
    pub pn_len: usize,
    /// The low bytes of the packet number.
    pub truncated: u32,
}

/// Takes header protection off, in place: the header is then as it was authenticated.
///
/// `None`, and nothing changed, if the packet is too short to hold a packet number of any length.
#[inline]
pub fn unprotect(packet: &mut [u8], pn_offset: usize, mask: &[u8; 5]) -> Option<Unprotected> {
    if pn_offset == 0 || packet.len() < pn_offset.checked_add(MAX_PN_LEN)? {
        return None;
    }
    packet[0] ^= mask[0] & HIDDEN;
    let flags = packet[0];
    let pn_len = usize::from(flags & PN_LEN) + 1;
    let mut truncated = 0;
    for (byte, mask) in packet[pn_offset..pn_offset + pn_len]
        .iter_mut()
        .zip(&mask[1..])
    {
        *byte ^= mask;
        truncated = truncated << 8 | u32::from(*byte);
    }
    Some(Unprotected {
        phase: flags & PHASE != 0,
        reserved_clear: flags & RESERVED == 0,
        pn_len,
        truncated,
    })
}

/// How many bytes of `pn` to send, so that a receiver that has seen `largest_acked` or anything
/// after it finds the whole number (RFC 9000 §17.1, §A.2): twice the numbers in doubt must fit.
///
/// 4 is the most; more than 2^31 numbers in doubt is for the sender to prevent.
pub const fn pn_len(pn: u64, largest_acked: Option<u64>) -> usize {
    let in_doubt = match largest_acked {
        Some(acked) => pn.saturating_sub(acked),
        None => pn + 1,
    };
    match in_doubt {
        0..=0x80 => 1,
        0x81..=0x8000 => 2,
        0x8001..=0x80_0000 => 3,
        _ => 4,
    }
}

/// The packet number that `len` low bytes stand for: the one nearest to `expected`, which is one
/// more than the largest received (RFC 9000 §A.3).
pub const fn expand_pn(truncated: u32, len: usize, expected: u64) -> u64 {
    let window = 1_u64 << (8 * len);
    let candidate = (expected & !(window - 1)) | truncated as u64;
    if candidate + window / 2 <= expected && candidate + window <= crate::varint::MAX {
        candidate + window
    } else if candidate > expected + window / 2 && candidate >= window {
        candidate - window
    } else {
        candidate
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::varint;

    #[test]
    fn annotated() {
        let mut buffer = [0; 16];
        let mut writer = Writer::new(&mut buffer);
        let id = WireId::new(&[0xaa, 0xbb]).unwrap();
        let pn_offset = SealedHeader::write(&mut writer, true, &id, 2, 0x0001_2345);
        assert_eq!(pn_offset, 3);
        let expected = [
            0b1000_0101, // sealed · key phase 1 · packet number of 2 bytes
            0xaa,
            0xbb, // the receiver's id
            0x23,
            0x45, // the packet number's low bytes
        ];
        assert_eq!(writer.written(), expected);
        assert_eq!(SealedHeader::len(2, 2), expected.len());

        protect(&mut buffer, pn_offset, &[0xff, 1, 2, 3, 4]);
        // The three high bits stay as they are; the number's mask is as long as the number.
        assert_eq!(buffer[..5], [0b1001_1010, 0xaa, 0xbb, 0x22, 0x47]);
        let found = unprotect(&mut buffer, pn_offset, &[0xff, 1, 2, 3, 4]).unwrap();
        assert_eq!(buffer[..5], expected);
        assert_eq!(
            found,
            Unprotected {
                phase: true,
                reserved_clear: true,
                pn_len: 2,
                truncated: 0x2345
            }
        );
    }

    #[test]
    fn the_examples_of_rfc_9000() {
        // §A.2
        assert_eq!(pn_len(0xac5c02, Some(0xabe8b3)), 2);
        assert_eq!(pn_len(0xace8fe, Some(0xabe8b3)), 3);
        // §A.3
        assert_eq!(expand_pn(0x9b32, 2, 0xa82f_30eb), 0xa82f_9b32);
    }

    #[test]
    fn expansion_stays_in_range_at_both_ends() {
        assert_eq!(expand_pn(0xff, 1, 0), 0xff);
        assert_eq!(expand_pn(0x00, 1, varint::MAX), varint::MAX & !0xff);
        assert_eq!(expand_pn(u32::MAX, 4, varint::MAX), varint::MAX);
    }

    #[test]
    fn short_packets_are_none() {
        let mut packet = [0x80; 24];
        assert!(receiver(&packet, 4).is_none());
        assert!(receiver(&packet, 3).is_some());
        assert!(receiver(&packet, 0).is_none());
        packet[0] = 0xa0;
        assert!(receiver(&packet, 3).is_none(), "bit 5 is set");
        assert!(sample(&packet, 5).is_none());
        assert!(sample(&packet, usize::MAX).is_none());
        assert_eq!(unprotect(&mut packet[..4], 1, &[0; 5]), None);
        assert_eq!(unprotect(&mut packet, usize::MAX, &[0; 5]), None);
    }

    #[test]
    fn a_set_reserved_bit_is_told() {
        for flags in [0x88, 0x90] {
            let mut packet = [0; 8];
            packet[0] = flags;
            assert!(!unprotect(&mut packet, 1, &[0; 5]).unwrap().reserved_clear);
        }
    }

    proptest! {
        #[test]
        fn numbers_survive_truncation(acked in 0..varint::MAX - (1 << 32), gap in 1_u64..1 << 31, seen: u32) {
            let pn = acked + gap;
            let len = pn_len(pn, Some(acked));
            let truncated = (pn & ((1 << (8 * len)) - 1)) as u32;
            // The receiver has seen the acknowledged one or any up to just before this one.
            let expected = acked + 1 + u64::from(seen) % gap;
            prop_assert_eq!(expand_pn(truncated, len, expected), pn);
        }

        #[test]
        fn expansion_keeps_the_low_bytes(truncated: u32, len in 1_usize..=4, expected in 0..=varint::MAX) {
            let low = (u64::from(truncated) & ((1 << (8 * len)) - 1)) as u32;
            let pn = expand_pn(low, len, expected);
            prop_assert!(pn <= varint::MAX);
            prop_assert_eq!(pn & ((1 << (8 * len)) - 1), u64::from(low));
        }

        #[test]
        fn protection_undoes_itself(
            phase: bool,
            id in proptest::collection::vec(any::<u8>(), 1..=8),
            len in 1_usize..=4,
            pn in 0..=varint::MAX,
            mask: [u8; 5],
        ) {
            let id = WireId::new(&id).unwrap();
            let mut buffer = [0x5a; 40];
            let pn_offset = SealedHeader::write(&mut Writer::new(&mut buffer), phase, &id, len, pn);
            let before = buffer;
            protect(&mut buffer, pn_offset, &mask);
            prop_assert_eq!(receiver(&buffer, id.len()), Some((id, pn_offset)));
            let found = unprotect(&mut buffer, pn_offset, &mask).unwrap();
            prop_assert_eq!(buffer, before);
            prop_assert_eq!((found.phase, found.reserved_clear, found.pn_len), (phase, true, len));
            prop_assert_eq!(u64::from(found.truncated), pn & ((1 << (8 * len)) - 1));
        }

        #[test]
        fn any_bytes(mut packet in proptest::collection::vec(any::<u8>(), 0..40), offset in 0_usize..48, mask: [u8; 5]) {
            for id_len in 0..12 {
                receiver(&packet, id_len);
            }
            sample(&packet, offset);
            unprotect(&mut packet, offset, &mask);
        }
    }
}
