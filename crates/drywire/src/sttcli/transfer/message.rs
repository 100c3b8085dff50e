//! What both ends tell each other beside the bytes (`docs/spec/stt-commands.md` 4.1–4.5).

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use stt::{RecvStream, SendStream, core::value};

use super::super::error::SttCliError;

/// Longest message, bytes.
const MAX_MESSAGE: usize = 65_536;

/// The version of the protocol.
pub(super) const VERSION: u8 = 1;

/// What the sender begins with.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Offer {
    pub(super) v: u8,
    pub(super) path: Vec<String>,
    pub(super) size: u64,
    pub(super) stamp: Vec<u64>,
}

/// What the receiver answers.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// How many bytes it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) offset: Option<u64>,
    /// Why it doesn't want the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
    /// It has the file already, whole and with these contents as far as size and stamp tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) done: Option<bool>,
}

impl Answer {
    pub(super) const fn from(offset: u64) -> Self {
        Self {
            offset: Some(offset),
            refused: None,
            done: None,
        }
    }

    pub(super) const fn refuse(why: String) -> Self {
        Self {
            offset: None,
            refused: Some(why),
            done: None,
        }
    }

    pub(super) const fn done(is_right: bool) -> Self {
        Self {
            offset: None,
            refused: None,
            done: Some(is_right),
        }
    }
}

/// Writes a message.
pub(super) async fn write<T: Serialize>(
    stream: &mut SendStream,
    message: &T,
) -> Result<(), SttCliError> {
    let bytes = value::to_vec(message)
        .map_err(|error| SttCliError::Protocol(format!("a message can't be written: {error}")))?;
    let len = u32::try_from(bytes.len())
        .ok()
        .filter(|len| *len as usize <= MAX_MESSAGE)
        .ok_or_else(|| SttCliError::Usage("the path is too long to be sent".to_owned()))?;
    let framed = [&len.to_be_bytes()[..], &bytes].concat();
    Ok(stream.write_all_bytes(&framed).await?)
}

/// Reads a message.
pub(super) async fn read<T: DeserializeOwned>(stream: &mut RecvStream) -> Result<T, SttCliError> {
    let mut len = [0; 4];
    exactly(stream, &mut len).await?;
    let len = u32::from_be_bytes(len) as usize;
    if len > MAX_MESSAGE {
        return Err(SttCliError::Protocol(format!("a message of {len} bytes")));
    }
    let mut bytes = vec![0; len];
    exactly(stream, &mut bytes).await?;
    value::from_slice(&bytes).map_err(|error| SttCliError::Protocol(error.to_string()))
}

/// Fills `out`.
pub(super) async fn exactly(stream: &mut RecvStream, out: &mut [u8]) -> Result<(), SttCliError> {
    let mut filled = 0;
    while filled < out.len() {
        match stream.read(&mut out[filled..]).await? {
            Some(read) => filled += read,
            None => {
                return Err(SttCliError::Protocol(
                    "the stream ended in the middle of a file".to_owned(),
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_canonical_values() {
        let offer = Offer {
            v: VERSION,
            path: vec!["a".into(), "ü".into()],
            size: u64::MAX,
            stamp: vec![1, 2],
        };
        let bytes = value::to_vec(&offer).unwrap();
        assert_eq!(value::from_slice::<Offer>(&bytes).unwrap(), offer);
        for answer in [
            Answer::from(7),
            Answer::refuse("no".into()),
            Answer::done(false),
        ] {
            let bytes = value::to_vec(&answer).unwrap();
            assert_eq!(value::from_slice::<Answer>(&bytes).unwrap(), answer);
        }
    }
}
