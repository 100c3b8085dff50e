//! Unescaping: the strategies of `escape`, the other way.

use memchr::memchr;

use crate::escape::{BLOCK, ESC, FEW_PAIRS, NEAR, SHORT_RUN, SHORT_RUNS};
use crate::search::{mask_of, seconds_of_pairs};

/// Writes what the checked wire form `wire` stands for to the head of `out` and returns its length, or `None` if `out`
/// is too short. `wire` holds whole escapes and no END, as [`scan`] has found.
pub(crate) fn unescape_into(wire: &[u8], out: &mut [u8]) -> Option<usize> {
    if wire.len() <= NEAR {
        return unescape_plain(wire, out, 0);
    }
    let mut from = 0;
    let mut to = 0;
    let mut short_runs = 0;
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
        short_runs = if run < SHORT_RUN { short_runs + 1 } else { 0 };
        if short_runs == SHORT_RUNS {
            short_runs = 0;
            (from, to) = unescape_dense(wire, from, out, to)?;
        }
    }
}

/// Room for a block, and for the word that is written when it is nearly full.
type Unescaped = [u8; BLOCK + 8];

/// Unescapes blocks while they hold many pairs, and what is left at the end; `None` if `out` is too short.
fn unescape_dense(
    wire: &[u8],
    mut from: usize,
    out: &mut [u8],
    mut to: usize,
) -> Option<(usize, usize)> {
    while let Some(block) = wire[from..].first_chunk::<BLOCK>() {
        let escs = mask_of(block, ESC);
        let (seconds, open) = seconds_of_pairs(escs);
        let kept = !(escs & !seconds);
        let len = match out.get_mut(to..).and_then(|room| room.first_chunk_mut()) {
            Some(room) => keep_bytes(block, kept, room),
            None => {
                let mut unescaped = [0; BLOCK + 8];
                let len = keep_bytes(block, kept, &mut unescaped);
                out.get_mut(to..to + len)?
                    .copy_from_slice(&unescaped[..len]);
                len
            }
        };
        // An ESC in the last place is left for the next block.
        from += BLOCK - usize::from(open);
        to += len;
        if seconds.count_ones() < FEW_PAIRS {
            return Some((from, to));
        }
    }
    Some((wire.len(), unescape_plain(&wire[from..], out, to)?))
}

/// Unescapes byte by byte to `to` and on; returns where the result ends.
#[inline]
fn unescape_plain(wire: &[u8], out: &mut [u8], mut to: usize) -> Option<usize> {
    let mut open = false;
    for &byte in wire {
        // The first byte of a pair is written too, and overwritten by the second.
        *out.get_mut(to)? = byte;
        open = !open & (byte == ESC);
        to += usize::from(!open);
    }
    Some(to)
}

/// Moves the bytes of `block` whose bit in `kept` is set together, and returns how many there are.
#[inline(always)]
fn keep_bytes(block: &[u8; BLOCK], kept: u64, unescaped: &mut Unescaped) -> usize {
    const ALL_PAIRS: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    if kept == ALL_PAIRS {
        for (byte, [_, second]) in unescaped.iter_mut().zip(block.as_chunks::<2>().0) {
            *byte = *second;
        }
        return BLOCK / 2;
    }
    let mut len = 0;
    for (lane, word) in block.as_chunks::<8>().0.iter().enumerate() {
        let row = &KEPT[usize::from((kept >> (8 * lane)) as u8)];
        let at = len % (BLOCK + 1);
        let Some(room) = unescaped[at..].first_chunk_mut::<8>() else {
            break;
        };
        // All eight places are written; those beyond `row.len` are overwritten by the next word.
        for (byte, place) in room.iter_mut().zip(row.places) {
            *byte = word[usize::from(place % 8)];
        }
        len += usize::from(row.len);
    }
    len
}

/// For eight bits, the places of those that are set.
#[derive(Clone, Copy)]
struct Row {
    places: [u8; 8],
    len: u8,
}

static KEPT: [Row; 256] = {
    let mut table = [Row {
        places: [0; 8],
        len: 0,
    }; 256];
    let mut bits = 0;
    while bits < 256 {
        let mut place = 0;
        while place < 8 {
            if bits >> place & 1 == 1 {
                let row = &mut table[bits];
                row.places[row.len as usize] = place;
                row.len += 1;
            }
            place += 1;
        }
        bits += 1;
    }
    table
};
