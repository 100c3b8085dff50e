//! A UDP socket with segmentation offload, ECN and the address that datagrams came to.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr, SocketAddrV6},
    task::{Context, Poll, ready},
};

use quinn_udp::{EcnCodepoint, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use stt_core::Ecn;
use tokio::io::Interest;

/// One socket of a node.
#[derive(Debug)]
pub(crate) struct UdpSocket {
    io: tokio::net::UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
}

/// What became of a datagram, or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The system took it, or it counts as lost.
    Done,
    /// The socket's buffer is full.
    Full,
}

/// Where a datagram goes and with what mark.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope {
    pub(crate) remote: SocketAddr,
    pub(crate) local: Option<IpAddr>,
    pub(crate) ecn: Ecn,
    pub(crate) segment_size: Option<usize>,
}

/// Receptions of one system call.
pub(crate) const BATCH: usize = 4;
/// The largest reception: what the system joins of one flow.
pub(crate) const RECEPTION: usize = 65_536;
/// The largest sending, all segments together. With all headers it stays under 64 KiB: above that the
/// system would cut it up before it reaches a device, or a receiver on the same machine.
pub(crate) const SENDING: usize = 65_000;

impl UdpSocket {
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(address)?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // The system may allow less; then it is as much as that.
        for set in [
            UdpSocketState::set_recv_buffer_size,
            UdpSocketState::set_send_buffer_size,
        ] {
            drop(set(&state, UdpSockRef::from(&socket), BUFFER));
        }
        let io = tokio::net::UdpSocket::from_std(socket)?;
        let local = io.local_addr()?;
        Ok(Self { io, state, local })
    }

    pub(crate) const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Whether datagrams of this socket can go to `remote`.
    pub(crate) fn reaches(&self, remote: SocketAddr) -> bool {
        match self.local.ip() {
            IpAddr::V4(_) => remote.is_ipv4(),
            IpAddr::V6(ip) => remote.is_ipv6() || ip.is_unspecified(),
        }
    }

    /// Datagrams that may go out at once.
    pub(crate) fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Takes what has come. Fewer receptions than buffers are all there was.
    pub(crate) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
        meta: &mut [RecvMeta; BATCH],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.io.poll_recv_ready(cx))?;
            let mut pieces = buffer.chunks_exact_mut(RECEPTION);
            let mut slices: [IoSliceMut<'_>; BATCH] = std::array::from_fn(|_| {
                IoSliceMut::new(pieces.next().expect("the buffer holds a batch"))
            });
            let mut count = 0;
            let outcome = self.io.try_io(Interest::READABLE, || {
                count = self
                    .state
                    .recv(UdpSockRef::from(&self.io), &mut slices, meta)?;
                // Saves the call that would only find the socket empty.
                if count < BATCH {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Ok(())
            });
            match outcome {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                    return Poll::Ready(Err(error));
                }
                _ if count > 0 => return Poll::Ready(Ok(count)),
                _ => {}
            }
        }
    }

    /// Whether more has come; if not, `cx` is woken when it does.
    pub(crate) fn poll_more(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.io.poll_recv_ready(cx).map(drop)
    }

    /// Whether the socket takes datagrams; if not, `cx` is woken when it does.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.io.poll_send_ready(cx).map(drop)
    }

    /// Sends one datagram, or several segments of one size.
    pub(crate) fn try_send(&self, envelope: &Envelope, contents: &[u8]) -> Sent {
        let whole = self.send_once(envelope, contents, envelope.segment_size);
        match (whole, envelope.segment_size) {
            (Ok(()), _) => Sent::Done,
            (Err(error), _) if error.kind() == io::ErrorKind::WouldBlock => Sent::Full,
            // Where segmentation is refused, or a segment too large, each for itself.
            (Err(_), Some(size)) => {
                for segment in contents.chunks(size) {
                    drop(self.send_once(envelope, segment, None));
                }
                Sent::Done
            }
            (Err(_), None) => Sent::Done,
        }
    }

    fn send_once(
        &self,
        envelope: &Envelope,
        contents: &[u8],
        segment_size: Option<usize>,
    ) -> io::Result<()> {
        let transmit = Transmit {
            destination: self.spell(envelope.remote),
            ecn: EcnCodepoint::from_bits(envelope.ecn as u8),
            contents,
            segment_size,
            src_ip: envelope.local.map(|ip| self.spell_ip(ip)),
        };
        self.io.try_io(Interest::WRITABLE, || {
            self.state.try_send(UdpSockRef::from(&self.io), &transmit)
        })
    }

    /// An address as the socket's family writes it.
    fn spell(&self, address: SocketAddr) -> SocketAddr {
        match (address, self.local) {
            (SocketAddr::V4(v4), SocketAddr::V6(_)) => {
                SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0).into()
            }
            _ => address,
        }
    }

    fn spell_ip(&self, ip: IpAddr) -> IpAddr {
        match (ip, self.local) {
            (IpAddr::V4(v4), SocketAddr::V6(_)) => v4.to_ipv6_mapped().into(),
            _ => ip,
        }
    }
}

/// Asked for each direction: some milliseconds at full speed.
const BUFFER: usize = 4 << 20;
