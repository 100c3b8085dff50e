//! Escaping and the search for END: the inner loops (spec 2).
//!
//! Three strategies, here and in `unescape`, chosen by what the last bytes looked like. The next few words are looked at
//! by arithmetic on `u64`, so that a small frame costs no call. Where special bytes are rare beyond that, `memchr` finds them and whole runs are
//! copied. Where they are dense, a call per byte would make the worst input that an attacker can choose several times slower
//! than a plain loop: there, blocks go through code without data-dependent branches. All of it is safe code.

use memchr::{memchr2, memchr2_iter};

use crate::search::{every, every_other, find_special, is_special, mask_of, seconds_of_pairs};

/// The byte that ends a frame (spec 1.1).
pub const END: u8 = 0x00;

/// The byte that makes the next one literal (spec 2.1).
pub const ESC: u8 = 0x1B;

/// Bytes that are scanned or unescaped at once where pairs are dense: one bit each in a `u64`.
pub(crate) const BLOCK: usize = 64;

/// Bytes that are escaped at once where special bytes are dense.
const PLAIN_BLOCK: usize = 32;

/// A run of ordinary bytes shorter than this counts as a sign of density: about what finding a special byte costs, in
/// bytes of the dense code.
pub(crate) const SHORT_RUN: usize = 16;

/// So many short runs in a row start the dense strategy. Fewer may be chance.
pub(crate) const SHORT_RUNS: u32 = 3;

/// A dense block of the wire with fewer pairs than this ends the dense strategy.
pub(crate) const FEW_PAIRS: u32 = 3;

/// The same for a block to be escaped.
const FEW_SPECIALS: usize = 2;

/// Bytes looked at in place before `memchr` is called; what is no longer needs no call at all.
pub(crate) const NEAR: usize = 64;

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
#[inline]
pub(crate) fn scan(body: &[u8]) -> Scan {
    match find_special(body) {
        None => Scan::More {
            escapes: 0,
            in_escape: false,
        },
        Some(at) if body[at] == END => Scan::End { at, escapes: 0 },
        Some(at) => scan_escapes(body, at),
    }
}

/// [`scan`] from the first ESC on.
#[inline(never)]
fn scan_escapes(body: &[u8], at: usize) -> Scan {
    // An escape near the start may be one of a small frame, whose END is near too.
    let near = if body.len() - at <= NEAR {
        NEAR
    } else {
        SHORT_RUN
    };
    let (mut at, mut escapes) = scan_plain(body, at, 0, near);
    let mut short_runs = 0;
    loop {
        match (body.get(at), body.get(at + 1)) {
            (Some(&END), _) => return Scan::End { at, escapes },
            (Some(&ESC), Some(&(END | ESC))) => {
                at += 2;
                escapes += 1;
            }
            (Some(&ESC), Some(_)) => return Scan::Bad { at: at + 1 },
            (Some(&ESC), None) => {
                return Scan::More {
                    escapes,
                    in_escape: true,
                };
            }
            _ => {}
        }
        let Some(run) = memchr2(END, ESC, &body[at..]) else {
            return Scan::More {
                escapes,
                in_escape: false,
            };
        };
        at += run;
        short_runs = if run < SHORT_RUN { short_runs + 1 } else { 0 };
        if short_runs == SHORT_RUNS {
            short_runs = 0;
            (at, escapes) = scan_dense(body, at, escapes);
        }
    }
}

/// Passes over blocks that hold many whole escapes, no END and no error; stops before the first other one, outside an
/// escape.
fn scan_dense(body: &[u8], mut at: usize, mut escapes: usize) -> (usize, usize) {
    while let Some(block) = body[at..].first_chunk::<BLOCK>() {
        let zeros = mask_of(block, END);
        let escs = mask_of(block, ESC);
        let (seconds, open) = seconds_of_pairs(escs);
        let wrong = seconds & !(zeros | escs);
        let ends = zeros & !seconds;
        if wrong | ends != 0 {
            break;
        }
        escapes += seconds.count_ones() as usize;
        // An ESC in the last place is left for the next block, which then starts outside an escape.
        at += BLOCK - usize::from(open);
        if seconds.count_ones() < FEW_PAIRS {
            return (at, escapes);
        }
    }
    // Less than a block is left, or this one holds the END or the error, which the scalar path finds.
    scan_plain(body, at, escapes, BLOCK)
}

/// Passes over about `limit` bytes of whole escapes and ordinary bytes, pair by pair; stops before END, before an escape that is cut
/// or wrong, and at the end.
fn scan_plain(body: &[u8], mut at: usize, mut escapes: usize, limit: usize) -> (usize, usize) {
    const FIRSTS: u64 = 0x00FF_00FF_00FF_00FF;
    let stop = body.len().min(at + limit);
    while at < stop {
        if let Some(word) = body[at..].first_chunk() {
            let word = u64::from_le_bytes(*word);
            let seconds = (word >> 8) & FIRSTS;
            // Four pairs: ESC four times, each followed by 0x00 or 0x1B; 0x1B is 0x01 times itself, 0x00 is none.
            if word & FIRSTS == every_other(ESC)
                && (seconds & every_other(1)) * u64::from(ESC) == seconds
            {
                at += 8;
                escapes += 4;
                continue;
            }
        }
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

/// Where frames end in a block that starts with one, and where their escapes are; a bit for each byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    /// Every END before the first wrong escape.
    pub(crate) ends: u64,
    /// Every ESC that opens an escape.
    pub(crate) escapes: u64,
}

impl Marks {
    pub(crate) const NONE: Self = Self {
        ends: 0,
        escapes: 0,
    };
}

/// Looks at a whole block, wherever its frames begin. A verb that is ESC or END is not told from payload: whoever comes to it
/// finds that it is no verb, and uses none of the marks behind it.
#[inline]
pub(crate) fn mark(block: &[u8; BLOCK]) -> Marks {
    let zeros = mask_of(block, END);
    let escs = mask_of(block, ESC);
    if escs == 0 {
        return Marks {
            ends: zeros,
            escapes: 0,
        };
    }
    let (seconds, _) = seconds_of_pairs(escs);
    let wrong = seconds & !(zeros | escs);
    // All bits below the lowest one of `wrong`, or all.
    let right = !wrong & wrong.wrapping_sub(1);
    Marks {
        ends: zeros & !seconds & right,
        escapes: escs & !seconds,
    }
}

/// How many bytes `plain` takes once escaped, without END.
pub(crate) fn escaped_len(plain: &[u8]) -> usize {
    // Sums of at most 255 fit in a byte, which lets the compiler count in vectors of bytes.
    let count = |chunk: &[u8]| {
        chunk.iter().fold(0u8, |sum, &byte| {
            sum.wrapping_add(u8::from(is_special(byte)))
        })
    };
    plain.len()
        + plain
            .chunks(usize::from(u8::MAX))
            .map(|chunk| usize::from(count(chunk)))
            .sum::<usize>()
}

/// Writes the wire form of `plain` to the head of `out` and returns its length, or `None` if `out` is too short (what
/// it then holds is unspecified).
#[inline]
pub(crate) fn escape_into(plain: &[u8], out: &mut [u8]) -> Option<usize> {
    if plain.len() > NEAR {
        return escape_long(plain, out);
    }
    if find_special(plain).is_some() {
        if plain.len() <= PLAIN_BLOCK {
            return escape_some(plain, out);
        }
        return escape_dense(plain, 0, out, 0).map(|(_, len)| len);
    }
    copy(out.get_mut(..plain.len())?, plain);
    Some(plain.len())
}

#[inline(never)]
fn escape_long(plain: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut from = 0;
    let mut to = 0;
    'search: loop {
        let start = from;
        let mut short_runs = 0;
        for at in memchr2_iter(END, ESC, &plain[start..]) {
            let run = start + at - from;
            let (ordinary, pair) = out.get_mut(to..to + run + 2)?.split_at_mut(run);
            ordinary.copy_from_slice(&plain[from..from + run]);
            pair[0] = ESC;
            pair[1] = plain[from + run];
            from += run + 1;
            to += run + 2;
            short_runs = if run < SHORT_RUN { short_runs + 1 } else { 0 };
            if short_runs == SHORT_RUNS {
                (from, to) = escape_dense(plain, from, out, to)?;
                continue 'search;
            }
        }
        let rest = &plain[from..];
        out.get_mut(to..to + rest.len())?.copy_from_slice(rest);
        return Some(to + rest.len());
    }
}

/// Copies a slice onto one of the same length; short ones without a call.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    if let (8..=16, Some(first), Some(last)) =
        (from.len(), from.first_chunk::<8>(), from.last_chunk::<8>())
        && let Some(start) = to.first_chunk_mut()
    {
        *start = *first;
        if let Some(end) = to.last_chunk_mut() {
            *end = *last;
        }
    } else {
        to.copy_from_slice(from);
    }
}

/// Room for the worst case of a block, and for the second byte of the last entry that is written.
type Escaped = [u8; 2 * PLAIN_BLOCK + 1];

/// Escapes blocks while they hold many special bytes, and what is left at the end; `None` if `out` is too short.
#[inline(never)]
fn escape_dense(
    plain: &[u8],
    mut from: usize,
    out: &mut [u8],
    mut to: usize,
) -> Option<(usize, usize)> {
    while from < plain.len() {
        let block = &plain[from..plain.len().min(from + PLAIN_BLOCK)];
        let room = out.get_mut(to..)?;
        // What a whole block may write beyond its own end is overwritten by the next one.
        let is_last = from + block.len() == plain.len();
        let len = match (block.first_chunk(), room.first_chunk_mut()) {
            (Some(whole), Some(room)) if !is_last => escape_whole(whole, room),
            _ => escape_some(block, room)?,
        };
        from += block.len();
        to += len;
        if len < block.len() + FEW_SPECIALS && plain.len() > NEAR {
            break;
        }
    }
    Some((from, to))
}

/// Escapes at most [`PLAIN_BLOCK`] bytes to the head of `out`, where nothing else changes, and returns the length of the result;
/// `None` if `out` is too short.
#[inline]
fn escape_some(block: &[u8], out: &mut [u8]) -> Option<usize> {
    // Straight into `out` where there is room for the worst case.
    if let Some(room) = out.first_chunk_mut::<{ 2 * PLAIN_BLOCK + 1 }>() {
        let (last, before) = block.split_last()?;
        let len = escape_block(before, room);
        return if is_special(*last) {
            room[len..len + 2].copy_from_slice(&[ESC, *last]);
            Some(len + 2)
        } else {
            room[len] = *last;
            Some(len + 1)
        };
    }
    let mut escaped = [0; 2 * PLAIN_BLOCK + 1];
    let len = escape_block(block, &mut escaped);
    out.get_mut(..len)?.copy_from_slice(&escaped[..len]);
    Some(len)
}

/// Escapes a whole block to the head of `out`, which has room for the worst case, and returns the length of the result. The
/// byte behind it may change.
#[inline(always)]
fn escape_whole(block: &[u8; PLAIN_BLOCK], out: &mut Escaped) -> usize {
    // Nothing but special bytes is what an attacker would send; any mixture takes the same time, byte by byte.
    let all_special = block.iter().fold(true, |all, &byte| all & is_special(byte));
    if !all_special {
        return escape_bytes(block, out, 0);
    }
    // An interleaving of vectors, where there are vectors.
    for (pair, byte) in out.as_chunks_mut::<2>().0.iter_mut().zip(block) {
        *pair = [ESC, *byte];
    }
    2 * PLAIN_BLOCK
}

/// Escapes at most [`PLAIN_BLOCK`] bytes and returns the length of the result. The byte behind it may change.
#[inline(always)]
fn escape_block(block: &[u8], escaped: &mut Escaped) -> usize {
    let (words, tail) = block.as_chunks::<8>();
    let mut len = 0;
    for bytes in words {
        let word = u64::from_le_bytes(*bytes);
        // Eight special bytes: each is 0x1B times its lowest bit.
        if (word & every(1)) * u64::from(ESC) == word
            && let Some(room) = escaped[len % (2 * PLAIN_BLOCK)..].first_chunk_mut::<16>()
        {
            *room = [ESC; 16];
            for (pair, byte) in room.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
                pair[1] = *byte;
            }
            len += 16;
        } else {
            len = escape_bytes(bytes, escaped, len);
        }
    }
    escape_bytes(tail, escaped, len)
}

/// Escapes a few bytes to `len` and on; returns where the result ends.
#[inline(always)]
fn escape_bytes(bytes: &[u8], escaped: &mut Escaped, mut len: usize) -> usize {
    for &byte in bytes {
        // Two bytes are always written; after an ordinary byte the next entry overwrites the second of them. Nothing
        // here depends on the byte but the place where the next one goes.
        let entry = ESCAPED[usize::from(byte)];
        let at = len % (2 * PLAIN_BLOCK);
        escaped[at..at + 2].copy_from_slice(&(entry as u16).to_le_bytes());
        len += (entry >> 16) as usize;
    }
    len
}

/// What a byte becomes on the wire: in the low half of an entry its bytes, in the high half how many they are. One load gives
/// both.
static ESCAPED: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte as u32 | 1 << 16;
        byte += 1;
    }
    table[END as usize] = ESC as u32 | (END as u32) << 8 | 2 << 16;
    table[ESC as usize] = ESC as u32 | (ESC as u32) << 8 | 2 << 16;
    table
};

#[cfg(test)]
#[path = "escape_tests.rs"]
mod tests;
