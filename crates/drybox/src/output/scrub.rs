//! Private keys never reach a disk or a log (`docs/spec/outputs.md`, section 7).
//!
//! A [`Scrubber`] knows every spelling of every private key of a run and finds them all in one pass.
//! All spellings have at least [`WINDOW`] bytes, which allows a search in leaps (after Wu and
//! Manber): of each window only the last four bytes are looked up among the four-byte pieces of all
//! spellings, and unless they occur there the search moves on by 29 bytes.

use std::{borrow::Cow, fmt};

use serde_json::Value;
use zeroize::{Zeroize as _, Zeroizing};

use super::spellings::{Spelling, spellings};

/// What stands in the place of a private key.
pub const REMOVED: &str = "[private key removed]";

/// No spelling is shorter.
pub(super) const WINDOW: usize = 32;
/// Bytes of a piece that is looked up.
const PIECE: usize = 4;
/// Bits of a piece's hash.
const HASH_BITS: u32 = 16;

/// The private keys of a run, wiped from memory when dropped.
#[derive(Clone, Default)]
pub struct Secrets {
    keys: Zeroizing<Vec<[u8; 32]>>,
}

impl Secrets {
    /// Secrets with these keys.
    pub fn new(keys: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self {
            keys: Zeroizing::new(keys.into_iter().collect()),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} keys)", self.keys.len())
    }
}

/// Finds and removes private keys in text, JSON and data.
#[derive(Clone, Default)]
pub struct Scrubber {
    secrets: Secrets,
    spellings: Vec<Spelling>,
    /// Pieces anywhere in the first window of a spelling.
    pieces: Bitmap,
    /// Pieces with which a spelling begins.
    starts: Bitmap,
}

impl Scrubber {
    /// A scrubber for these keys.
    pub fn new(secrets: Secrets) -> Self {
        let spellings: Vec<Spelling> = secrets.keys.iter().flat_map(spellings).collect();
        let (mut pieces, mut starts) = (Bitmap::default(), Bitmap::default());
        for spelling in &spellings {
            let window = &spelling.bytes[..WINDOW];
            starts.insert(hash(window));
            for piece in window.windows(PIECE) {
                pieces.insert(hash(piece));
            }
        }
        Self {
            secrets,
            spellings,
            pieces,
            starts,
        }
    }

    /// The text with every key replaced by [`REMOVED`]; borrowed when there is none.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        let Some(mut found) = self.find(bytes, 0) else {
            return Cow::Borrowed(text);
        };
        let mut clean = Vec::with_capacity(bytes.len());
        let mut copied = 0;
        loop {
            clean.extend_from_slice(&bytes[copied..found.0]);
            clean.extend_from_slice(REMOVED.as_bytes());
            copied = found.1;
            match self.find(bytes, copied) {
                Some(next) => found = next,
                None => break,
            }
        }
        clean.extend_from_slice(&bytes[copied..]);
        // A key of raw bytes may begin within a character.
        Cow::Owned(String::from_utf8_lossy(&clean).into_owned())
    }

    /// Overwrites every key in `data` with zero bytes.
    pub fn data(&self, data: &mut [u8]) {
        let mut from = 0;
        while let Some((start, end)) = self.find(data, from) {
            data[start..end].fill(0);
            from = end;
        }
    }

    /// How many elements at the head of a JSON list are the numbers of a key: 0 or 32.
    pub(super) fn key_in_list(&self, list: &[Value]) -> usize {
        let Some(head) = list.get(..32) else {
            return 0;
        };
        let byte = |value: &Value| {
            let n = match value {
                Value::Number(n) => n.as_i64().or_else(|| {
                    n.as_f64()
                        .filter(|x| x.trunc() == *x && x.abs() <= 255.0)
                        .map(|x| x as i64)
                }),
                _ => None,
            };
            n.filter(|n| (-128..=255).contains(n)).map(|n| n as u8)
        };
        let is_key = |key: &[u8; 32]| head.iter().zip(key).all(|(v, k)| byte(v) == Some(*k));
        if self.secrets.keys.iter().any(is_key) {
            32
        } else {
            0
        }
    }

    /// The first occurrence of a key at or after `from`, as a range.
    fn find(&self, data: &[u8], from: usize) -> Option<(usize, usize)> {
        if self.spellings.is_empty() {
            return None;
        }
        const LEAP: usize = WINDOW - PIECE + 1;
        let mut at = from;
        while let Some(window) = data.get(at..at + WINDOW) {
            if self.pieces.contains(hash(&window[WINDOW - PIECE..])) {
                let last = (at + LEAP - 1).min(data.len() - WINDOW);
                if let Some(found) = (at..=last).find_map(|start| self.at(data, from, start)) {
                    return Some(found);
                }
            }
            at += LEAP;
        }
        None
    }

    /// The longest key that begins at `start`, with what belongs to it before and after.
    fn at(&self, data: &[u8], from: usize, start: usize) -> Option<(usize, usize)> {
        if !self.starts.contains(hash(&data[start..])) {
            return None;
        }
        self.spellings
            .iter()
            .filter(|spelling| spelling.begins(&data[start..]))
            .map(|spelling| spelling.extent(data, from, start))
            .max_by_key(|(start, end)| end - start)
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scrubber({:?})", self.secrets)
    }
}

/// Hash of the first four bytes, the same for both cases of a letter.
fn hash(piece: &[u8]) -> u32 {
    let word = u32::from_le_bytes([piece[0], piece[1], piece[2], piece[3]]) | 0x2020_2020;
    word.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)
}

/// A set of hashes.
#[derive(Clone)]
struct Bitmap(Vec<u64>);

impl Default for Bitmap {
    fn default() -> Self {
        Self(vec![0; 1 << (HASH_BITS - 6)])
    }
}

impl Bitmap {
    fn insert(&mut self, hash: u32) {
        self.0[(hash >> 6) as usize] |= 1 << (hash & 63);
    }

    fn contains(&self, hash: u32) -> bool {
        (self.0.get((hash >> 6) as usize)).is_some_and(|word| word & 1 << (hash & 63) != 0)
    }
}

impl Drop for Bitmap {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
