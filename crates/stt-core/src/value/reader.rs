use super::{
    MAX_DEPTH, ValueError,
    ValueErrorKind::{self, *},
    tag,
};

/// One step through a document; text and bytes are borrowed from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer up to 2^63 − 1.
    I64(i64),
    /// An integer over 2^63 − 1.
    U64(u64),
    /// A floating-point number.
    F64(f64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text.
    Str(&'a str),
    /// A list begins: this many values follow, each with all that it holds.
    List(u32),
    /// A dict begins: this many pairs follow, each a [`Token::Key`] and a value.
    Dict(u32),
    /// The key of the value that comes next.
    Key(&'a str),
}

/// Goes through a document token by token, checking every rule on the way, without allocating:
/// neither recursion nor memory grows with the input (`docs/spec/stt-value.md`).
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    input: &'a [u8],
    at: usize,
    /// The lists and dicts that are open, outermost first.
    open: [Open<'a>; MAX_DEPTH],
    depth: usize,
    /// Set once the outermost value is whole, or wrong.
    done: bool,
}

/// A list or dict whose elements are being read.
#[derive(Clone, Copy, Debug)]
struct Open<'a> {
    /// Elements that are still to begin.
    left: u32,
    expects: Expects<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Expects<'a> {
    /// The next value of a list.
    Element,
    /// A key, over this one if it isn't the first.
    Key(Option<&'a str>),
    /// The value of this key.
    ValueOf(&'a str),
}

impl<'a> Reader<'a> {
    /// Reads the document that `input` is, from its start to its end.
    pub fn new(input: &'a [u8]) -> Self {
        let open = Open {
            left: 0,
            expects: Expects::Element,
        };
        Self {
            input,
            at: 0,
            open: [open; MAX_DEPTH],
            depth: 0,
            done: false,
        }
    }

    /// The next token, or `None` after the document's last.
    ///
    /// # Errors
    /// [`ValueError`] at the first byte that breaks a rule; then nothing more comes.
    #[inline]
    pub fn next_token(&mut self) -> Result<Option<Token<'a>>, ValueError> {
        if self.done {
            return Ok(None);
        }
        let token = self.step();
        if token.is_err() {
            self.done = true;
        }
        token.map(Some)
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }

    #[inline]
    fn step(&mut self) -> Result<Token<'a>, ValueError> {
        let Some(open) = self.open[..self.depth].last_mut() else {
            return self.value();
        };
        match open.expects {
            Expects::Element => open.left -= 1,
            Expects::Key(before) => {
                open.left -= 1;
                let key = self.key(before)?;
                self.open[self.depth - 1].expects = Expects::ValueOf(key);
                return Ok(Token::Key(key));
            }
            Expects::ValueOf(key) => open.expects = Expects::Key(Some(key)),
        }
        self.value()
    }

    #[inline]
    fn value(&mut self) -> Result<Token<'a>, ValueError> {
        let begin = self.at;
        let [tag] = self.array()?;
        let error = |kind| ValueError {
            offset: begin,
            kind,
        };
        let token = match tag {
            tag::NULL => Token::Null,
            tag::FALSE => Token::Bool(false),
            tag::TRUE => Token::Bool(true),
            tag::I8 => Token::I64(i8::from_be_bytes(self.array()?).into()),
            tag::I16 => {
                let value = i16::from_be_bytes(self.array()?);
                if i8::try_from(value).is_ok() {
                    return Err(error(NotShortest));
                }
                Token::I64(value.into())
            }
            tag::I32 => {
                let value = i32::from_be_bytes(self.array()?);
                if i16::try_from(value).is_ok() {
                    return Err(error(NotShortest));
                }
                Token::I64(value.into())
            }
            tag::I64 => {
                let value = i64::from_be_bytes(self.array()?);
                if i32::try_from(value).is_ok() {
                    return Err(error(NotShortest));
                }
                Token::I64(value)
            }
            tag::U8 => Token::I64(u8::from_be_bytes(self.array()?).into()),
            tag::U16 => Token::I64(u16::from_be_bytes(self.array()?).into()),
            tag::U32 => Token::I64(u32::from_be_bytes(self.array()?).into()),
            tag::U64 => {
                let value = u64::from_be_bytes(self.array()?);
                i64::try_from(value).map_or(Token::U64(value), Token::I64)
            }
            tag::F32 => {
                let bits = u32::from_be_bytes(self.array()?);
                let value = f32::from_bits(bits);
                if value.is_nan() && bits != tag::NAN_F32 {
                    return Err(error(Nan));
                }
                Token::F64(value.into())
            }
            tag::F64 => {
                let bits = u64::from_be_bytes(self.array()?);
                let value = f64::from_bits(bits);
                if value.is_nan() && bits != tag::NAN {
                    return Err(error(Nan));
                }
                Token::F64(value)
            }
            tag::BYTES => Token::Bytes(self.counted()?),
            tag::STR => Token::Str(self.text()?),
            tag::LIST => {
                let count = self.count(1)?;
                return self.open(begin, count, Expects::Element, Token::List(count));
            }
            tag::DICT => {
                // A pair is at least an empty key, 5 bytes, and a tag.
                let count = self.count(6)?;
                return self.open(begin, count, Expects::Key(None), Token::Dict(count));
            }
            _ => return Err(error(UnknownTag(tag))),
        };
        self.close()?;
        Ok(token)
    }

    /// Begins a list or dict; an empty one ends at once.
    fn open(
        &mut self,
        begin: usize,
        left: u32,
        expects: Expects<'a>,
        token: Token<'a>,
    ) -> Result<Token<'a>, ValueError> {
        let slot = self.open.get_mut(self.depth).ok_or(ValueError {
            offset: begin,
            kind: Depth,
        })?;
        *slot = Open { left, expects };
        self.depth += 1;
        self.close()?;
        Ok(token)
    }

    /// Ends what the value just read completes: the lists and dicts that have no more to come, and
    /// with the outermost the document.
    #[inline]
    fn close(&mut self) -> Result<(), ValueError> {
        while let Some(open) = self.open[..self.depth].last() {
            if open.left > 0 {
                return Ok(());
            }
            self.depth -= 1;
        }
        self.done = true;
        match self.input.len() - self.at {
            0 => Ok(()),
            more => Err(self.error(Trailing(more))),
        }
    }

    #[inline]
    fn key(&mut self, before: Option<&str>) -> Result<&'a str, ValueError> {
        let begin = self.at;
        let error = |kind| ValueError {
            offset: begin,
            kind,
        };
        let [tag] = self.array()?;
        if tag != tag::STR {
            return Err(error(KeyTag(tag)));
        }
        let key = self.text()?;
        match before {
            Some(before) if before == key => Err(error(DuplicateKey)),
            Some(before) if before > key => Err(error(UnsortedKeys)),
            _ => Ok(key),
        }
    }

    #[inline]
    fn text(&mut self) -> Result<&'a str, ValueError> {
        let bytes = self.counted()?;
        core::str::from_utf8(bytes).map_err(|error| ValueError {
            offset: self.at - bytes.len() + error.valid_up_to(),
            kind: Utf8,
        })
    }

    #[inline]
    fn counted(&mut self) -> Result<&'a [u8], ValueError> {
        let begin = self.at;
        let len = u32::from_be_bytes(self.array()?);
        let rest = &self.input[self.at..];
        // On 16-bit machines a length may not fit: it is beyond the input then, too.
        let bytes = usize::try_from(len).ok().and_then(|len| rest.get(..len));
        let bytes = bytes.ok_or(ValueError {
            offset: begin,
            kind: Length {
                len,
                remaining: rest.len(),
            },
        })?;
        self.at += bytes.len();
        Ok(bytes)
    }

    /// A count of elements of at least `least` bytes each (§3.2).
    #[inline]
    fn count(&mut self, least: u64) -> Result<u32, ValueError> {
        let begin = self.at;
        let count = u32::from_be_bytes(self.array()?);
        let remaining = self.input.len() - self.at;
        if u64::from(count) * least > remaining as u64 {
            return Err(ValueError {
                offset: begin,
                kind: Count { count, remaining },
            });
        }
        Ok(count)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], ValueError> {
        match self.input[self.at..].first_chunk() {
            Some(&bytes) => {
                self.at += N;
                Ok(bytes)
            }
            None => Err(ValueError {
                offset: self.input.len(),
                kind: Truncated,
            }),
        }
    }

    fn error(&self, kind: ValueErrorKind) -> ValueError {
        ValueError {
            offset: self.at,
            kind,
        }
    }
}
