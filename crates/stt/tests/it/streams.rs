//! Streams and datagrams: order, ends, cancellation, back-pressure.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use stt::{DatagramError, ReadError, ReadToEndError, WriteError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{join, two_nodes, within};

/// Polls once and drops: a call that was cancelled.
fn cancelled<T>(call: impl Future<Output = T>) -> Option<T> {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn resets_and_stops_reach_the_other_end() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join(&client, &server).await;

        let mut sending = opened.open_uni().await.unwrap();
        sending.write_all(b"some").await.unwrap();
        let mut receiving = accepted.accept_uni().await.unwrap();
        let mut four = [0; 4];
        receiving.read_exact(&mut four).await.unwrap();
        sending.reset(77).unwrap();
        assert_eq!(receiving.read(&mut four).await, Err(ReadError::Reset(77)));
        assert_eq!(receiving.read(&mut four).await, Err(ReadError::Reset(77)));
        assert_eq!(sending.write(b"x").await, Err(WriteError::Closed));
        assert_eq!(sending.stopped().await, Err(WriteError::Closed));

        let mut sending = opened.open_uni().await.unwrap();
        sending.write_all(b"more").await.unwrap();
        let mut receiving = accepted.accept_uni().await.unwrap();
        receiving.stop(88);
        assert_eq!(sending.stopped().await, Ok(Some(88)));
        assert_eq!(sending.write(b"x").await, Err(WriteError::Stopped(88)));
        assert_eq!(receiving.read(&mut four).await, Err(ReadError::Closed));

        // Dropped halves: the sending one ends, the receiving one stops.
        let (mut sending, receiving) = opened.open_bi().await.unwrap();
        sending.write_all(b"last").await.unwrap();
        drop((sending, receiving));
        let (mut answering, mut receiving) = accepted.accept_bi().await.unwrap();
        assert_eq!(receiving.read_to_end(10).await.unwrap(), b"last");
        assert_eq!(answering.stopped().await, Ok(Some(0)));
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_was_opened_and_not_written_is_heard_of() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join(&client, &server).await;
        let (_sending, mut receiving) = opened.open_bi().await.unwrap();
        let serve = async {
            let (mut sending, _receiving) = accepted.accept_bi().await.unwrap();
            sending.write_all(b"welcome").await.unwrap();
            sending.finish().unwrap();
            sending.stopped().await.unwrap();
        };
        let (welcome, ()) = tokio::join!(receiving.read_to_end(100), serve);
        assert_eq!(welcome.unwrap(), b"welcome");
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn cancelled_calls_take_and_give_nothing() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join(&client, &server).await;
        assert!(cancelled(accepted.accept_uni()).is_none());
        assert!(cancelled(accepted.recv_datagram()).is_none());
        assert!(cancelled(server.accept()).is_none());

        let mut sending = opened.open_uni().await.unwrap();
        sending.write_all(&[0]).await.unwrap();
        let mut receiving = accepted.accept_uni().await.unwrap();
        let mut byte = [0];
        receiving.read_exact(&mut byte).await.unwrap();

        // Reads that wait are dropped a thousand times while the bytes 0, 1, 2, … come.
        let total = 200_000_usize;
        let write = async {
            for piece in 0..total / 100 {
                let start = piece * 100;
                let bytes: Vec<u8> = (start..start + 100).map(|i| (i % 256) as u8).collect();
                sending.write_all(&bytes).await.unwrap();
                if piece % 7 == 0 {
                    tokio::task::yield_now().await;
                }
            }
            sending.finish().unwrap();
        };
        let read = async {
            let (mut seen, mut dropped) = (0, 0);
            let mut buffer = [0; 64];
            loop {
                let len = match cancelled(receiving.read(&mut buffer)) {
                    Some(len) => len.unwrap(),
                    None => {
                        dropped += 1;
                        receiving.read(&mut buffer).await.unwrap()
                    }
                };
                let Some(len) = len else { break };
                for byte in &buffer[..len] {
                    assert_eq!(*byte, (seen % 256) as u8);
                    seen += 1;
                }
            }
            assert_eq!(seen, total);
            assert!(dropped > 0, "no read had to wait");
        };
        tokio::join!(write, read);

        // Writes to a stream that nobody reads: those that wait are dropped, the others count.
        let mut sending = opened.open_uni().await.unwrap();
        let mut written = 0;
        let piece = vec![9; 50_000];
        while let Some(len) = cancelled(sending.write(&piece)) {
            written += len.unwrap();
        }
        for _ in 0..100 {
            assert!(cancelled(sending.write(&piece)).is_none());
        }
        sending.finish().unwrap();
        let mut receiving = accepted.accept_uni().await.unwrap();
        let all = receiving.read_to_end(usize::MAX).await.unwrap();
        assert_eq!(all.len(), written);
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_slow_reader_holds_the_writer_back() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join(&client, &server).await;
        let mut sending = opened.open_uni().await.unwrap();
        sending.write_all(b"x").await.unwrap();
        let mut receiving = accepted.accept_uni().await.unwrap();

        // The peer reads nothing: what can be written is the window that was granted at first, 2 MiB,
        // and the 256 KiB that may wait unsent.
        let piece = vec![1; 100_000];
        let mut written = 1;
        let wait = std::time::Duration::from_millis(500);
        while let Ok(len) = tokio::time::timeout(wait, sending.write(&piece)).await {
            written += len.unwrap();
            assert!(written <= (2 << 20) + (256 << 10), "unbounded: {written}");
        }
        assert!(written >= 2 << 20);
        // And reading lets it go on.
        let write = async {
            sending.write_all(&piece).await.unwrap();
            sending.finish().unwrap();
        };
        let (read, ()) = tokio::join!(receiving.read_to_end(usize::MAX), write);
        assert_eq!(read.unwrap().len(), written + piece.len());
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn more_than_is_allowed_is_an_error() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join(&client, &server).await;
        let mut sending = opened.open_uni().await.unwrap();
        sending.write_all(&[0; 1_000]).await.unwrap();
        sending.finish().unwrap();
        let mut receiving = accepted.accept_uni().await.unwrap();
        let read = receiving.read_to_end(999).await;
        assert_eq!(read, Err(ReadToEndError::TooLong { limit: 999 }));
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn hundreds_of_streams_share_a_session() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join(&client, &server).await;
        let open = async {
            // More than the peer allows at once: opening waits for its turn.
            for number in 0..500_u32 {
                let mut sending = opened.open_uni().await.unwrap();
                sending.write_all(&number.to_be_bytes()).await.unwrap();
                sending.finish().unwrap();
            }
        };
        let accept = async {
            let mut numbers = Vec::new();
            for _ in 0..500 {
                let mut receiving = accepted.accept_uni().await.unwrap();
                let bytes = receiving.read_to_end(4).await.unwrap();
                numbers.push(u32::from_be_bytes(bytes.try_into().unwrap()));
            }
            numbers
        };
        let ((), mut numbers) = tokio::join!(open, accept);
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..500));
        client.stop().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn datagrams_of_what_fits() {
    within(async {
        let (client, server) = two_nodes().await;
        let (opened, accepted) = join(&client, &server).await;
        let max = opened.max_datagram();
        assert!(max > 1_000, "{max}");
        let too_long = opened.send_datagram(&vec![0; 60_000]);
        assert!(matches!(
            too_long,
            Err(DatagramError::TooLarge { len: 60_000, .. })
        ));
        opened.send_datagram(&vec![7; max]).unwrap();
        opened.send_datagram(b"").unwrap();
        // On loopback nothing is lost.
        assert_eq!(accepted.recv_datagram().await.unwrap(), vec![7; max]);
        assert_eq!(accepted.recv_datagram().await.unwrap(), b""[..]);
        client.stop().await;
        server.stop().await;
    })
    .await;
}
