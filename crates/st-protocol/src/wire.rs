//! From bytes to the extent of a frame: the fast scan, and the careful one that names what is wrong (spec 8.1).

use crate::escape::{self, END, ESC, Scan};
use crate::{DecodeError, Verb};

/// What a look at a body (what follows the verb), or at a piece of one, found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// END stands at `end`; `escapes` pairs came before it.
    Whole { end: usize, escapes: usize },
    /// The input ends first, with `escapes` whole pairs and perhaps an unpaired ESC.
    Part { escapes: usize, in_escape: bool },
    /// There is an error within this many bytes; [`first_error`] names it.
    Wrong { window: usize },
}

/// Looks at a body, or a piece of one that starts outside an escape, in which at most `room` payload bytes may come.
#[inline]
pub(crate) fn look(body: &[u8], room: usize) -> Body {
    // Beyond this no END could still be in time, so nothing is read there.
    let window = body.len().min(2 * room + 1);
    match escape::scan(&body[..window]) {
        Scan::End { at, escapes } if at - escapes <= room => Body::Whole { end: at, escapes },
        Scan::More { in_escape, escapes } if window - escapes <= room => {
            Body::Part { escapes, in_escape }
        }
        _ => Body::Wrong { window },
    }
}

/// Names the first error in a body that is known to hold one, and is outside an escape at its start. `payload` bytes
/// came before it; `offset` is where it stands in the frame.
pub(crate) fn first_error(
    body: &[u8],
    mut payload: usize,
    limit: usize,
    offset: usize,
) -> DecodeError {
    let mut in_escape = false;
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
    DecodeError::PayloadTooLong {
        at: offset + body.len(),
        limit,
    }
}

/// The verb at the head of a frame, and what follows it.
#[inline]
pub(crate) fn split_verb(bytes: &[u8]) -> Result<(Verb, &[u8]), DecodeError> {
    let (&first, body) = bytes
        .split_first()
        .ok_or(DecodeError::Incomplete { have: 0 })?;
    Ok((Verb::try_from(first)?, body))
}

/// The answer to a frame that is right as far as it goes.
pub(crate) const fn needs_more(have: usize, in_escape: bool) -> DecodeError {
    if in_escape {
        DecodeError::TruncatedEscape { have }
    } else {
        DecodeError::Incomplete { have }
    }
}
