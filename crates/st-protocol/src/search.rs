//! The search for special bytes by arithmetic on words and on masks of blocks.

use memchr::memchr2;

use crate::escape::{BLOCK, END, ESC, NEAR};

/// Whether a payload byte has to be escaped.
pub(crate) const fn is_special(byte: u8) -> bool {
    // A bitwise or: the short-circuit form would put a branch into the inner loops.
    (byte == END) | (byte == ESC)
}

/// [`find_special`] for what may be no payload at all: told by a branch, that end is known before its bytes have come.
#[inline(always)]
pub(crate) fn find_first(bytes: &[u8]) -> Option<usize> {
    if let Some(&END) = bytes.first() {
        return Some(0);
    }
    find_special(bytes)
}

/// Finds the first END or ESC.
#[inline(always)]
pub(crate) fn find_special(bytes: &[u8]) -> Option<usize> {
    let (words, tail) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().take(NEAR / 8).enumerate() {
        if let Some(place) = special_in(*word) {
            return Some(8 * i + place);
        }
    }
    if bytes.len() >= NEAR {
        return memchr2(END, ESC, &bytes[NEAR..]).map(|at| NEAR + at);
    }
    if tail.is_empty() {
        return None;
    }
    let seen = bytes.len() - tail.len();
    match bytes.last_chunk::<8>() {
        // The last word reaches back over bytes that are ordinary.
        Some(last) => special_in(*last).map(|place| bytes.len() - 8 + place),
        None => tail
            .iter()
            .position(|&byte| is_special(byte))
            .map(|place| seen + place),
    }
}

/// The place of the first END or ESC in a word.
#[inline(always)]
fn special_in(word: [u8; 8]) -> Option<usize> {
    const ONES: u64 = every(1);
    const TOPS: u64 = every(0x80);
    let word = u64::from_le_bytes(word);
    let not_esc = word ^ every(ESC);
    // The top bit of each byte that is zero, and perhaps of bytes above one: the lowest is always right.
    let zeros = word.wrapping_sub(ONES) & !word;
    let escs = not_esc.wrapping_sub(ONES) & !not_esc;
    let found = (zeros | escs) & TOPS;
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

/// One bit per byte of `block`, set where it equals `needle`; bit 0 is the first byte.
#[inline(always)]
pub(crate) fn mask_of(block: &[u8; BLOCK], needle: u8) -> u64 {
    // Gathers the low bits of eight bytes in the top byte of the product.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    // Compared in a loop of its own, which the compiler does in vectors.
    let mut equal = [0u8; BLOCK];
    for (equal, byte) in equal.iter_mut().zip(block) {
        *equal = u8::from(*byte == needle);
    }
    let words = equal.as_chunks::<8>().0.iter().enumerate();
    words.fold(0, |mask, (lane, word)| {
        mask | (u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56) << (8 * lane)
    })
}

/// Of a block that starts outside an escape: the bytes that are the second of a pair, and whether the last byte is an
/// unpaired ESC. `escs` has a bit for each ESC.
#[inline(always)]
pub(crate) const fn seconds_of_pairs(escs: u64) -> (u64, bool) {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    // A run of ESC pairs off from its first byte. Adding the runs that begin at odd places carries each of them out to
    // the byte behind it, so that one pass of bit operations tells first from second bytes in all of them.
    let follows = escs << 1;
    let odd_starts = escs & !EVEN & !follows;
    // The carry out of the block is a run that began at an odd place and reached the end: its last ESC is unpaired.
    let (carried, open) = odd_starts.overflowing_add(escs);
    ((EVEN ^ (carried << 1)) & follows, open)
}

/// A word of eight equal bytes.
pub(crate) const fn every(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// A word with this byte in every other place, from the lowest.
pub(crate) const fn every_other(byte: u8) -> u64 {
    every(byte) & 0x00FF_00FF_00FF_00FF
}
