//! Frames out of a stream that arrives in pieces (spec 8.3 to 8.5).

use crate::escape::{self, END, ESC, Scan};
use crate::search::find_first;
use crate::storage::{DefaultStorage, Storage};
use crate::unescape::unescape_into;
use crate::wire::{self, Body};
use crate::{DecodeError, FrameRef, Frames, MAX_PAYLOAD_LEN, PayloadRef, Verb, VerbError};

/// Payloads up to this many bytes are worth a pass of their own.
const SHORT: usize = 32;

/// A push decoder: takes input cut anywhere, gives the frames in it.
///
/// ```
/// use st_protocol::{Decoder, Verb};
///
/// let mut decoder = Decoder::new();
/// let mut verbs = Vec::new();
/// for mut piece in [&b"\x05\x00\x03TO"[..], b"DO\x00\x06"] {
///     while let Some(frame) = decoder.next_frame(&mut piece)? {
///         verbs.push(frame.verb());
///     }
/// }
/// assert_eq!(verbs, [Verb::Ping, Verb::Search]);
/// assert!(decoder.finish().is_err_and(|e| e.needs_more()), "an OK was begun");
/// # Ok::<(), st_protocol::DecodeError>(())
/// ```
///
/// A frame borrows the input if it lies there whole and without escapes, else the decoder's own memory: a `Vec<u8>` that
/// grows to the payloads that come ([`new`](Decoder::new)), or an array or slice of the caller's
/// ([`with_storage`](Decoder::with_storage)), which needs no `alloc`. The payload of a frame from here is always
/// plain: [`PayloadRef::as_bytes`] is never `None`.
///
/// After an error it is fused: it returns that error until [`resync`](Self::resync) or [`reset`](Self::reset).
#[derive(Clone, Debug)]
pub struct Decoder<S = DefaultStorage> {
    pub(crate) storage: S,
    pub(crate) limit: usize,
    pub(crate) state: State,
    /// Bytes of the stream taken so far.
    pub(crate) position: u64,
    report: Option<Skipped>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum State {
    /// A verb comes next.
    Start,
    /// Inside a frame that came in pieces; the first `len` bytes of its payload are in the storage.
    Inside(Inside),
    /// Fused. `next` is how to go on, should resynchronising be asked for.
    Failed {
        error: DecodeError,
        from: u64,
        next: AfterError,
    },
    /// Looking for END.
    Skipping {
        error: DecodeError,
        from: u64,
        in_escape: bool,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Inside {
    verb: Verb,
    /// Wire bytes of the frame so far.
    wire: usize,
    /// Payload bytes so far, unescaped, without one whose escape is open.
    len: usize,
    in_escape: bool,
}

/// Where the erroneous byte leaves a reader that only looks for END (spec 8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterError {
    /// It was an END itself.
    AtEnd,
    InPayload,
    InEscape,
}

/// What [`Decoder::resync`] passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where the broken frame starts, in bytes from the start of the stream.
    pub from: u64,
    /// Bytes skipped, with those of the broken frame before the error and the END.
    pub len: u64,
    /// What was wrong.
    pub cause: DecodeError,
}

#[cfg(feature = "alloc")]
impl Decoder {
    /// A decoder with memory of its own, up to one payload's worth.
    pub const fn new() -> Self {
        Self {
            storage: alloc::vec::Vec::new(),
            limit: MAX_PAYLOAD_LEN,
            state: State::Start,
            position: 0,
            report: None,
        }
    }
}

#[cfg(feature = "alloc")]
impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Storage> Decoder<S> {
    /// A decoder that keeps partial payloads in `storage`; longer payloads than fit there are refused, whole or in pieces.
    pub fn with_storage(storage: S) -> Self {
        let limit = storage.most().min(MAX_PAYLOAD_LEN);
        Self {
            storage,
            limit,
            state: State::Start,
            position: 0,
            report: None,
        }
    }

    /// Refuses payloads over `limit` bytes; a limit over what the storage or the protocol allows changes nothing.
    #[must_use]
    pub fn max_payload_len(mut self, limit: usize) -> Self {
        self.limit = self.limit.min(limit);
        self
    }

    /// Takes bytes off the front of `input` until a frame is whole, and gives it; `None` once the input is used up.
    ///
    /// # Errors
    /// What is wrong with the stream, at the first byte that can't be right. What follows that byte stays in `input`.
    /// The same error comes again until [`resync`](Self::resync) or [`reset`](Self::reset).
    #[inline]
    pub fn next_frame<'s, 'a: 's>(
        &'s mut self,
        input: &mut &'a [u8],
    ) -> Result<Option<FrameRef<'s>>, DecodeError> {
        // A frame that lies in the input whole, without escapes or short: nearly every one.
        if let (State::Start, [verb, body @ ..]) = (self.state, *input)
            && let Some(verb) = Verb::from_byte(*verb)
            && let Some(at) = find_first(body)
            && at <= self.limit
        {
            if body[at] == END {
                self.take(at + 2, input);
                let payload = PayloadRef::plain(&body[..at]);
                return Ok(Some(FrameRef::from_parts(verb, payload)));
            }
            if at < SHORT
                && let Some((end, len)) = self.unescape_short(body)
            {
                self.take(end + 2, input);
                return Ok(Some(self.stored(verb, len)));
            }
        }
        // Taken apart and put together, so that the ways above do not go through memory too.
        match self.next_by_state(input) {
            Ok(Some(frame)) => {
                let payload = frame.payload().as_bytes().unwrap_or_default();
                let payload = PayloadRef::plain(payload);
                Ok(Some(FrameRef::from_parts(frame.verb(), payload)))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        }
    }

    #[inline(never)]
    fn next_by_state<'s, 'a: 's>(
        &'s mut self,
        input: &mut &'a [u8],
    ) -> Result<Option<FrameRef<'s>>, DecodeError> {
        match self.state {
            State::Start => {}
            State::Inside(inside) => return self.go_on(inside, input),
            State::Failed { error, .. } => return Err(error),
            State::Skipping { .. } => {
                if !self.skip(input) {
                    return Ok(None);
                }
            }
        }
        if input.is_empty() {
            return Ok(None);
        }
        self.begin(input)
    }

    /// The frames of one read: the same as [`next_frame`](Self::next_frame) over `input`, and faster where frames are small,
    /// since it looks for the ends of many at once. See [`Frames`].
    pub const fn frames<'d, 'a>(&'d mut self, input: &'a [u8]) -> Frames<'d, 'a, S> {
        Frames::new(self, input)
    }

    /// Says whether the stream may end here.
    ///
    /// # Errors
    /// A frame has begun and not ended ([`DecodeError::needs_more`]), or the stream was wrong.
    pub const fn finish(&self) -> Result<(), DecodeError> {
        match self.state {
            State::Start => Ok(()),
            State::Inside(Inside {
                wire, in_escape, ..
            }) => Err(wire::needs_more(wire, in_escape)),
            State::Failed { error, .. } | State::Skipping { error, .. } => Err(error),
        }
    }

    /// After an error: skips to the next true END and goes on from there (spec 8.4). Without an error it does nothing.
    ///
    /// For tools that look on. Who acts on frames closes the connection instead, so that bytes embedded in a broken frame can
    /// never run as a command.
    pub fn resync(&mut self) {
        if let State::Failed { error, from, next } = self.state {
            self.state = State::Skipping {
                error,
                from,
                in_escape: next == AfterError::InEscape,
            };
            if next == AfterError::AtEnd {
                self.end_skip(error, from);
            }
        }
    }

    /// What the last finished [`resync`](Self::resync) passed over; given once. Stretches that touch and were not yet taken are
    /// one, with the cause of the first.
    pub const fn take_skipped(&mut self) -> Option<Skipped> {
        self.report.take()
    }

    /// Forgets everything but the limits, and counts the stream from zero.
    pub fn reset(&mut self) {
        self.state = State::Start;
        self.position = 0;
        self.report = None;
    }

    /// Bytes of the stream taken so far.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Whether a frame has begun and not ended.
    pub const fn is_inside_frame(&self) -> bool {
        matches!(self.state, State::Inside(_))
    }

    /// Unescapes a short body into the storage in one pass; gives where its END is and the length of the payload. `None`
    /// leaves the decision to the careful path: not short, not whole, over the limit, or wrong.
    fn unescape_short(&mut self, body: &[u8]) -> Option<(usize, usize)> {
        let most = self.limit.min(SHORT);
        let room = self.storage.room(most)?.get_mut(..most)?;
        let (mut len, mut open) = (0, false);
        for (at, &byte) in body.iter().enumerate().take(2 * SHORT) {
            if byte == END && !open {
                return Some((at, len));
            }
            if open && byte != END && byte != ESC {
                return None;
            }
            *room.get_mut(len)? = byte;
            open = !open & (byte == ESC);
            len += usize::from(!open);
        }
        None
    }

    /// Starts a frame at the head of `input`, which is not empty.
    fn begin<'s, 'a: 's>(
        &'s mut self,
        input: &mut &'a [u8],
    ) -> Result<Option<FrameRef<'s>>, DecodeError> {
        let bytes = *input;
        let (verb, body) = match wire::split_verb(bytes) {
            Ok(split) => split,
            Err(error) => return Err(self.fail(error, 0, input)),
        };
        match wire::look(body, self.limit) {
            Body::Whole { end, escapes } => {
                self.take(end + 2, input);
                let wire_form = &body[..end];
                if escapes == 0 {
                    return Ok(Some(FrameRef::from_parts(
                        verb,
                        PayloadRef::plain(wire_form),
                    )));
                }
                self.append(0, wire_form, escapes);
                Ok(Some(self.stored(verb, end - escapes)))
            }
            Body::Part { escapes, in_escape } => {
                self.keep(
                    Inside {
                        verb,
                        wire: 1,
                        len: 0,
                        in_escape: false,
                    },
                    body,
                    escapes,
                    in_escape,
                );
                self.take(bytes.len(), input);
                Ok(None)
            }
            Body::Wrong { window } => {
                let error = wire::first_error(&body[..window], 0, self.limit, 1);
                Err(self.fail(error, 0, input))
            }
        }
    }

    /// Goes on with a frame that came in pieces.
    fn go_on<'s, 'a: 's>(
        &'s mut self,
        mut inside: Inside,
        input: &mut &'a [u8],
    ) -> Result<Option<FrameRef<'s>>, DecodeError> {
        let before = inside.wire;
        let mut body = *input;
        if inside.in_escape {
            let Some((&byte, rest)) = body.split_first() else {
                return Ok(None);
            };
            if byte != END && byte != ESC {
                let error = DecodeError::InvalidEscape { at: before, byte };
                return Err(self.fail(error, before, input));
            }
            self.append(inside.len, &[ESC, byte], 1);
            inside = Inside {
                wire: before + 1,
                len: inside.len + 1,
                in_escape: false,
                ..inside
            };
            body = rest;
        }
        match wire::look(body, self.limit - inside.len) {
            Body::Whole { end, escapes } => {
                self.append(inside.len, &body[..end], escapes);
                self.take(inside.wire - before + end + 1, input);
                self.state = State::Start;
                Ok(Some(self.stored(inside.verb, inside.len + end - escapes)))
            }
            Body::Part { escapes, in_escape } => {
                self.keep(inside, body, escapes, in_escape);
                self.take(input.len(), input);
                Ok(None)
            }
            Body::Wrong { window } => {
                let error = wire::first_error(&body[..window], inside.len, self.limit, inside.wire);
                Err(self.fail(error, before, input))
            }
        }
    }

    /// Keeps a piece of a body that ends with the input.
    fn keep(&mut self, inside: Inside, piece: &[u8], escapes: usize, in_escape: bool) {
        let whole = piece.len() - usize::from(in_escape);
        self.append(inside.len, &piece[..whole], escapes);
        self.state = State::Inside(Inside {
            verb: inside.verb,
            wire: inside.wire + piece.len(),
            len: inside.len + whole - escapes,
            in_escape,
        });
    }

    /// Unescapes a checked piece into the storage, behind its first `at` bytes.
    fn append(&mut self, at: usize, piece: &[u8], escapes: usize) {
        let len = piece.len() - escapes;
        let room = self
            .storage
            .room(at + len)
            .and_then(|room| room.get_mut(at..at + len));
        let written = room.and_then(|room| unescape_into(piece, room));
        debug_assert_eq!(written, Some(len), "the limit is within the storage");
    }

    /// The frame whose payload is the first `len` bytes of the storage.
    pub(crate) fn stored(&self, verb: Verb, len: usize) -> FrameRef<'_> {
        FrameRef::from_parts(verb, PayloadRef::plain(self.storage.head(len)))
    }

    /// Takes `len` bytes off the front of the input.
    #[inline]
    fn take(&mut self, len: usize, input: &mut &[u8]) {
        *input = &input[len..];
        self.position += len as u64;
    }

    /// Fuses, with the input taken up to the erroneous byte. `before` bytes of the frame came in earlier input.
    #[cold]
    #[inline(never)]
    fn fail(&mut self, error: DecodeError, before: usize, input: &mut &[u8]) -> DecodeError {
        let from = self.position - before as u64;
        let at = match error {
            DecodeError::InvalidEscape { at, .. } | DecodeError::PayloadTooLong { at, .. } => at,
            _ => 0,
        };
        let byte = input.get(at - before).copied();
        let next = match error {
            DecodeError::Verb(VerbError::Missing) => AfterError::AtEnd,
            // An escape that is answered wrongly is closed; any other ESC opens one.
            DecodeError::InvalidEscape { .. } => AfterError::InPayload,
            _ if byte == Some(ESC) => AfterError::InEscape,
            _ => AfterError::InPayload,
        };
        self.take(at - before + 1, input);
        self.state = State::Failed { error, from, next };
        error
    }

    /// Skips towards END; true once past it.
    fn skip(&mut self, input: &mut &[u8]) -> bool {
        while let State::Skipping {
            error,
            from,
            in_escape,
        } = self.state
        {
            if input.is_empty() {
                return false;
            }
            let (len, in_escape) = if in_escape {
                // Right or wrong, it closes the escape.
                (1, false)
            } else {
                match escape::scan(input) {
                    Scan::End { at, .. } => {
                        self.take(at + 1, input);
                        self.end_skip(error, from);
                        break;
                    }
                    Scan::More { in_escape, .. } => (input.len(), in_escape),
                    Scan::Bad { at } => (at + 1, false),
                }
            };
            self.take(len, input);
            self.state = State::Skipping {
                error,
                from,
                in_escape,
            };
        }
        true
    }

    fn end_skip(&mut self, cause: DecodeError, from: u64) {
        self.state = State::Start;
        let len = self.position - from;
        self.report = Some(match self.report {
            // One broken frame right behind another is one stretch.
            Some(last) if last.from + last.len == from => Skipped {
                len: last.len + len,
                ..last
            },
            _ => Skipped { from, len, cause },
        });
    }
}
