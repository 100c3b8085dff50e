//! Asking a running proxy.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use serde_json::Value;

use super::{ProxyError, control::Request};

/// How long an answer may take: a proxy answers between two datagrams.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer that is read.
const MAX_ANSWER_BYTES: u64 = 16 << 20;

/// Sends a request to the proxy whose control socket is at `path`; its answer.
///
/// # Errors
/// [`ProxyError::NoProxy`] where none answers; a request that the proxy refuses is an answer.
pub fn request(path: &Path, request: &Request) -> Result<Value, ProxyError> {
    let ask = || {
        let mut stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(request.to_line().as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream.take(MAX_ANSWER_BYTES)).read_line(&mut line)?;
        serde_json::from_str(&line).map_err(io::Error::from)
    };
    ask().map_err(|cause| ProxyError::NoProxy {
        path: path.to_owned(),
        cause,
    })
}
