//! The spellings of a private key (`docs/spec/keys.md`, section 1).

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

pub(super) type Private = Zeroizing<[u8; 32]>;

/// The standard alphabet, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// 64 hex digits, or 128 of which the first 64 count.
pub(super) fn hex(text: &str) -> Option<Private> {
    let text = text.trim();
    if !matches!(text.len(), 64 | 128) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = Private::default();
    for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        // Only hex digits are left, so that neither step can fail.
        let digits = std::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(key)
}

/// Base64 of 32 bytes, or of 64 of which the first 32 count.
pub(super) fn base64(text: &str) -> Option<Private> {
    let text = text.trim();
    if text.len() > 88 {
        return None;
    }
    let bytes = Zeroizing::new(BASE64.decode(text).ok()?);
    raw(&bytes)
}

/// Either spelling.
pub(super) fn text(text: &str) -> Option<Private> {
    hex(text).or_else(|| base64(text))
}

/// A file: either spelling with white space around, else the bytes themselves.
pub(super) fn file(content: &[u8]) -> Option<Private> {
    std::str::from_utf8(content)
        .ok()
        .and_then(text)
        .or_else(|| raw(content))
}

fn raw(bytes: &[u8]) -> Option<Private> {
    if !matches!(bytes.len(), 32 | 64) {
        return None;
    }
    let mut key = Private::default();
    key.copy_from_slice(bytes.get(..32)?);
    Some(key)
}

/// Whether a bare text that is no key may be shown as a path: a mistyped key may not.
pub(super) fn may_be_path(text: &str) -> bool {
    // 40 characters of hex or base64 without a dot look like a key with a slip in it.
    let key_like = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'=' | b' ');
    text.len() < 40 || !text.bytes().all(key_like)
}
