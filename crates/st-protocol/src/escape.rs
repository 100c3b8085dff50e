//! Escaping, unescaping and the search for END: the inner loops (spec 2).
//!
//! Two strategies, chosen by what the last bytes looked like. Where special bytes are rare, `memchr`
//! finds them and whole runs are copied. Where they are dense, a call per byte would make the worst input that
//! an attacker can choose several times slower than a plain loop; there, blocks of 64 bytes go through code without
//! data-dependent branches. All of it is safe code: the masks come from arithmetic on `u64`.

use memchr::{memchr, memchr2};

/// The byte that ends a frame (spec 1.1).
pub const END: u8 = 0x00;

/// The byte that makes the next one literal (spec 2.1).
pub const ESC: u8 = 0x1B;

/// Bytes that the dense strategy handles at once: one bit each in a `u64`.
const BLOCK: usize = 64;

/// A run of ordinary bytes shorter than this makes the next block a dense one: about what a call to `memchr` costs
/// in bytes of a plain loop.
const SHORT_RUN: usize = 16;

/// A dense block with fewer special bytes than this ends the dense strategy.
const FEW: u32 = 4;

/// What a look at the wire form of a payload, and what may follow it, found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// END stands at `at`; `escapes` pairs came before it.
    End { at: usize, escapes: usize },
    /// The input ended first; `in_escape` if its last byte is an unpaired ESC.
    More { escapes: usize, in_escape: bool },
    /// The byte at `at` follows an unpaired ESC and may not.
    Bad { at: usize },
}

/// Finds the END of a body that starts outside an escape.
pub(crate) fn scan(body: &[u8]) -> Scan {
    let mut at = 0;
    let mut escapes = 0;
    loop {
        let Some(run) = memchr2(END, ESC, &body[at..]) else {
            return Scan::More {
                escapes,
                in_escape: false,
            };
        };
        at += run;
        if body[at] == END {
            return Scan::End { at, escapes };
        }
        match body.get(at + 1) {
            None => {
                return Scan::More {
                    escapes,
                    in_escape: true,
                };
            }
            Some(&(END | ESC)) => {
                at += 2;
                escapes += 1;
            }
            Some(_) => {
                return Scan::Bad { at: at + 1 };
            }
        }
        if run < SHORT_RUN {
            (at, escapes) = scan_dense(body, at, escapes);
        }
    }
}

/// Passes over blocks that hold many whole escapes, no END and no error; stops before the first other one, outside an
/// escape.
fn scan_dense(body: &[u8], mut at: usize, mut escapes: usize) -> (usize, usize) {
    while let Some(block) = body.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
        let zeros = mask_of(block, END);
        let escs = mask_of(block, ESC);
        let (seconds, open) = seconds_of_pairs(escs);
        let wrong = seconds & !(zeros | escs);
        let ends = zeros & !seconds;
        if wrong | ends != 0 {
            // The scalar path finds out which and where; it restarts at this block, outside an escape.
            return scan_plain(body, at, escapes, BLOCK);
        }
        escapes += seconds.count_ones() as usize;
        // An ESC in the last place is left for the next block, which then starts outside an escape.
        at += BLOCK - usize::from(open);
        if seconds.count_ones() < FEW {
            break;
        }
    }
    (at, escapes)
}

/// Passes over at most `limit` bytes of whole escapes and ordinary bytes, byte by byte; stops before END, before an escape
/// that is cut or wrong, and at the end.
fn scan_plain(body: &[u8], mut at: usize, mut escapes: usize, limit: usize) -> (usize, usize) {
    let stop = body.len().min(at + limit);
    while at < stop {
        match body[at] {
            END => break,
            ESC if matches!(body.get(at + 1), Some(&(END | ESC))) => {
                at += 2;
                escapes += 1;
            }
            ESC => break,
            _ => at += 1,
        }
    }
    (at, escapes)
}

/// How many bytes `plain` takes once escaped, without END.
pub(crate) fn escaped_len(plain: &[u8]) -> usize {
    // Sums of at most 255 fit in a byte, which lets the compiler count in vectors of bytes.
    let specials: usize = plain
        .chunks(usize::from(u8::MAX))
        .map(|chunk| {
            usize::from(chunk.iter().fold(0u8, |sum, &byte| {
                sum.wrapping_add(u8::from(is_special(byte)))
            }))
        })
        .sum();
    plain.len() + specials
}

/// Writes the wire form of `plain` to the head of `out` and returns its length, or `None` if `out` is too short (what
/// it then holds is unspecified).
pub(crate) fn escape_into(plain: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut from = 0;
    let mut to = 0;
    loop {
        let rest = &plain[from..];
        let Some(run) = memchr2(END, ESC, rest) else {
            out.get_mut(to..to + rest.len())?.copy_from_slice(rest);
            return Some(to + rest.len());
        };
        let (ordinary, pair) = out.get_mut(to..to + run + 2)?.split_at_mut(run);
        ordinary.copy_from_slice(&rest[..run]);
        pair[0] = ESC;
        pair[1] = rest[run];
        from += run + 1;
        to += run + 2;
        if run < SHORT_RUN {
            (from, to) = escape_dense(plain, from, out, to)?;
        }
    }
}

/// Escapes blocks while they hold many special bytes; `None` if `out` is too short.
fn escape_dense(
    plain: &[u8],
    mut from: usize,
    out: &mut [u8],
    mut to: usize,
) -> Option<(usize, usize)> {
    let mut wide = [0u8; 2 * BLOCK];
    while let Some(block) = plain
        .get(from..)
        .and_then(|rest| rest.first_chunk::<BLOCK>())
    {
        let mut len = 0;
        for &byte in block {
            // Always write ESC and let the byte itself overwrite it where it was not wanted: no branch to mispredict.
            wide[len % (2 * BLOCK)] = ESC;
            len += usize::from(is_special(byte));
            wide[len % (2 * BLOCK)] = byte;
            len += 1;
        }
        out.get_mut(to..to + len)?.copy_from_slice(&wide[..len]);
        from += BLOCK;
        to += len;
        if len < BLOCK + FEW as usize {
            break;
        }
    }
    Some((from, to))
}

/// Writes what the checked wire form `wire` stands for to the head of `out` and returns its length, or `None` if `out`
/// is too short. `wire` holds whole escapes and no END, as [`scan`] has found.
pub(crate) fn unescape_into(wire: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut from = 0;
    let mut to = 0;
    loop {
        let rest = &wire[from..];
        let Some(run) = memchr(ESC, rest) else {
            out.get_mut(to..to + rest.len())?.copy_from_slice(rest);
            return Some(to + rest.len());
        };
        let target = out.get_mut(to..to + run + 1)?;
        target[..run].copy_from_slice(&rest[..run]);
        target[run] = *rest.get(run + 1)?;
        from += run + 2;
        to += run + 1;
        if run < SHORT_RUN {
            (from, to) = unescape_dense(wire, from, out, to)?;
        }
    }
}

/// Unescapes blocks while they hold many pairs; `None` if `out` is too short.
fn unescape_dense(
    wire: &[u8],
    mut from: usize,
    out: &mut [u8],
    mut to: usize,
) -> Option<(usize, usize)> {
    let mut narrow = [0u8; BLOCK];
    while let Some(block) = wire
        .get(from..)
        .and_then(|rest| rest.first_chunk::<BLOCK>())
    {
        let mut len = 0;
        let mut open = false;
        for &byte in block {
            narrow[len % BLOCK] = byte;
            open = !open & (byte == ESC);
            len += usize::from(!open);
        }
        out.get_mut(to..to + len)?.copy_from_slice(&narrow[..len]);
        from += BLOCK - usize::from(open);
        to += len;
        if len > BLOCK - FEW as usize {
            break;
        }
    }
    Some((from, to))
}

/// Whether a payload byte has to be escaped.
pub(crate) const fn is_special(byte: u8) -> bool {
    // A bitwise or: the short-circuit form would put a branch into the inner loops.
    (byte == END) | (byte == ESC)
}

/// One bit per byte of `block`, set where it equals `needle`; bit 0 is the first byte.
fn mask_of(block: &[u8; BLOCK], needle: u8) -> u64 {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    const GATHER: u64 = 0x0002_0408_1020_4081;
    let pattern = u64::from_ne_bytes([needle; 8]);
    let mut mask = 0;
    for (lane, word) in block.as_chunks::<8>().0.iter().enumerate() {
        let differs = u64::from_le_bytes(*word) ^ pattern;
        // The top bit of each byte that is zero, and of no other (no carry crosses a byte).
        let equal = !(((differs & LOW) + LOW) | differs | LOW);
        mask |= (equal.wrapping_mul(GATHER) >> 56) << (8 * lane);
    }
    mask
}

/// Of a block that starts outside an escape: the bytes that are the second of a pair, and whether the last byte is an
/// unpaired ESC. `escs` has a bit for each ESC.
fn seconds_of_pairs(escs: u64) -> (u64, bool) {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    // A run of ESC pairs off from its first byte. Adding the runs that begin at odd places carries each of them out to
    // the byte behind it, so that one pass of bit operations tells first from second bytes in all of them.
    let follows = escs << 1;
    let odd_starts = escs & !EVEN & !follows;
    // The carry out of the block is a run that began at an odd place and reached the end: its last ESC is unpaired.
    let (carried, open) = odd_starts.overflowing_add(escs);
    ((EVEN ^ (carried << 1)) & follows, open)
}

#[cfg(test)]
#[path = "escape_tests.rs"]
mod tests;
