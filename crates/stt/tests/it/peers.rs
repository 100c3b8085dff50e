//! Who gets in, and who doesn't.

use std::time::Duration;

use stt::{ConnectOptions, Node, NodeError, NodeEvent, core::handshake::Refusal};

use crate::support::{SHARED, builder, join, two_nodes, within};

fn quickly() -> ConnectOptions {
    let mut options = ConnectOptions::default();
    options.timeout = Duration::from_secs(1);
    options
}

#[tokio::test]
async fn another_shared_seed_times_out_and_says_so() {
    within(async {
        let stranger = Node::builder([3; 32], [8; 32]).host("127.0.0.1");
        let (stranger, server) = (stranger.build().unwrap(), builder(2).build().unwrap());
        let mut events = server.events();
        stranger.start().await.unwrap();
        let port = server.start().await.unwrap().port();
        let outcome = stranger
            .connect_udp_with("127.0.0.1", port, quickly())
            .await;
        let error = outcome.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(
            error.to_string(),
            "no answer: the peer is unreachable, or holds another seed"
        );
        let NodeEvent::Refused { refusal, from, .. } = events.recv().await.unwrap() else {
            panic!("the first event is a refusal");
        };
        assert_eq!(refusal, Refusal::WrongSeed);
        assert_eq!(from.udp(), stranger.local_addr().ok());
        stranger.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn another_node_than_the_expected_one_is_refused() {
    within(async {
        let (client, server) = two_nodes().await;
        let port = server.local_addr().unwrap().port();
        let mut options = quickly();
        options.expected_peer = Some(client.node_id());
        let outcome = client
            .connect_udp_with("127.0.0.1", port, options.clone())
            .await;
        assert_eq!(outcome.unwrap_err().wrong_peer(), Some(server.node_id()));
        options.expected_peer = Some(server.node_id());
        client
            .connect_udp_with("127.0.0.1", port, options)
            .await
            .unwrap();
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn only_allowed_peers_get_in() {
    within(async {
        let (friend, stranger) = (builder(1).build().unwrap(), builder(3).build().unwrap());
        let server = builder(2)
            .allowed_peers([friend.node_id()])
            .build()
            .unwrap();
        for node in [&friend, &stranger, &server] {
            node.start().await.unwrap();
        }
        let port = server.local_addr().unwrap().port();
        join(&friend, &server).await;
        let outcome = stranger
            .connect_udp_with("127.0.0.1", port, quickly())
            .await;
        assert!(outcome.unwrap_err().is_timeout());
        for node in [&friend, &stranger, &server] {
            node.stop().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_node_answers_those_with_an_earlier_seed() {
    within(async {
        let earlier = Node::builder([1; 32], [8; 32])
            .host("127.0.0.1")
            .build()
            .unwrap();
        let changing = builder(2).further_shared_seed([8; 32]).build().unwrap();
        let current = builder(3).build().unwrap();
        for node in [&earlier, &changing, &current] {
            node.start().await.unwrap();
        }
        join(&earlier, &changing).await;
        join(&current, &changing).await;
        for node in [&earlier, &changing, &current] {
            node.stop().await;
        }
    })
    .await;
}

#[test]
fn empty_seeds_and_too_many_are_refused() {
    let build = |node: &[u8], shared: &[u8]| Node::builder(node, shared).build();
    let error = build(b"", &SHARED).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("node seed: the seed is empty")
    );
    let error = build(&SHARED, b"").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("shared seed: the seed is empty")
    );
    let mut many = builder(1);
    for seed in 1..=4 {
        many = many.further_shared_seed([seed; 32]);
    }
    assert!(matches!(many.build(), Err(NodeError::TooManySeeds(_))));
    assert!(
        Node::builder("short", SHARED)
            .build()
            .unwrap()
            .has_short_seed()
    );
    assert!(!builder(1).build().unwrap().has_short_seed());
}

#[tokio::test]
async fn addresses_that_do_not_work_say_why() {
    within(async {
        let node = builder(1).build().unwrap();
        assert!(
            node.connect_udp("127.0.0.1", 1).await.is_err(),
            "not started"
        );
        let address = node.start().await.unwrap();
        let second = builder(2).port(address.port()).build().unwrap();
        let error = second.start().await.unwrap_err();
        assert!(matches!(error, NodeError::Bind { .. }), "{error}");
        let error = node.connect_udp("::1", 1).await.unwrap_err();
        assert!(error.to_string().contains("same family"), "{error}");
        node.stop().await;
    })
    .await;
}
