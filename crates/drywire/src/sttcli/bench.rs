//! `drywire bench`: throughput and latency between two nodes (`docs/spec/stt-commands.md` 6).

use std::{
    io::Write,
    time::{Duration, Instant},
};

use clap::Args;
use serde_json::json;
use stt::{NodeId, RecvStream, SendStream, Session};

use super::{
    error::SttCliError,
    peer::{HostPort, NodeArgs, host_port, node_id},
};

/// Bytes that are written at once.
const CHUNK: usize = 64 << 10;
/// What the first byte of a stream asks for.
const SINK: u8 = 1;
const SOURCE: u8 = 2;
const ECHO: u8 = 3;
/// Length of an echoed message.
const PING: usize = 64;

/// Arguments of `drywire bench`.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// A peer that runs `drywire listen --bench`; without one, both nodes are in this process
    #[arg(value_parser = host_port, value_name = "HOST:PORT")]
    to: Option<HostPort>,
    /// Refuse any other peer than the one with this node id
    #[arg(long, value_name = "NODE-ID", value_parser = node_id, requires = "to")]
    expect: Option<NodeId>,
    /// MiB to move in each direction
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    mib: u64,
    /// Round trips
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    round_trips: u32,
    #[command(flatten)]
    node: NodeArgs,
}

pub(super) async fn run(args: &BenchArgs, out: &mut (dyn Write + Send)) -> Result<(), SttCliError> {
    let here = HostPort {
        host: "127.0.0.1".to_owned(),
        port: 0,
    };
    let (server, to) = match &args.to {
        Some(to) => (None, to.clone()),
        None => {
            let server = args.node.start(&here, true).await?;
            let to = HostPort {
                port: server.address.port(),
                ..here
            };
            (Some(server), to)
        }
    };
    if let Some(server) = &server {
        let node = server.node.clone();
        tokio::spawn(async move {
            while let Some(session) = node.accept().await {
                // The other end, in this process, tells what goes wrong.
                let _ = serve(&session).await;
            }
        });
    }
    let (client, session) = args.node.meet(Some(&to), None, args.expect).await?;
    let figures = measure(&session, args).await?;
    session.close(0, "");
    client.node.stop().await;
    if let Some(server) = server {
        server.node.stop().await;
    }
    figures
        .write(out, args.node.json)
        .map_err(SttCliError::io("writing the result"))
}

/// Serves whatever streams ask for, until the session ends.
pub(super) async fn serve(session: &Session) -> Result<(), SttCliError> {
    loop {
        let (send, receive) = match session.accept_bi().await {
            Ok(opened) => opened,
            Err(reason) if reason.peer_code() == Some(0) => return Ok(()),
            Err(reason) => return Err(reason.into()),
        };
        tokio::spawn(async move {
            // The end that measures tells what goes wrong.
            let _ = answer(send, receive).await;
        });
    }
}

async fn answer(mut send: SendStream, mut receive: RecvStream) -> Result<(), SttCliError> {
    let mut order = [0; 9];
    fill(&mut receive, &mut order).await?;
    let bytes = order[1..]
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    match order[0] {
        SINK => {
            drain(&mut receive).await?;
            send.write_all_bytes(&[0]).await?;
        }
        SOURCE => pour(&mut send, bytes).await?,
        ECHO => {
            while let Some(chunk) = receive.read_chunk(CHUNK).await? {
                send.write_all_bytes(&chunk).await?;
            }
        }
        other => return Err(SttCliError::Protocol(format!("order {other}"))),
    }
    send.finish()?;
    Ok(())
}

async fn measure(session: &Session, args: &BenchArgs) -> Result<Figures, SttCliError> {
    let bytes = args.mib << 20;
    let (mut send, mut receive) = begin(session, SINK, bytes).await?;
    let start = now();
    pour(&mut send, bytes).await?;
    send.finish()?;
    drain(&mut receive).await?;
    let sent = start.elapsed();

    let (_send, mut receive) = begin(session, SOURCE, bytes).await?;
    let start = now();
    drain(&mut receive).await?;
    let received = start.elapsed();

    let (mut send, mut receive) = begin(session, ECHO, 0).await?;
    let mut times = Vec::new();
    let mut message = [7; PING];
    for _ in 0..args.round_trips {
        let start = now();
        send.write_all_bytes(&message).await?;
        fill(&mut receive, &mut message).await?;
        times.push(start.elapsed());
    }
    send.finish()?;
    times.sort_unstable();
    Ok(Figures {
        bytes,
        sent,
        received,
        times,
    })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}

async fn begin(
    session: &Session,
    order: u8,
    bytes: u64,
) -> Result<(SendStream, RecvStream), SttCliError> {
    let (mut send, receive) = session.open_bi().await?;
    let mut text = [order; 9];
    text[1..].copy_from_slice(&bytes.to_be_bytes());
    send.write_all_bytes(&text).await?;
    Ok((send, receive))
}

async fn pour(send: &mut SendStream, mut bytes: u64) -> Result<(), SttCliError> {
    let chunk = vec![0x5A; CHUNK];
    while bytes > 0 {
        let len = chunk
            .len()
            .min(usize::try_from(bytes).unwrap_or(usize::MAX));
        send.write_all_bytes(&chunk[..len]).await?;
        bytes -= len as u64;
    }
    Ok(())
}

async fn drain(receive: &mut RecvStream) -> Result<(), SttCliError> {
    let mut chunk = vec![0; CHUNK];
    while receive.read(&mut chunk).await?.is_some() {}
    Ok(())
}

async fn fill(receive: &mut RecvStream, out: &mut [u8]) -> Result<(), SttCliError> {
    let mut filled = 0;
    while filled < out.len() {
        match receive.read(&mut out[filled..]).await? {
            Some(read) => filled += read,
            None => return Err(SttCliError::Protocol("a stream ended early".to_owned())),
        }
    }
    Ok(())
}

struct Figures {
    bytes: u64,
    sent: Duration,
    received: Duration,
    /// Of round trips, sorted.
    times: Vec<Duration>,
}

impl Figures {
    fn percentile(&self, percent: usize) -> f64 {
        let at = (self.times.len() * percent / 100).min(self.times.len().saturating_sub(1));
        self.times
            .get(at)
            .map_or(0.0, |time| time.as_secs_f64() * 1e6)
    }

    fn write(&self, out: &mut dyn Write, json: bool) -> std::io::Result<()> {
        let rate = |time: Duration| self.bytes as f64 / time.as_secs_f64() / 1e6;
        let (sent, received) = (rate(self.sent), rate(self.received));
        let (median, p99) = (self.percentile(50), self.percentile(99));
        if json {
            let figures = json!({
                "bytes": self.bytes, "sent_mb_per_s": sent, "received_mb_per_s": received,
                "round_trip_us": {"p50": median, "p99": p99},
            });
            writeln!(out, "{figures}")
        } else {
            writeln!(out, "sent        {sent:10.1} MB/s")?;
            writeln!(out, "received    {received:10.1} MB/s")?;
            writeln!(
                out,
                "round trip  {median:10.1} µs, 99th percentile {p99:.1} µs ({PING} bytes)"
            )
        }
    }
}
