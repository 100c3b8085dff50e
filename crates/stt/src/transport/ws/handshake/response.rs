use httparse::{EMPTY_HEADER, Response, Status};

use super::{MAX_FIELDS, Refusal, has_token, single, values};
use crate::transport::ws::WsError;

/// Checks a response's head (RFC 6455 §4.1); `accept` is what the key asks for.
pub(crate) fn check_response(head: &[u8], accept: &str, protocol: &str) -> Result<(), WsError> {
    let mut fields = [EMPTY_HEADER; MAX_FIELDS];
    let mut response = Response::new(&mut fields);
    match response.parse(head) {
        Ok(Status::Complete(_)) => {}
        _ => return Err(WsError::BadResponse("no HTTP response")),
    }
    let status = response.code.unwrap_or_default();
    if status != 101 {
        // At most what is worth reading; it comes from outside.
        let reason = response.reason.unwrap_or_default();
        let reason = reason.chars().filter(|c| !c.is_control()).take(100);
        return Err(WsError::Refused {
            status,
            reason: reason.collect(),
        });
    }
    let fields = &*response.headers;
    let upgrades =
        has_token(fields, "connection", "upgrade") && has_token(fields, "upgrade", "websocket");
    if !upgrades {
        return Err(WsError::BadResponse("it upgrades to something else"));
    }
    if single(fields, "sec-websocket-accept") != Some(accept.as_bytes()) {
        return Err(WsError::BadResponse("it accepts another key"));
    }
    if single(fields, "sec-websocket-protocol") != Some(protocol.as_bytes()) {
        return Err(WsError::BadResponse("it speaks another subprotocol"));
    }
    if values(fields, "sec-websocket-extensions").next().is_some() {
        return Err(WsError::BadResponse("it uses an extension not offered"));
    }
    Ok(())
}

/// The response that opens the WebSocket.
pub(in crate::transport::ws) fn switching(accept: &str, protocol: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
    )
}

/// The response that doesn't.
pub(in crate::transport::ws) fn refusal(refusal: Refusal) -> String {
    let Refusal { status, reason } = refusal;
    let name = match status {
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        426 => "Upgrade Required",
        505 => "HTTP Version Not Supported",
        _ => "Bad Request",
    };
    let fields = match status {
        405 => "Allow: GET\r\n",
        426 => "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        _ => "",
    };
    let len = reason.len() + 1;
    format!(
        "HTTP/1.1 {status} {name}\r\nConnection: close\r\n{fields}\
         Content-Type: text/plain\r\nContent-Length: {len}\r\n\r\n{reason}\n"
    )
}
