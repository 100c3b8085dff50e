use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use stt_core::SttFrame;
use tokio::{
    net::{ToSocketAddrs, UdpSocket},
    sync::Mutex,
};

use super::{FrameTransportError, whole};

/// Standalone frames over UDP, one a datagram. **No replay protection**, and nothing makes up for
/// loss (`docs/spec/stt-websocket.md`).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use stt::{core::SttFrame, transport::UdpTransport};
///
/// let here = UdpTransport::bind("127.0.0.1:0").await?;
/// let there = UdpTransport::bind("127.0.0.1:0").await?;
/// let frame = SttFrame { payload: b"hello".to_vec(), ..SttFrame::default() };
/// here.send_frame(&frame, there.local_addr()?).await?;
/// let (received, from) = there.receive_frame().await?;
/// assert_eq!((received, from), (frame, here.local_addr()?));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UdpTransport {
    socket: UdpSocket,
    /// Where datagrams are received; one task at a time does.
    buffer: Mutex<Box<[u8]>>,
    sent: AtomicU64,
    received: AtomicU64,
    refused: AtomicU64,
}

/// What a [`UdpTransport`] has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UdpTransportStats {
    /// Frames sent.
    pub sent: u64,
    /// Frames received.
    pub received: u64,
    /// Datagrams that were no frame, dropped.
    pub refused: u64,
}

impl UdpTransport {
    /// The most bytes of a datagram over IPv4.
    pub const MAX_FRAME: usize = 65_507;

    /// Binds a socket.
    ///
    /// # Errors
    ///
    /// The address can't be bound.
    pub async fn bind(address: impl ToSocketAddrs) -> Result<Self, FrameTransportError> {
        Ok(Self {
            socket: UdpSocket::bind(address).await?,
            buffer: Mutex::new(vec![0; BUFFER].into()),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// The address that was bound.
    ///
    /// # Errors
    ///
    /// The system doesn't tell.
    pub fn local_addr(&self) -> Result<SocketAddr, FrameTransportError> {
        Ok(self.socket.local_addr()?)
    }

    /// Sends a frame.
    ///
    /// # Errors
    ///
    /// It can't be written, is too long, or the system doesn't send it. No error doesn't mean that
    /// it arrives.
    pub async fn send_frame(
        &self,
        frame: &SttFrame,
        to: SocketAddr,
    ) -> Result<(), FrameTransportError> {
        let len = frame.encoded_len();
        if len > Self::MAX_FRAME {
            let max = Self::MAX_FRAME;
            return Err(FrameTransportError::TooLong { len, max });
        }
        self.socket.send_to(&frame.to_bytes()?, to).await?;
        self.sent.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Waits for the next frame, and tells where its datagram says that it comes from. Datagrams
    /// that aren't exactly one frame are dropped and counted. Cancelling loses nothing.
    ///
    /// # Errors
    ///
    /// The socket fails.
    pub async fn receive_frame(&self) -> Result<(SttFrame, SocketAddr), FrameTransportError> {
        let mut buffer = self.buffer.lock().await;
        loop {
            let (len, from) = match self.socket.recv_from(&mut buffer).await {
                Ok(received) => received,
                // A datagram sent earlier found nobody (ICMP); the socket is well.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => continue,
                Err(error) => return Err(error.into()),
            };
            match whole(&buffer[..len]) {
                Ok(frame) => {
                    self.received.fetch_add(1, Relaxed);
                    return Ok((frame, from));
                }
                Err(_) => {
                    self.refused.fetch_add(1, Relaxed);
                }
            }
        }
    }

    /// What it has counted so far.
    pub fn stats(&self) -> UdpTransportStats {
        UdpTransportStats {
            sent: self.sent.load(Relaxed),
            received: self.received.load(Relaxed),
            refused: self.refused.load(Relaxed),
        }
    }
}

/// Longer than any datagram.
const BUFFER: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_frame_is_dropped_and_counted() {
        let there = UdpTransport::bind("127.0.0.1:0").await.unwrap();
        let to = there.local_addr().unwrap();
        let here = UdpTransport::bind("127.0.0.1:0").await.unwrap();
        let frame = SttFrame {
            payload: vec![7; 60_000],
            ..SttFrame::default()
        };
        let bytes = frame.to_bytes().unwrap();
        let trailing = [&bytes[..], b"x"].concat();
        for junk in [&b""[..], b"anything", &bytes[..bytes.len() - 1], &trailing] {
            here.socket.send_to(junk, to).await.unwrap();
        }
        here.send_frame(&frame, to).await.unwrap();
        assert_eq!(there.receive_frame().await.unwrap().0, frame);
        let stats = there.stats();
        assert_eq!((stats.received, stats.refused, stats.sent), (1, 4, 0));
    }

    #[tokio::test]
    async fn what_fits_no_datagram_is_refused() {
        let here = UdpTransport::bind("127.0.0.1:0").await.unwrap();
        let frame = SttFrame {
            payload: vec![7; UdpTransport::MAX_FRAME],
            ..SttFrame::default()
        };
        let error = here
            .send_frame(&frame, here.local_addr().unwrap())
            .await
            .unwrap_err();
        assert!(matches!(error, FrameTransportError::TooLong { .. }));
        assert_eq!(here.stats().sent, 0);
    }
}
