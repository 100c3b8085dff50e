//! Sessions whose way changes.

use std::{net::SocketAddr, sync::Arc};

use stt::{NodeEvent, PathAddress};
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
