//! Payloads by meaning, for the verbs that have one (spec 3.1, 4.5).

use core::fmt;

use crate::{AuthBlock, AuthError, FieldError, FieldReader, Verb};

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields bear the names of section 3.1")]
pub enum Message<'a> {
    /// SCAN.
    Scan { path: &'a str, depth: u8 },
    /// FORMAT, short form.
    Format { mode: &'a str },
    /// FORMAT, long form.
    FormatPath {
        mode: &'a str,
        path: &'a str,
        depth: u8,
    },
    /// SEARCH, short form.
    Search { pattern: &'a str },
    /// SEARCH, long form.
    SearchPath {
        path: &'a str,
        pattern: &'a str,
        max_results: u8,
    },
    /// REMEMBER; 128 is neutral.
    Remember {
        content: &'a str,
        keywords: &'a str,
        kind: &'a str,
        valence: u8,
        arousal: u8,
    },
    /// RECALL.
    Recall { keywords: &'a str, max_results: u8 },
    /// FORGET.
    Forget { id: &'a str },
    /// ERROR.
    Error { message: &'a str },
    /// A protected request.
    Auth(AuthBlock<'a>),
    /// Any other verb, its payload unread.
    Other { verb: Verb, payload: &'a [u8] },
}

impl<'a> Message<'a> {
    /// Reads what a verb and its unescaped payload say.
    ///
    /// # Errors
    /// The payload is not the verb's: a field is wrong, or bytes are left over.
    pub fn parse(verb: Verb, payload: &'a [u8]) -> Result<Self, MessageError> {
        let mut fields = FieldReader::new(payload);
        // Spec 4.5: what is UTF-8 throughout is the short form.
        let text = core::str::from_utf8(payload).map_err(|_| FieldError::NotUtf8 { at: 0 });
        let message = match (verb, text) {
            (Verb::Scan, _) => Self::Scan {
                path: fields.lstr()?,
                depth: fields.u8()?,
            },
            (Verb::Format, Ok(mode)) => return Ok(Self::Format { mode }),
            (Verb::Format, Err(_)) => Self::FormatPath {
                mode: fields.lstr()?,
                path: fields.lstr()?,
                depth: fields.u8()?,
            },
            (Verb::Search, Ok(pattern)) => return Ok(Self::Search { pattern }),
            (Verb::Search, Err(_)) => Self::SearchPath {
                path: fields.lstr()?,
                pattern: fields.lstr()?,
                max_results: fields.u8()?,
            },
            (Verb::Remember, _) => Self::Remember {
                content: fields.lstr()?,
                keywords: fields.lstr()?,
                kind: fields.lstr()?,
                valence: fields.u8()?,
                arousal: fields.u8()?,
            },
            (Verb::Recall, _) => Self::Recall {
                keywords: fields.lstr()?,
                max_results: fields.u8()?,
            },
            (Verb::Forget, id) => return Ok(Self::Forget { id: id? }),
            (Verb::Error, message) => return Ok(Self::Error { message: message? }),
            (Verb::AuthStart, _) => return Ok(Self::Auth(AuthBlock::parse(payload)?)),
            (Verb::Ping | Verb::Stats | Verb::M8Wave, _) => Self::Other { verb, payload },
            _ => return Ok(Self::Other { verb, payload }),
        };
        fields.finish()?;
        Ok(message)
    }
}

/// Why a payload is not its verb's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageError {
    /// A field is wrong, or bytes are left over.
    Field(FieldError),
    /// The auth block is wrong.
    Auth(AuthError),
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(error) => error.fmt(f),
            Self::Auth(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for MessageError {}

impl From<FieldError> for MessageError {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

impl From<AuthError> for MessageError {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}
