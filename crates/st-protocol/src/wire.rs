//! From bytes to the extent of a frame: the fast scan, and the careful one that names what is wrong (spec 8.1).

use crate::escape::{self, END, ESC, Scan};
use crate::{DecodeError, Verb};

/// Where a body (what follows the verb) ends, and how many escapes it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Index of END in the body.
    pub(crate) end: usize,
    /// Escape pairs before END.
    pub(crate) escapes: usize,
}

/// Finds verb and extent of the frame at the head of `bytes`, with at most `limit` payload bytes. Positions in errors
/// count from the verb.
pub(crate) fn frame_extent(bytes: &[u8], limit: usize) -> Result<(Verb, Extent), DecodeError> {
    let Some((&first, body)) = bytes.split_first() else {
        return Err(DecodeError::Incomplete { have: 0 });
    };
    let verb = Verb::try_from(first)?;
    // Beyond this no END could still be in time, so nothing is read there.
    let window = &body[..body.len().min(2 * limit + 1)];
    match escape::scan(window) {
        Scan::End { at, escapes } if at - escapes <= limit => {
            Ok((verb, Extent { end: at, escapes }))
        }
        Scan::More { in_escape, escapes } if window.len() - escapes <= limit => {
            let have = bytes.len();
            Err(if in_escape {
                DecodeError::TruncatedEscape { have }
            } else {
                DecodeError::Incomplete { have }
            })
        }
        _ => Err(first_error(window, 0, false, limit, 1)),
    }
}

/// Names the first error in a body that is known to hold one. `payload` bytes came before it, `in_escape` says whether
/// it starts inside an escape, `offset` is where it stands in the frame.
pub(crate) fn first_error(
    body: &[u8],
    mut payload: usize,
    mut in_escape: bool,
    limit: usize,
    offset: usize,
) -> DecodeError {
    for (i, &byte) in body.iter().enumerate() {
        let at = offset + i;
        if in_escape {
            if byte != END && byte != ESC {
                return DecodeError::InvalidEscape { at, byte };
            }
            in_escape = false;
        } else if byte == END {
            break;
        } else if payload == limit {
            return DecodeError::PayloadTooLong { at, limit };
        } else {
            payload += 1;
            in_escape = byte == ESC;
        }
    }
    // The fast scan said that there is an error; if the two ever disagreed, refusing is the safe answer.
    debug_assert!(false, "the scans disagree");
    DecodeError::Incomplete {
        have: offset + body.len(),
    }
}
