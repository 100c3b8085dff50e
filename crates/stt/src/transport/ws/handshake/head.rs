use tokio::io::{AsyncRead, AsyncReadExt};

use super::MAX_HEAD;
use crate::transport::ws::WsError;

/// Reads until an HTTP head is whole. Gives it, and the bytes that came behind it.
pub(in crate::transport::ws) async fn read_head<S: AsyncRead + Unpin>(
    io: &mut S,
) -> Result<(Vec<u8>, Vec<u8>), WsError> {
    let mut bytes = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let read = io.read(&mut piece).await?;
        if read == 0 {
            return Err(WsError::Cut);
        }
        // The end may lie across two pieces.
        let seen = bytes.len().saturating_sub(END.len() - 1);
        bytes.extend_from_slice(&piece[..read]);
        let found = bytes[seen..].windows(END.len()).position(|at| at == END);
        if let Some(at) = found {
            let rest = bytes.split_off(seen + at + END.len());
            if bytes.len() <= MAX_HEAD {
                return Ok((bytes, rest));
            }
        }
        if found.is_some() || bytes.len() > MAX_HEAD {
            return Err(WsError::HeadTooLong { limit: MAX_HEAD });
        }
    }
}

/// The empty line behind the fields.
const END: &[u8] = b"\r\n\r\n";
