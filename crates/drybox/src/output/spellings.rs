//! Every way in which a private key is recognised (`docs/spec/outputs.md`, section 7.1).

use std::fmt::Write as _;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// One way to write one key.
#[derive(Clone)]
pub(super) struct Spelling {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    /// Hex digits, in any case.
    Hex,
    /// Base64: digits at either end may share bits with the key.
    Base64,
}

impl Spelling {
    /// Whether `data` begins with it.
    pub(super) fn begins(&self, data: &[u8]) -> bool {
        data.get(..self.bytes.len())
            .is_some_and(|head| match self.kind {
                Kind::Hex => head.eq_ignore_ascii_case(&self.bytes),
                Kind::Exact | Kind::Base64 => head == self.bytes.as_slice(),
            })
    }

    /// What to remove when it begins at `start`, nothing of it before `from`.
    pub(super) fn extent(&self, data: &[u8], from: usize, start: usize) -> (usize, usize) {
        let mut end = start + self.bytes.len();
        match self.kind {
            Kind::Exact => return (start, end),
            Kind::Hex => {
                // The mark of the first byte, where each has one.
                let marked = matches!(data[from..start], [.., b'\\' | b'0', b'x' | b'X']);
                return (start - if marked { 2 } else { 0 }, end);
            }
            Kind::Base64 => {}
        }
        let digit = |at: usize| {
            data.get(at).is_some_and(
                |b| matches!(b, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'-' | b'_'),
            )
        };
        if digit(end) {
            end += 1;
        }
        while data.get(end) == Some(&b'=') {
            end += 1;
        }
        let before = start > from && digit(start - 1);
        (start - usize::from(before), end)
    }
}

/// All spellings of a key; none is shorter than 32 bytes.
pub(super) fn spellings(key: &[u8; 32]) -> Vec<Spelling> {
    let mut all = Vec::new();
    let mut add = |kind, bytes: Vec<u8>| {
        all.push(Spelling {
            bytes: Zeroizing::new(bytes),
            kind,
        });
    };
    add(Kind::Exact, key.to_vec());
    add(Kind::Exact, latin1(key));
    for separator in ["", ":", " ", "-", "\\x", ",0x", ", 0x"] {
        add(
            Kind::Hex,
            joined(key, separator, |out, b| write!(out, "{b:02x}")),
        );
    }
    for lead in 0..3 {
        add(Kind::Base64, base64_core(key, lead, &STANDARD_NO_PAD));
        add(Kind::Base64, base64_core(key, lead, &URL_SAFE_NO_PAD));
    }
    for quote in [false, true] {
        add(Kind::Exact, python_repr(key, quote));
    }
    for separator in [",", ", ", " "] {
        add(
            Kind::Exact,
            joined(key, separator, |out, b| write!(out, "{b}")),
        );
        add(
            Kind::Exact,
            joined(key, separator, |out, b| write!(out, "{}", b as i8)),
        );
    }
    all
}

/// The characters U+0000–U+00FF of the key's bytes, in UTF-8.
fn latin1(key: &[u8; 32]) -> Vec<u8> {
    key.iter()
        .map(|&b| char::from(b))
        .collect::<String>()
        .into()
}

/// The bytes of the key, each written by `each`, with separators.
fn joined(
    key: &[u8; 32],
    separator: &str,
    each: impl Fn(&mut String, u8) -> std::fmt::Result,
) -> Vec<u8> {
    let mut out = String::with_capacity(32 * 8);
    for (i, &byte) in key.iter().enumerate() {
        if i > 0 {
            out.push_str(separator);
        }
        each(&mut out, byte).expect("writing to a String cannot fail");
    }
    out.into()
}

/// The digits that hold bits of the key alone, when `lead` bytes stand before it in the data.
fn base64_core(key: &[u8; 32], lead: usize, alphabet: &impl base64::Engine) -> Vec<u8> {
    let mut padded = Zeroizing::new(vec![0; lead]);
    padded.extend_from_slice(key);
    let mut digits = Vec::with_capacity(48);
    digits.extend_from_slice(alphabet.encode(&*padded).as_bytes());
    let first = (8 * lead).div_ceil(6);
    let end = 8 * (lead + 32) / 6;
    digits.truncate(end);
    digits.drain(..first);
    digits
}

/// As Python prints `bytes`, with the single quote escaped or not: that depends on what else the
/// bytes hold.
fn python_repr(key: &[u8; 32], escape_quote: bool) -> Vec<u8> {
    joined(key, "", |out, b| match b {
        b'\n' => out.write_str("\\n"),
        b'\r' => out.write_str("\\r"),
        b'\t' => out.write_str("\\t"),
        b'\\' => out.write_str("\\\\"),
        b'\'' if escape_quote => out.write_str("\\'"),
        0x20..=0x7e => out.write_char(char::from(b)),
        _ => write!(out, "\\x{b:02x}"),
    })
}
