//! What the fuzz targets reach.

use fastwebsockets::Role;

use super::{
    OriginPolicy,
    handshake::{check_request, check_response},
    socket::{Incoming, halves},
};

/// Judges bytes as a request's and as a response's head.
pub(crate) fn heads(bytes: &[u8]) {
    for origins in [OriginPolicy::NoPages, OriginPolicy::AnyPage] {
        if let Ok(accept) = check_request(bytes, "/", "stt", &origins) {
            assert_eq!(accept.len(), 28, "SHA-1 in base64");
        }
    }
    // Whatever it says: an error or not.
    drop(check_response(bytes, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "stt"));
}

/// The lengths of the messages that bytes hold, up to the first error.
pub(crate) async fn messages(bytes: &[u8], is_server: bool, limit: usize) -> Vec<usize> {
    let role = if is_server {
        Role::Server
    } else {
        Role::Client
    };
    let rest = bytes.to_vec();
    let (read, write) = (Box::new(tokio::io::empty()), Box::new(tokio::io::sink()));
    let (mut reader, _) = halves(read, write, rest, role, limit);
    let mut lens = Vec::new();
    while let Ok(incoming) = reader.next().await {
        match incoming {
            Incoming::Message(message) => lens.push(message.len()),
            Incoming::Ping(_) | Incoming::Pong => {}
            Incoming::Close => break,
        }
    }
    lens
}
