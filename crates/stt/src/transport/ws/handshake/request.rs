use base64::{Engine as _, engine::general_purpose::STANDARD};
use httparse::{EMPTY_HEADER, Request, Status};

use super::{MAX_FIELDS, accept_of, has_token, single, values};
use crate::transport::ws::{OriginPolicy, WsError, options::check_path};

/// A request that gets no WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
}

const fn refuse(status: u16, reason: &'static str) -> Refusal {
    Refusal { status, reason }
}

/// Checks a request's head (RFC 6455 §4.2.1); gives what to accept it with.
pub(crate) fn check_request(
    head: &[u8],
    path: &str,
    protocol: &str,
    origins: &OriginPolicy,
) -> Result<String, Refusal> {
    let mut fields = [EMPTY_HEADER; MAX_FIELDS];
    let mut request = Request::new(&mut fields);
    match request.parse(head) {
        Ok(Status::Complete(_)) => {}
        _ => return Err(refuse(400, "not an HTTP request")),
    }
    if request.version != Some(1) {
        return Err(refuse(505, "HTTP/1.1 is needed"));
    }
    if request.method != Some("GET") {
        return Err(refuse(405, "only GET opens a WebSocket"));
    }
    if request.path != Some(path) {
        return Err(refuse(404, "no WebSocket at this path"));
    }
    let fields = &*request.headers;
    if single(fields, "host").is_none() {
        return Err(refuse(400, "one Host field is needed"));
    }
    let upgrades =
        has_token(fields, "connection", "upgrade") && has_token(fields, "upgrade", "websocket");
    if !upgrades {
        return Err(refuse(426, "only WebSocket is spoken here"));
    }
    if single(fields, "sec-websocket-version") != Some(b"13") {
        return Err(refuse(426, "WebSocket version 13 is needed"));
    }
    let key = single(fields, "sec-websocket-key")
        .filter(|key| STANDARD.decode(key).is_ok_and(|key| key.len() == 16))
        .and_then(|key| str::from_utf8(key).ok())
        .ok_or(refuse(400, "no valid WebSocket key"))?;
    for origin in values(fields, "origin") {
        if !origins.allows(origin.trim_ascii()) {
            return Err(refuse(403, "pages of this origin may not connect"));
        }
    }
    if !has_token(fields, "sec-websocket-protocol", protocol) {
        return Err(refuse(400, "the subprotocol is not offered"));
    }
    Ok(accept_of(key))
}

/// A client's request. `host` is what the Host field says.
pub(in crate::transport::ws) fn request(
    host: &str,
    path: &str,
    key: &str,
    protocol: &str,
    origin: Option<&str>,
) -> Result<String, WsError> {
    check_path(path)?;
    for (field, value) in [("the host", host), ("the origin", origin.unwrap_or("x"))] {
        let is_clean = value.bytes().all(|byte| byte.is_ascii_graphic()) && !value.is_empty();
        if !is_clean {
            let value = value.to_owned();
            return Err(WsError::Field { field, value });
        }
    }
    let origin = origin.map_or_else(String::new, |origin| format!("Origin: {origin}\r\n"));
    Ok(format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: {protocol}\r\n{origin}\r\n"
    ))
}
