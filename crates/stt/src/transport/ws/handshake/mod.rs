//! The opening handshake: one HTTP request and its answer (RFC 6455 §4,
//! `docs/spec/stt-websocket.md` 2).

mod head;
mod request;
mod response;
#[cfg(test)]
mod tests;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};

pub(super) use head::read_head;
pub(crate) use request::check_request;
pub(super) use request::{Refusal, request};
pub(crate) use response::check_response;
pub(super) use response::{refusal, switching};

/// The longest head of a request or response, bytes.
pub(super) const MAX_HEAD: usize = 8 << 10;
/// The most header fields in it.
const MAX_FIELDS: usize = 64;

/// What the server answers to a client's key (RFC 6455 §4.2.2). It proves that the server speaks
/// WebSocket, nothing else, so SHA-1 does no harm.
pub(super) fn accept_of(key: &str) -> String {
    let input = [key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat();
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, input.as_bytes()))
}

/// The fields of this name.
fn values<'h>(fields: &'h [httparse::Header<'h>], name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    fields
        .iter()
        .filter(move |field| field.name.eq_ignore_ascii_case(name))
        .map(|field| field.value)
}

/// The field of this name, if there is exactly one.
fn single<'h>(fields: &'h [httparse::Header<'h>], name: &'h str) -> Option<&'h [u8]> {
    let mut found = values(fields, name);
    let value = found.next()?;
    found.next().is_none().then(|| value.trim_ascii())
}

/// Whether a field that is a list of tokens holds this one.
fn has_token(fields: &[httparse::Header<'_>], name: &str, token: &str) -> bool {
    values(fields, name)
        .flat_map(|value| value.split(|&byte| byte == b','))
        .any(|part| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}
