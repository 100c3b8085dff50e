//! Path ids (`docs/spec/stt-node.md` section 2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use stt_core::{LinkProfile, PathId, endpoint::Paths};

/// What a path id says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Over a UDP socket of this node.
    Udp {
        remote: SocketAddr,
        socket: u8,
        /// Where answers leave from; `None` lets the system choose.
        local: Option<IpAddr>,
    },
    /// Over a reliable link.
    Link(u64),
}

impl Route {
    pub(crate) fn to_path(self) -> PathId {
        let mut bytes = [0; PathId::MAX_LEN];
        let len = match self {
            Self::Link(number) => {
                bytes[0] = LINK;
                bytes[1..9].copy_from_slice(&number.to_be_bytes());
                9
            }
            Self::Udp {
                remote,
                socket,
                local,
            } => match remote {
                SocketAddr::V4(remote) => {
                    let local = match local {
                        Some(IpAddr::V4(local)) => local,
                        _ => Ipv4Addr::UNSPECIFIED,
                    };
                    bytes[0] = V4;
                    bytes[1..5].copy_from_slice(&remote.ip().octets());
                    bytes[5..7].copy_from_slice(&remote.port().to_be_bytes());
                    bytes[7] = socket;
                    bytes[8..12].copy_from_slice(&local.octets());
                    12
                }
                SocketAddr::V6(remote) => {
                    let local = match local {
                        Some(IpAddr::V6(local)) => local,
                        _ => Ipv6Addr::UNSPECIFIED,
                    };
                    bytes[0] = V6;
                    bytes[1..17].copy_from_slice(&remote.ip().octets());
                    bytes[17..19].copy_from_slice(&remote.port().to_be_bytes());
                    bytes[19] = socket;
                    bytes[20..36].copy_from_slice(&local.octets());
                    bytes[36..40].copy_from_slice(&remote.scope_id().to_be_bytes());
                    40
                }
            },
        };
        PathId::new(&bytes[..len]).expect("no route takes more than a path id may")
    }

    /// `None` for what no node has made.
    pub(crate) fn from_path(path: &PathId) -> Option<Self> {
        let (&kind, rest) = path.as_bytes().split_first()?;
        match kind {
            LINK => Some(Self::Link(u64::from_be_bytes(rest.try_into().ok()?))),
            V4 => {
                let rest: &[u8; 11] = rest.try_into().ok()?;
                let [a, b, c, d, p, q, socket, local @ ..] = *rest;
                let local = Ipv4Addr::from(local);
                Some(Self::Udp {
                    remote: (Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([p, q])).into(),
                    socket,
                    local: (!local.is_unspecified()).then_some(local.into()),
                })
            }
            V6 => {
                let ip: [u8; 16] = rest.get(..16)?.try_into().ok()?;
                let port = u16::from_be_bytes(rest.get(16..18)?.try_into().ok()?);
                let socket = *rest.get(18)?;
                let local: [u8; 16] = rest.get(19..35)?.try_into().ok()?;
                let scope = u32::from_be_bytes(rest.get(35..)?.try_into().ok()?);
                let local = Ipv6Addr::from(local);
                Some(Self::Udp {
                    remote: SocketAddrV6::new(ip.into(), port, 0, scope).into(),
                    socket,
                    local: (!local.is_unspecified()).then_some(local.into()),
                })
            }
            _ => None,
        }
    }
}

/// An address as paths write it: IPv4 stays IPv4, also where it came to an IPv6 socket.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => (ip, address.port()).into(),
        IpAddr::V6(_) => address,
    }
}

/// What the endpoint is told of a node's paths.
#[derive(Debug)]
pub(crate) struct NodePaths {
    /// Of UDP paths that peers begin.
    pub(crate) udp: LinkProfile,
}

impl Paths for NodePaths {
    fn profile(&self, path: &PathId) -> LinkProfile {
        match path.as_bytes().first() {
            Some(&LINK) => LinkProfile::RELIABLE,
            _ => self.udp,
        }
    }

    fn address(&self, path: &PathId) -> PathId {
        let bytes = path.as_bytes();
        let share = match bytes.first() {
            Some(&V4) => bytes.get(..5),
            Some(&V6) => bytes.get(..9),
            _ => None,
        };
        share.and_then(PathId::new).unwrap_or(*path)
    }
}

const LINK: u8 = 1;
const V4: u8 = 4;
const V6: u8 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_come_back() {
        let udp = |remote: &str, socket, local: Option<&str>| Route::Udp {
            remote: remote.parse().unwrap(),
            socket,
            local: local.map(|local| local.parse().unwrap()),
        };
        for route in [
            udp("192.0.2.1:65535", 0, None),
            udp("192.0.2.1:1", 255, Some("198.51.100.7")),
            udp("[2001:db8::1]:4433", 7, None),
            udp("[fe80::1%3]:4433", 7, Some("fe80::2")),
            Route::Link(0),
            Route::Link(u64::MAX),
        ] {
            assert_eq!(Route::from_path(&route.to_path()), Some(route));
        }
        assert_eq!(
            udp("192.0.2.1:258", 3, Some("198.51.100.7"))
                .to_path()
                .as_bytes(),
            [4, 192, 0, 2, 1, 1, 2, 3, 198, 51, 100, 7]
        );
    }

    #[test]
    fn other_bytes_are_no_route() {
        for bytes in [
            &[][..],
            &[0],
            &[1, 2],
            &[4; 11],
            &[4; 13],
            &[6; 39],
            &[5; 12],
        ] {
            assert_eq!(Route::from_path(&PathId::new(bytes).unwrap()), None);
        }
    }

    #[test]
    fn shares_leave_out_ports_and_the_host_part_of_ipv6() {
        let paths = NodePaths {
            udp: LinkProfile::INTERNET,
        };
        let share = |remote: &str| {
            let route = Route::Udp {
                remote: remote.parse().unwrap(),
                socket: 0,
                local: None,
            };
            paths.address(&route.to_path())
        };
        assert_eq!(share("192.0.2.1:1"), share("192.0.2.1:2"));
        assert_ne!(share("192.0.2.1:1"), share("192.0.2.2:1"));
        assert_eq!(share("[2001:db8::1]:1"), share("[2001:db8::2]:9"));
        assert_ne!(share("[2001:db8::1]:1"), share("[2001:db8:0:1::1]:1"));
        let link = Route::Link(5).to_path();
        assert_eq!(paths.address(&link), link);
        assert!(paths.profile(&link).reliable);
    }

    #[test]
    fn ipv4_in_ipv6_is_ipv4() {
        let mapped = "[::ffff:192.0.2.1]:5".parse().unwrap();
        assert_eq!(canonical(mapped), "192.0.2.1:5".parse().unwrap());
    }
}
