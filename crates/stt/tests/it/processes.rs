//! Two processes over UDP.
//!
//! The child is this very test program, told by a variable of the environment to be a server: it
//! writes its port on its standard output and sends back the hash of each stream.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use stt::{CloseReason, ConnectionError, SessionConfig};
use tokio::io::AsyncWriteExt;

use crate::support::{builder, within};

const SERVE: &str = "STT_TEST_SERVE";

/// The child: nothing to do when the tests run it themselves.
#[test]
#[expect(clippy::disallowed_methods, reason = "how the parent tells the child")]
fn child() {
    if std::env::var_os(SERVE).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let node = builder(2).build().unwrap();
        let port = node.start().await.unwrap().port();
        let mut out = std::io::stdout();
        writeln!(out, "\nport {port}").unwrap();
        out.flush().unwrap();
        while let Some(session) = node.accept().await {
            while let Ok((mut sending, mut receiving)) = session.accept_bi().await {
                let all = receiving.read_to_end(64 << 20).await.unwrap();
                sending.write_all(&sum(&all)).await.unwrap();
                sending.finish().unwrap();
            }
        }
    });
}

/// Fletcher's: order counts.
fn sum(bytes: &[u8]) -> [u8; 16] {
    let (mut a, mut b) = (1_u64, 0_u64);
    for byte in bytes {
        a = a.wrapping_add(u64::from(*byte));
        b = b.wrapping_add(a);
    }
    let mut out = [0; 16];
    out[..8].copy_from_slice(&a.to_be_bytes());
    out[8..].copy_from_slice(&b.to_be_bytes());
    out
}

struct Server {
    process: Child,
    _out: BufReader<ChildStdout>,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "processes::child", "--nocapture"])
            .env(SERVE, "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0, "the server ended");
            if let Some(port) = line.trim().strip_prefix("port ") {
                break port.parse().unwrap();
            }
        };
        Self {
            process,
            _out: out,
            port,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[tokio::test]
async fn another_process_gets_every_byte() {
    within(async {
        let server = Server::start();
        let client = builder(1).build().unwrap();
        client.start().await.unwrap();
        let session = client.connect_udp("127.0.0.1", server.port).await.unwrap();
        for len in [0, 1, 1_000, 20 << 20] {
            let data: Vec<u8> = (0..len).map(|i: u32| (i * 7 % 253) as u8).collect();
            let (mut sending, mut receiving) = session.open_bi().await.unwrap();
            sending.write_all_bytes(&data).await.unwrap();
            sending.finish().unwrap();
            assert_eq!(receiving.read_to_end(16).await.unwrap(), sum(&data));
        }
        client.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_peer_that_was_killed_times_out() {
    within(async {
        let server = Server::start();
        let mut config = SessionConfig::default();
        config.limits = config
            .limits
            .with_idle_timeout(Some(Duration::from_millis(500)));
        let client = builder(1).session(config).build().unwrap();
        client.start().await.unwrap();
        let session = client.connect_udp("127.0.0.1", server.port).await.unwrap();
        drop(server);
        let mut sending = session.open_uni().await.unwrap();
        sending.write_all(b"anybody?").await.unwrap();
        let reason = session.closed().await;
        assert_eq!(reason, CloseReason::Session(ConnectionError::TimedOut));
        client.stop().await;
    })
    .await;
}
