use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;

/// One end, written by hand so that it can misbehave.
pub(super) struct ByHand {
    pub(super) io: TcpStream,
    /// Clients mask what they send.
    is_client: bool,
}

pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;
/// The last frame of a message.
pub(super) const FIN: u8 = 0x80;

impl ByHand {
    pub(super) const fn server(io: TcpStream) -> Self {
        Self {
            io,
            is_client: false,
        }
    }

    /// Connects, without a handshake.
    pub(super) async fn connect(to: SocketAddr) -> Self {
        Self {
            io: TcpStream::connect(to).await.unwrap(),
            is_client: true,
        }
    }

    /// Connects, with a handshake that is in order.
    pub(super) async fn open(to: SocketAddr) -> Self {
        let mut client = Self::connect(to).await;
        client.send(request(&[]).as_bytes()).await;
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        client
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.io.write_all(bytes).await.unwrap();
    }

    /// The head of what the other end says.
    pub(super) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(within(self.io.read_u8()).await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    /// Sends a frame of any kind; `first` is its first byte.
    pub(super) async fn frame(&mut self, first: u8, payload: &[u8]) {
        self.header(first, payload.len()).await;
        let mask = self.is_client;
        let payload: Vec<u8> = payload
            .iter()
            .enumerate()
            .map(|(i, byte)| if mask { byte ^ MASK[i % 4] } else { *byte })
            .collect();
        self.send(&payload).await;
    }

    /// Sends the head of a frame alone.
    pub(super) async fn header(&mut self, first: u8, len: usize) {
        let mut head = vec![first];
        let bit = if self.is_client { 0x80 } else { 0 };
        if len < 126 {
            head.push(bit | len as u8);
        } else {
            head.push(bit | 127);
            head.extend((len as u64).to_be_bytes());
        }
        if self.is_client {
            head.extend(MASK);
        }
        self.send(&head).await;
    }

    /// The next frame of the other end: its first byte, and the payload.
    pub(super) async fn read(&mut self) -> (u8, Vec<u8>) {
        within(async {
            let first = self.io.read_u8().await.unwrap();
            let second = self.io.read_u8().await.unwrap();
            let len = match second & 0x7f {
                126 => self.io.read_u16().await.unwrap().into(),
                127 => self.io.read_u64().await.unwrap(),
                len => len.into(),
            };
            let mut mask = [0; 4];
            assert_eq!(second & 0x80 == 0, self.is_client, "who masks");
            if !self.is_client {
                self.io.read_exact(&mut mask).await.unwrap();
            }
            let mut payload = vec![0; len as usize];
            self.io.read_exact(&mut payload).await.unwrap();
            for (i, byte) in payload.iter_mut().enumerate() {
                *byte ^= mask[i % 4];
            }
            (first, payload)
        })
        .await
    }

    /// The other end closes with this code, and hangs up.
    pub(super) async fn is_closed_with(&mut self, code: u16) {
        let (first, payload) = self.read().await;
        assert_eq!((first, payload), (FIN | CLOSE, code.to_be_bytes().to_vec()));
    }

    /// Nothing more comes.
    pub(super) async fn is_over(&mut self) {
        let mut rest = Vec::new();
        // A reset is an end as well.
        drop(within(self.io.read_to_end(&mut rest)).await);
        assert!(rest.is_empty(), "{rest:?}");
    }
}

/// A request that is in order, with further fields.
pub(super) fn request(fields: &[&str]) -> String {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    format!(
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: test\r\n{fields}\r\n"
    )
}

const MASK: [u8; 4] = [1, 2, 3, 4];
