//! `drywire recv`.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use clap::Args;
use stt::{NodeId, RecvStream, SendStream, Session};
use tokio::task::{JoinSet, block_in_place};

use super::{
    super::{
        error::SttCliError,
        line::eprintln_line,
        or_interrupt,
        peer::{HostPort, NodeArgs, close, host_port, node_id},
    },
    CHUNK, HASH_LEN,
    message::{self, Answer, Offer, VERSION},
    place::{Part, Place, PlaceError, Ready},
    report::Report,
};

/// Arguments of `drywire recv`.
#[derive(Args, Debug)]
pub struct RecvArgs {
    /// The folder that files are received into
    #[arg(default_value = ".", value_name = "DIR")]
    folder: PathBuf,
    /// Listen there for the sender; port 0 takes a free one
    #[arg(long, value_parser = host_port, value_name = "HOST:PORT", default_value = "0.0.0.0:0", conflicts_with = "from")]
    listen: HostPort,
    /// Connect to the sender that listens there
    #[arg(long, value_parser = host_port, value_name = "HOST:PORT")]
    from: Option<HostPort>,
    /// Refuse any other sender than the one with this node id
    #[arg(long, value_name = "NODE-ID", value_parser = node_id, requires = "from")]
    expect: Option<NodeId>,
    /// Go on with the next sender after one
    #[arg(long, conflicts_with = "from")]
    keep: bool,
    /// Replace files that are there and differ
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// What all streams share.
struct Receiver {
    root: PathBuf,
    overwrite: bool,
    report: Report,
    /// Paths under way: one stream for each.
    busy: Mutex<BTreeSet<Vec<String>>>,
}

pub(in super::super) async fn run(args: &RecvArgs) -> Result<(), SttCliError> {
    std::fs::create_dir_all(&args.folder).map_err(SttCliError::file(&args.folder))?;
    let receiver = Arc::new(Receiver {
        root: args.folder.clone(),
        overwrite: args.overwrite,
        report: Report::new(&args.node, None),
        busy: Mutex::default(),
    });
    let listen = args.from.is_none().then_some(&args.listen);
    let meeting = args.node.meet(args.from.as_ref(), listen, args.expect);
    let (listening, mut session) = or_interrupt(meeting).await?;
    loop {
        let received = or_interrupt(receiver.receive_all(&session)).await;
        receiver.report.end();
        close(&session, received.as_ref().err());
        if !args.keep || matches!(received, Err(SttCliError::Interrupted)) {
            listening.node.stop().await;
            return received;
        }
        if let Err(error) = received {
            eprintln_line(&format!("{}: {error}", session.peer()));
        }
        let next = or_interrupt(async { Ok(listening.node.accept().await) });
        session = match next.await? {
            Some(session) => session,
            None => return Ok(()),
        };
    }
}

impl Receiver {
    /// All files of a session, until the sender closes it.
    async fn receive_all(self: &Arc<Self>, session: &Session) -> Result<(), SttCliError> {
        let mut running = JoinSet::new();
        let (mut failed, mut all) = (0, 0);
        let mut worst = None;
        let mut settle = |ended: Result<Result<(), SttCliError>, tokio::task::JoinError>| {
            all += 1;
            let error = match ended {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error,
                Err(error) => SttCliError::Io {
                    what: "receiving a file",
                    cause: std::io::Error::other(error),
                },
            };
            // The end of the session is told once, for all of them.
            if !matches!(error, SttCliError::Session(_)) {
                self.report.failed(&error);
            }
            failed += 1;
            worst.get_or_insert(error.exit());
        };
        let reason = loop {
            tokio::select! {
                opened = session.accept_bi() => match opened {
                    Ok((send, receive)) => {
                        let receiver = Arc::clone(self);
                        running.spawn(async move { receiver.file(send, receive).await });
                    }
                    Err(reason) => break reason,
                },
                Some(ended) = running.join_next() => settle(ended),
            }
        };
        while let Some(ended) = running.join_next().await {
            settle(ended);
        }
        if reason.peer_code() != Some(0) {
            return Err(reason.into());
        }
        match worst {
            Some(exit) => Err(SttCliError::Some { failed, all, exit }),
            None => Ok(()),
        }
    }

    async fn file(&self, mut send: SendStream, mut receive: RecvStream) -> Result<(), SttCliError> {
        let offer: Offer = message::read(&mut receive).await?;
        let name = offer.path.join("/");
        let refuse = |why: &str| SttCliError::Refused {
            name: name.clone(),
            why: why.to_owned(),
        };
        let error = if offer.v != VERSION {
            refuse("this receiver speaks version 1 only")
        } else if !self.lock().insert(offer.path.clone()) {
            refuse("it is being received already")
        } else {
            let received = self.offered(&offer, &name, &mut send, &mut receive).await;
            self.lock().remove(&offer.path);
            match received {
                Ok(()) => return Ok(()),
                Err(error) => error,
            }
        };
        let why = match &error {
            SttCliError::Refused { why, .. } => why.clone(),
            // The sender need not know how this machine names its files.
            SttCliError::File { cause, .. } => format!("the receiver can't write: {cause}"),
            SttCliError::Stopped(_) => return Err(SttCliError::GivenUp { name }),
            SttCliError::Session(reason) if reason.peer_code() == Some(0) => {
                return Err(SttCliError::GivenUp { name });
            }
            _ => return Err(error),
        };
        message::write(&mut send, &Answer::refuse(why)).await?;
        // With this answer the sender may have gone already.
        let _ = send.finish();
        receive.stop(0);
        Err(error)
    }

    async fn offered(
        &self,
        offer: &Offer,
        name: &str,
        send: &mut SendStream,
        receive: &mut RecvStream,
    ) -> Result<(), SttCliError> {
        let at_place = |error| match error {
            PlaceError::Refused(why) => SttCliError::Refused {
                name: name.to_owned(),
                why,
            },
            PlaceError::File { path, cause } => SttCliError::File { path, cause },
        };
        let (place, ready) = block_in_place(|| {
            let place = Place::new(&self.root, offer)?;
            let ready = place.open(offer, self.overwrite)?;
            Ok((place, ready))
        })
        .map_err(at_place)?;
        self.report.name(name);
        let mut part: Part = match ready {
            Ready::Part(part) => part,
            Ready::There => {
                message::write(send, &Answer::done(true)).await?;
                // With this answer the sender may have gone already.
                let _ = send.finish();
                return self.report.done(name, offer.size, 0);
            }
        };
        let offset = part.len;
        message::write(send, &Answer::from(offset)).await?;
        self.report.skip(offset);
        while part.len < offer.size {
            let left = usize::try_from(offer.size - part.len).unwrap_or(usize::MAX);
            let Some(chunk) = receive.read_chunk(CHUNK.min(left)).await? else {
                return Err(SttCliError::Protocol(format!(
                    "{name} ended early; its part is kept"
                )));
            };
            block_in_place(|| place.append(&mut part, &chunk)).map_err(at_place)?;
            self.report.add(chunk.len() as u64);
        }
        let mut expected = [0; HASH_LEN];
        message::exactly(receive, &mut expected).await?;
        let is_right = block_in_place(|| place.commit(part, offer, &expected, self.overwrite))
            .map_err(at_place)?;
        message::write(send, &Answer::done(is_right)).await?;
        // With this answer the sender may have gone already.
        let _ = send.finish();
        if is_right {
            self.report.done(name, offer.size, offer.size - offset)
        } else {
            // The sender tries again.
            Ok(())
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<Vec<String>>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
