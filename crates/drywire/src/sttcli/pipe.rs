//! `drywire listen` and `drywire connect`: standard input and output through a session
//! (`docs/spec/stt-commands.md` 3).

use std::pin::pin;

use clap::Args;
use stt::{Node, NodeId, RecvStream, SendStream, Session};
use tokio::io::{AsyncReadExt, AsyncWriteExt, stdin, stdout};

use super::{
    bench,
    error::SttCliError,
    line::eprintln_line,
    or_interrupt,
    peer::{HostPort, NodeArgs, close, host_port, node_id},
};

/// Bytes that are moved at once.
const CHUNK: usize = 64 << 10;

/// Arguments of `drywire listen`.
#[derive(Args, Debug)]
pub struct ListenArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(value_parser = host_port, default_value = "0.0.0.0:0", value_name = "HOST:PORT")]
    at: HostPort,
    /// Go on with the next session after one; standard input is not read
    #[arg(long)]
    keep: bool,
    /// Serve `drywire bench` instead of standard input and output
    #[arg(long)]
    bench: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// Arguments of `drywire connect`.
#[derive(Args, Debug)]
pub struct ConnectArgs {
    /// Where the peer listens
    #[arg(value_parser = host_port, value_name = "HOST:PORT")]
    to: HostPort,
    /// Refuse any other peer than the one with this node id
    #[arg(long, value_name = "NODE-ID", value_parser = node_id)]
    expect: Option<NodeId>,
    #[command(flatten)]
    node: NodeArgs,
}

pub(super) async fn listen(args: &ListenArgs) -> Result<(), SttCliError> {
    let listening = args.node.start(&args.at, true).await?;
    args.node.announce(&listening);
    let result = or_interrupt(serve_all(args, &listening.node)).await;
    listening.node.stop().await;
    result
}

async fn serve_all(args: &ListenArgs, node: &Node) -> Result<(), SttCliError> {
    while let Some(session) = node.accept().await {
        let ended = if args.bench {
            bench::serve(&session).await
        } else {
            serve(&session, args.keep).await
        };
        match ended {
            ended if !args.keep => return ended,
            Ok(()) => {}
            Err(error) => eprintln_line(&format!("{}: {error}", session.peer())),
        }
    }
    Ok(())
}

async fn serve(session: &Session, keep: bool) -> Result<(), SttCliError> {
    let (send, receive) = session.accept_bi().await?;
    pump(session, send, receive, !keep).await?;
    settle(session).await
}

pub(super) async fn connect(args: &ConnectArgs) -> Result<(), SttCliError> {
    let meeting = args.node.meet(Some(&args.to), None, args.expect);
    let (listening, session) = or_interrupt(meeting).await?;
    let ended = or_interrupt(async {
        let (send, receive) = session.open_bi().await?;
        pump(&session, send, receive, true).await?;
        Ok(session.flushed().await?)
    })
    .await;
    close(&session, ended.as_ref().err());
    listening.node.stop().await;
    ended
}

/// Waits until the peer closes, who has all of it then.
async fn settle(session: &Session) -> Result<(), SttCliError> {
    let reason = session.closed().await;
    if reason.peer_code() == Some(0) {
        Ok(())
    } else {
        Err(reason.into())
    }
}

/// Both directions, until both have ended, or the session has: standard input may be silent forever.
async fn pump(
    session: &Session,
    send: SendStream,
    receive: RecvStream,
    reads_input: bool,
) -> Result<(), SttCliError> {
    let mut outward = pin!(outward(send, reads_input));
    let mut inward = pin!(inward(receive));
    tokio::select! {
        received = &mut inward => {
            received?;
            tokio::select! {
                // First: that the peer didn't take all of it is told.
                biased;
                sent = &mut outward => sent,
                ended = settle(session) => ended,
            }
        }
        sent = &mut outward => match sent {
            Err(error @ SttCliError::Io { .. }) => Err(error),
            // What the peer has said, or still says, is taken all the same.
            sent => inward.await.and(sent),
        },
    }
}

async fn outward(mut send: SendStream, reads_input: bool) -> Result<(), SttCliError> {
    if reads_input {
        let mut input = stdin();
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = input
                .read(&mut chunk)
                .await
                .map_err(SttCliError::io("reading standard input"))?;
            if read == 0 {
                break;
            }
            send.write_all_bytes(&chunk[..read]).await?;
        }
    }
    send.finish()?;
    Ok(())
}

async fn inward(mut receive: RecvStream) -> Result<(), SttCliError> {
    let mut output = stdout();
    while let Some(chunk) = receive.read_chunk(CHUNK).await? {
        output
            .write_all(&chunk)
            .await
            .map_err(SttCliError::io("writing standard output"))?;
        // Whoever reads the pipe sees what the peer said, not what fills a buffer.
        output
            .flush()
            .await
            .map_err(SttCliError::io("writing standard output"))?;
    }
    Ok(())
}
