//! `drywire send`.

use std::{fs::File, io::Read, path::PathBuf, sync::Arc};

use aws_lc_rs::digest::{Context, SHA3_256};
use clap::Args;
use stt::{NodeId, RecvStream, SendStream, Session};
use tokio::task::{JoinSet, block_in_place};

use super::{
    super::{
        error::{Exit, SttCliError},
        line::eprintln_line,
        or_interrupt,
        peer::{HostPort, NodeArgs, close, host_port, node_id},
    },
    CHUNK,
    files::{Gathered, Source, gather},
    message::{self, Answer, Offer, VERSION},
    place::read_into,
    report::Report,
};

/// Files under way at once.
const AT_ONCE: usize = 8;

/// The code that a stream is reset with when its file can't be sent on.
const GIVEN_UP: u64 = 1;

/// Arguments of `drywire send`.
#[derive(Args, Debug)]
pub struct SendArgs {
    /// Files, and folders with all that is in them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Send to the receiver that listens there
    #[arg(long, value_parser = host_port, value_name = "HOST:PORT", required_unless_present = "listen", conflicts_with = "listen")]
    to: Option<HostPort>,
    /// Listen there, and send to the receiver that connects
    #[arg(long, value_parser = host_port, value_name = "HOST:PORT")]
    listen: Option<HostPort>,
    /// Refuse any other receiver than the one with this node id
    #[arg(long, value_name = "NODE-ID", value_parser = node_id)]
    expect: Option<NodeId>,
    #[command(flatten)]
    node: NodeArgs,
}

pub(in super::super) async fn run(args: &SendArgs) -> Result<(), SttCliError> {
    let Gathered {
        sources,
        passed_over,
    } = gather(&args.files)?;
    for path in passed_over {
        let path = path.display();
        eprintln_line(&format!(
            "warning: {path} is not sent: it is a link, a folder without files or the like"
        ));
    }
    let meeting = args
        .node
        .meet(args.to.as_ref(), args.listen.as_ref(), args.expect);
    let (listening, session) = or_interrupt(meeting).await?;
    let bytes = sources.iter().map(|source| source.size).sum();
    let report = Arc::new(Report::new(&args.node, Some(bytes)));
    let all = sources.len();
    let result = or_interrupt(send_all(&session, sources, &report)).await;
    report.end();
    close(&session, result.as_ref().err());
    listening.node.stop().await;
    match result? {
        (0, _) => Ok(()),
        (failed, exit) => Err(SttCliError::Some { failed, all, exit }),
    }
}

/// Sends all files, some at once; how many failed, and the code for the first of them.
async fn send_all(
    session: &Session,
    sources: Vec<Source>,
    report: &Arc<Report>,
) -> Result<(usize, Exit), SttCliError> {
    let mut waiting = sources.into_iter();
    let mut running = JoinSet::new();
    let (mut failed, mut exit) = (0, Exit::Done);
    loop {
        while running.len() < AT_ONCE
            && let Some(source) = waiting.next()
        {
            let (session, report) = (session.clone(), Arc::clone(report));
            running.spawn(async move { send_file(&session, &source, &report).await });
        }
        let Some(ended) = running.join_next().await else {
            return Ok((failed, exit));
        };
        match ended {
            Ok(Ok(())) => {}
            // Without the session nothing more can be sent.
            Ok(Err(error @ SttCliError::Session(_))) => return Err(error),
            Ok(Err(error)) => {
                report.failed(&error);
                failed += 1;
                if exit == Exit::Done {
                    exit = error.exit();
                }
            }
            Err(error) => {
                return Err(SttCliError::Io {
                    what: "sending a file",
                    cause: std::io::Error::other(error),
                });
            }
        }
    }
}

async fn send_file(session: &Session, source: &Source, report: &Report) -> Result<(), SttCliError> {
    report.name(&source.name());
    for _ in 0..2 {
        let (mut send, mut receive) = session.open_bi().await?;
        match attempt(&mut send, &mut receive, source, report).await {
            Ok(Some(moved)) => return report.done(&source.name(), source.size, moved),
            Ok(None) => {}
            Err(error) => {
                // What the peer would wait for does not come.
                let _ = send.reset(GIVEN_UP);
                return Err(error);
            }
        }
    }
    Err(SttCliError::Mismatch {
        name: source.name(),
    })
}

/// One attempt: the bytes that were sent, or `None` if the hash at the receiver differs.
async fn attempt(
    send: &mut SendStream,
    receive: &mut RecvStream,
    source: &Source,
    report: &Report,
) -> Result<Option<u64>, SttCliError> {
    let offer = Offer {
        v: VERSION,
        path: source.path.clone(),
        size: source.size,
        stamp: source.stamp.clone(),
    };
    message::write(send, &offer).await?;
    let answer: Answer = message::read(receive).await?;
    if let Some(why) = answer.refused {
        return Err(SttCliError::Refused {
            name: source.name(),
            why,
        });
    }
    if answer.done == Some(true) {
        report.skip(source.size);
        // The receiver may have gone on already.
        let _ = send.finish();
        return Ok(Some(0));
    }
    let offset = answer
        .offset
        .filter(|offset| *offset <= source.size)
        .ok_or_else(|| {
            SttCliError::Protocol("an answer without a place to go on from".to_owned())
        })?;
    let in_file = |cause| SttCliError::file(&source.file)(cause);
    let changed = || SttCliError::Changed {
        name: source.name(),
    };
    let mut hash = Context::new(&SHA3_256);
    let file = block_in_place(|| {
        let mut file = File::open(&source.file)?;
        let there = read_into(&mut file, &mut hash, offset)?;
        Ok((file, there))
    })
    .map_err(in_file)
    .and_then(|(file, there)| {
        if there == offset {
            Ok(file)
        } else {
            Err(changed())
        }
    })?;
    report.skip(offset);
    match pour(send, source, offset, file, hash, report).await {
        // A receiver that gives up says why.
        Ok(()) | Err(SttCliError::Stopped(_)) => {}
        Err(error) => return Err(error),
    }
    let answer: Answer = message::read(receive).await?;
    match (answer.done, answer.refused) {
        (Some(is_right), _) => Ok(is_right.then_some(source.size - offset)),
        (None, Some(why)) => Err(SttCliError::Refused {
            name: source.name(),
            why,
        }),
        (None, None) => Err(SttCliError::Protocol(
            "no word whether a file arrived".to_owned(),
        )),
    }
}

/// Sends the bytes from the offset on and the hash of all.
async fn pour(
    send: &mut SendStream,
    source: &Source,
    offset: u64,
    mut file: File,
    mut hash: Context,
    report: &Report,
) -> Result<(), SttCliError> {
    let in_file = |cause| SttCliError::file(&source.file)(cause);
    let changed = || SttCliError::Changed {
        name: source.name(),
    };
    let mut chunk = vec![0; CHUNK];
    let mut left = source.size - offset;
    while left > 0 {
        let want = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = block_in_place(|| {
            let read = file.read(&mut chunk[..want])?;
            hash.update(&chunk[..read]);
            Ok(read)
        })
        .map_err(in_file)?;
        if read == 0 {
            return Err(changed());
        }
        send.write_all_bytes(&chunk[..read]).await?;
        left -= read as u64;
        report.add(read as u64);
    }
    if !source.is_unchanged().map_err(in_file)? {
        return Err(changed());
    }
    send.write_all_bytes(hash.finish().as_ref()).await?;
    Ok(send.finish()?)
}
