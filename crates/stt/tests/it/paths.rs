//! Sessions whose way changes.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use stt::{MigrateError, NodeEvent, PathAddress};
use tokio::{io::AsyncWriteExt, net::UdpSocket, sync::broadcast::Receiver, sync::watch};

use crate::support::{join, two_nodes, within};

/// Where the next session that moves goes.
async fn moved(events: &mut Receiver<NodeEvent>) -> PathAddress {
    loop {
        if let NodeEvent::PathChanged { to, .. } = events.recv().await.unwrap() {
            return to;
        }
    }
}

#[tokio::test]
async fn a_session_moves_to_another_socket_and_loses_nothing() {
    within(async {
        let (client, server) = two_nodes().await;
        let mut events = server.events();
        let (opened, accepted) = join(&client, &server).await;
        let before = accepted.remote_address();
        let data: Vec<u8> = (0..2_000_000_u32).map(|i| (i % 241) as u8).collect();
        let write = async {
            let mut sending = opened.open_uni().await.unwrap();
            sending.write_all(&data[..1_000_000]).await.unwrap();
            opened.migrate("127.0.0.1", 0).await.unwrap();
            sending.write_all(&data[1_000_000..]).await.unwrap();
            sending.finish().unwrap();
        };
        let read = async {
            let mut receiving = accepted.accept_uni().await.unwrap();
            receiving.read_to_end(data.len()).await.unwrap()
        };
        let ((), all) = tokio::join!(write, read);
        assert!(all == data);
        let after = moved(&mut events).await.udp();
        assert!(after.is_some() && after != before);
        assert_eq!(accepted.remote_address(), after);
        client.stop().await;
        server.stop().await;
    })
    .await;
}

/// Waits until nobody holds this address.
async fn freed(address: SocketAddr) {
    while std::net::UdpSocket::bind(address).is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn sockets_that_no_session_uses_any_more_are_closed() {
    within(async {
        let (client, server) = two_nodes().await;
        let mut events = server.events();
        let (opened, accepted) = join(&client, &server).await;
        let metrics = tokio::runtime::Handle::current().metrics();
        let tasks = metrics.num_alive_tasks();
        let mut left = Vec::new();
        for _ in 0..3 {
            opened.migrate("127.0.0.1", 0).await.unwrap();
            left.push(moved(&mut events).await.udp().unwrap());
        }
        let last = left.pop().unwrap();
        for address in left {
            freed(address).await;
        }
        // The one in use stays, and the node's own.
        assert!(std::net::UdpSocket::bind(last).is_err());
        assert!(std::net::UdpSocket::bind(client.local_addr().unwrap()).is_err());
        let (mut sending, _) = opened.open_bi().await.unwrap();
        sending.write_all(b"still here").await.unwrap();
        sending.finish().unwrap();
        let (_, mut receiving) = accepted.accept_bi().await.unwrap();
        assert_eq!(receiving.read_to_end(20).await.unwrap(), b"still here");
        opened.close(0, "");
        freed(last).await;
        while metrics.num_alive_tasks() > tasks {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // The node itself goes on.
        join(&client, &server).await;
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_move_that_another_overtakes_is_told() {
    within(async {
        let (client, server) = two_nodes().await;
        let inside = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let (_rebind, binding) = watch::channel(0);
        let address = server.local_addr().unwrap();
        let carrying = tokio::spawn(nat(Arc::clone(&inside), address, binding));
        let port = inside.local_addr().unwrap().port();
        let opened = client.connect_udp("127.0.0.1", port).await.unwrap();
        let _accepted = server.accept().await.unwrap();
        // Nothing is carried any more: both moves wait.
        carrying.abort();
        drop(carrying.await);
        let (first, second) = (opened.clone(), opened.clone());
        let first = tokio::spawn(async move { first.migrate("127.0.0.1", 0).await });
        tokio::task::yield_now().await;
        let second = tokio::spawn(async move { second.migrate("127.0.0.1", 0).await });
        let told = first.await.unwrap();
        assert!(matches!(told, Err(MigrateError::Overtaken)), "{told:?}");
        let told = second.await.unwrap();
        assert!(matches!(told, Err(MigrateError::PathFailed)), "{told:?}");
        client.stop().await;
        server.stop().await;
    })
    .await;
}

/// Carries datagrams between a client and `server`, as a NAT does; its own address towards the
/// server changes with each new value of `binding`.
async fn nat(inside: Arc<UdpSocket>, server: SocketAddr, mut binding: watch::Receiver<u32>) {
    let mut outside = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut client = None;
    let (mut out, mut back) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            changed = binding.changed() => match changed {
                Ok(()) => outside = UdpSocket::bind("127.0.0.1:0").await.unwrap(),
                Err(_) => return,
            },
            received = inside.recv_from(&mut out) => {
                let (len, from) = received.unwrap();
                client = Some(from);
                outside.send_to(&out[..len], server).await.unwrap();
            }
            received = outside.recv_from(&mut back) => {
                let (len, _) = received.unwrap();
                if let Some(client) = client {
                    inside.send_to(&back[..len], client).await.unwrap();
                }
            }
        }
    }
}

#[tokio::test]
async fn a_nat_that_forgets_its_binding_is_outlived() {
    within(async {
        let (client, server) = two_nodes().await;
        let mut events = server.events();
        let inside = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let (rebind, binding) = watch::channel(0);
        let address = server.local_addr().unwrap();
        let carrying = tokio::spawn(nat(Arc::clone(&inside), address, binding));
        let port = inside.local_addr().unwrap().port();
        let opened = client.connect_udp("127.0.0.1", port).await.unwrap();
        let accepted = server.accept().await.unwrap();

        let (mut sending, _) = opened.open_bi().await.unwrap();
        sending.write_all(b"before").await.unwrap();
        let (_, mut receiving) = accepted.accept_bi().await.unwrap();
        let mut buffer = [0; 20];
        assert_eq!(receiving.read(&mut buffer).await, Ok(Some(6)));
        rebind.send(1).unwrap();
        sending.write_all(b"after").await.unwrap();
        sending.finish().unwrap();
        assert_eq!(receiving.read_to_end(20).await.unwrap(), b"after");
        let now_at = moved(&mut events).await.udp();
        assert_eq!(accepted.remote_address(), now_at);
        client.stop().await;
        server.stop().await;
        drop(rebind);
        carrying.await.unwrap();
    })
    .await;
}
