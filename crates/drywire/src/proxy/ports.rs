//! The proxy's UDP sockets: one that listens, one for each flow.

use std::{
    collections::{BTreeMap, HashMap},
    io, iter,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use drybox::{
    Direction,
    relay::{FlowId, UnsentCounts},
};
use rustix::{
    io::Errno,
    net::sockopt,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

/// What is asked of the system for each socket's buffers.
const BUFFER_BYTES: usize = 4 << 20;

/// A flow's way out.
#[derive(Debug)]
pub(super) struct Port {
    /// Connected to the server.
    pub(super) socket: UdpSocket,
    /// Whose flow it is.
    client: SocketAddr,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) listener: UdpSocket,
    to: SocketAddr,
    by_client: HashMap<SocketAddr, FlowId>,
    pub(super) flows: BTreeMap<FlowId, Port>,
}

impl Ports {
    pub(super) fn bind(listen: SocketAddr, to: SocketAddr) -> io::Result<Self> {
        raise_descriptor_limit();
        Ok(Self {
            listener: socket(listen)?,
            to,
            by_client: HashMap::new(),
            flows: BTreeMap::new(),
        })
    }

    /// The flow of a client, if it has one.
    pub(super) fn flow_of(&self, client: SocketAddr) -> Option<FlowId> {
        self.by_client.get(&client).copied()
    }

    /// A socket for one more flow.
    pub(super) fn connect(&self) -> io::Result<UdpSocket> {
        let any = match self.to {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = socket(any)?;
        socket.connect(self.to)?;
        Ok(socket)
    }

    /// Whether the system would give so many descriptors more.
    pub(super) fn has_descriptors(&self, count: usize) -> bool {
        let taken: io::Result<Vec<UdpSocket>> = iter::repeat_with(|| self.listener.try_clone())
            .take(count)
            .collect();
        taken.is_ok()
    }

    pub(super) fn add(&mut self, id: FlowId, client: SocketAddr, socket: UdpSocket) {
        self.by_client.insert(client, id);
        self.flows.insert(id, Port { socket, client });
    }

    pub(super) fn remove(&mut self, id: FlowId) {
        if let Some(port) = self.flows.remove(&id) {
            self.by_client.remove(&port.client);
        }
    }

    /// Sends what the link delivered; counts it where the system does not take it.
    pub(super) fn send(
        &self,
        id: FlowId,
        direction: Direction,
        datagram: &[u8],
        unsent: &mut UnsentCounts,
    ) {
        let Some(port) = self.flows.get(&id) else {
            return;
        };
        match direction {
            Direction::LeftToRight => {
                if !sent(|| port.socket.send(datagram)) {
                    unsent.to_server += 1;
                }
            }
            Direction::RightToLeft => {
                if !sent(|| self.listener.send_to(datagram, port.client)) {
                    unsent.to_client += 1;
                }
            }
        }
    }
}

/// Whether the system took a datagram. An earlier one that was refused by the network is reported
/// in place of sending this one: then it is tried again.
fn sent(mut attempt: impl FnMut() -> io::Result<usize>) -> bool {
    match attempt() {
        Ok(_) => true,
        Err(error) if is_report(&error) => attempt().is_ok(),
        Err(_) => false,
    }
}

/// Whether an error tells of an earlier datagram, not of the socket.
pub(super) fn is_report(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::Interrupted
            | io::ErrorKind::PermissionDenied
    )
}

/// Whether an error says that this process, or the system, has no descriptor left.
pub(super) fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE)
    )
}

fn socket(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    // The system gives what it allows; less is no error.
    let _ = sockopt::set_socket_recv_buffer_size(&socket, BUFFER_BYTES);
    let _ = sockopt::set_socket_send_buffer_size(&socket, BUFFER_BYTES);
    Ok(socket)
}

/// As many descriptors as the system allows: each flow takes one, a recorded one three more.
fn raise_descriptor_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it may not be raised, flows are refused when descriptors run out.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    );
}
