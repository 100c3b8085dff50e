//! Many small frames out of one read: their ends are found a block at a time.

use crate::decoder::State;
use crate::escape::{self, BLOCK, Marks};
use crate::storage::{DefaultStorage, Storage};
use crate::{DecodeError, Decoder, FrameRef, PayloadRef, Verb};

/// Bytes that are copied at once where a payload is unescaped.
const STEP: usize = 16;

/// A block, and what the last step may go beyond it.
const ROOM: usize = BLOCK + STEP;

/// The frames of one read, from [`Decoder::frames`].
///
/// ```
/// use st_protocol::{Decoder, Verb};
///
/// let mut decoder = Decoder::new();
/// let mut verbs = Vec::new();
/// for read in [&b"\x05\x00\x03TO"[..], b"DO\x00\x06"] {
///     let mut frames = decoder.frames(read);
///     while let Some(frame) = frames.next_frame()? {
///         verbs.push(frame.verb());
///     }
/// }
/// assert_eq!(verbs, [Verb::Ping, Verb::Search]);
/// # Ok::<(), st_protocol::DecodeError>(())
/// ```
///
/// It may be dropped at any time: the decoder has then taken the bytes up to [`rest`](Self::rest), and no more.
#[derive(Debug)]
pub struct Frames<'d, 'a, S = DefaultStorage> {
    // As little as will do: the loop of the caller, which all of this is inlined into, has the registers for no more.
    decoder: &'d mut Decoder<S>,
    /// The input from the marked block on; the decoder has counted what came before it.
    input: &'a [u8],
    /// What of `input` has been taken, no more than the block.
    taken: usize,
    /// The marks of the first block of `input`, without those of what has been taken.
    marks: Marks,
}

impl<'d, 'a, S> Frames<'d, 'a, S> {
    pub(crate) const fn new(decoder: &'d mut Decoder<S>, input: &'a [u8]) -> Self {
        Self {
            decoder,
            input,
            taken: 0,
            marks: Marks::NONE,
        }
    }

    /// The input that has not been taken. After an error: what follows the byte that can't be right.
    pub fn rest(&self) -> &'a [u8] {
        &self.input[self.taken..]
    }

    /// Has the decoder count what was taken: once a block, since for each frame it would cost as much as the rest of its way.
    #[inline(always)]
    fn count(&mut self) {
        self.decoder.position += self.taken as u64;
        self.input = &self.input[self.taken..];
        self.taken = 0;
    }
}

impl<S> Drop for Frames<'_, '_, S> {
    fn drop(&mut self) {
        self.count();
    }
}

impl<'a, S: Storage> Frames<'_, 'a, S> {
    /// The next frame; `None` once the input is used up.
    ///
    /// # Errors
    /// As [`Decoder::next_frame`], again and again. To go on, drop this, and give [`rest`](Self::rest) to the decoder after
    /// [`Decoder::resync`].
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<FrameRef<'_>>, DecodeError> {
        // What is not inlined gets no reference to `self`, so that all of it but the decoder stays in registers.
        if self.marks.ends == 0 {
            self.count();
            if let Some(block) = self.input.first_chunk() {
                self.marks = look_on(self.decoder, block);
            }
        }
        let Marks { ends, escapes } = self.marks;
        if ends != 0
            && let Some(marked) = self.input.first_chunk::<ROOM>()
        {
            let end = ends.trailing_zeros() as usize % BLOCK;
            if let Some([verb, body @ ..]) = marked[..end].get(self.taken..)
                && let Some(verb) = Verb::from_byte(*verb)
            {
                self.marks.ends = ends & (ends - 1);
                let from = self.taken + 1;
                self.taken = end + 1;
                let mine = escapes & (ends ^ (ends - 1));
                let payload = if escapes == 0 || mine == 0 {
                    body
                } else {
                    self.marks.escapes = escapes ^ mine;
                    unescape(&mut self.decoder.storage, marked, from, end, mine)
                };
                let payload = PayloadRef::plain(payload);
                return Ok(Some(FrameRef::from_parts(verb, payload)));
            }
        }
        self.next_alone()
    }

    /// The next frame by [`Decoder::next_frame`], which takes everything and names what is wrong.
    #[inline(always)]
    fn next_alone(&mut self) -> Result<Option<FrameRef<'_>>, DecodeError> {
        self.count();
        self.marks = Marks::NONE;
        let mut rest = self.input;
        let result = next_alone(self.decoder, &mut rest);
        self.input = rest;
        // Taken apart and put together, so that the other way here does not go through memory too.
        match result {
            Ok(Some(frame)) => {
                let payload = frame.payload().as_bytes().unwrap_or_default();
                let payload = PayloadRef::plain(payload);
                Ok(Some(FrameRef::from_parts(frame.verb(), payload)))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// [`Decoder::next_frame`], once for all the places where it is not worth inlining.
#[inline(never)]
fn next_alone<'s, 'a: 's, S: Storage>(
    decoder: &'s mut Decoder<S>,
    input: &mut &'a [u8],
) -> Result<Option<FrameRef<'s>>, DecodeError> {
    decoder.next_frame(input)
}

/// The marks of the next block, if it starts with a frame.
#[inline(never)]
fn look_on<S: Storage>(decoder: &mut Decoder<S>, input: &[u8; ROOM]) -> Marks {
    // So no payload from one block is over the limit, and unescaping it takes no more memory than one may.
    if !matches!(decoder.state, State::Start) || decoder.limit < ROOM {
        return Marks::NONE;
    }
    let Some(block) = input.first_chunk() else {
        return Marks::NONE;
    };
    let marks = escape::mark(block);
    if marks.escapes != 0 && decoder.storage.room(ROOM).is_none() {
        return Marks::NONE;
    }
    marks
}

/// Unescapes the payload from `from` to `end` and returns it. `escapes` has a bit for each ESC, and one at least.
#[inline(always)]
fn unescape<'s, S: Storage>(
    storage: &'s mut S,
    input: &[u8; ROOM],
    from: usize,
    end: usize,
    escapes: u64,
) -> &'s [u8] {
    let Some(out) = storage.room(0).and_then(|room| room.first_chunk_mut()) else {
        debug_assert!(false, "no block is marked without this room");
        return &[];
    };
    // One escape in a handful of bytes is what most such frames have.
    if escapes & (escapes - 1) == 0 && end - from <= STEP {
        let esc = escapes.trailing_zeros() as usize;
        step(out, 0, input, from);
        step(out, esc - from, input, esc + 1);
        return &out[..(end - from - 1) % BLOCK];
    }
    let len = unescape_runs(out, input, from, end, escapes);
    &out[..len]
}

#[inline(never)]
fn unescape_runs(
    out: &mut [u8; ROOM],
    input: &[u8; ROOM],
    mut from: usize,
    end: usize,
    mut escapes: u64,
) -> usize {
    let mut to = 0;
    loop {
        let esc = match escapes {
            0 => end,
            _ => escapes.trailing_zeros() as usize,
        };
        let run = esc - from;
        for done in (0..run).step_by(STEP) {
            step(out, to + done, input, from + done);
        }
        to += run;
        if escapes == 0 {
            return to;
        }
        // After the ESC comes a byte that stands for itself.
        from = esc + 1;
        escapes &= escapes - 1;
    }
}

/// Copies a whole step from and to places within a block. What is too much is overwritten by what follows.
#[inline(always)]
fn step(out: &mut [u8; ROOM], to: usize, input: &[u8; ROOM], from: usize) {
    let (to, from) = (to % BLOCK, from % BLOCK);
    out[to..to + STEP].copy_from_slice(&input[from..from + STEP]);
}
