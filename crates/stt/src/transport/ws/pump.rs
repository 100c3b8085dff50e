//! An open connection in motion: messages both ways, pings, and the end
//! (`docs/spec/stt-websocket.md` 4).

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    Connection, WsError,
    socket::{Incoming, Reader, Writer},
};

/// Where the messages to send come from.
pub(crate) trait Outgoing: Send {
    /// What a message lies in.
    type Message: AsMut<[u8]> + Send;
    /// The next; `None` if nothing follows. May be cancelled and called again.
    fn next(&mut self) -> impl Future<Output = Option<Self::Message>> + Send;
    /// The next, if it is there.
    fn try_next(&mut self) -> Option<Self::Message>;
    /// A message that isn't needed any more; its bytes may have changed.
    fn recycle(&mut self, message: Self::Message);
}

/// Where the messages that come go to.
pub(crate) trait Deliver: Send {
    /// Takes one. While it waits nothing more is read. Never cancelled but for the end.
    fn deliver(&mut self, message: BytesMut) -> impl Future<Output = ()> + Send;
}

/// How a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    /// This end had nothing more to send, and said so.
    Local,
    /// The peer said so.
    Peer,
    /// The peer was silent, or took nothing, for three keep-alives.
    Silent,
    /// It broke, or the peer did something that it may not.
    Failed(WsError),
}

/// Carries messages until an end closes the connection or it fails.
pub(crate) async fn pump(
    connection: Connection,
    outgoing: &mut impl Outgoing,
    incoming: &mut impl Deliver,
    keep_alive: Duration,
) -> End {
    let Connection {
        mut reader,
        mut writer,
        ..
    } = connection;
    let control = Control::default();
    let mut reading = std::pin::pin!(read(&mut reader, incoming, &control));
    let writing = write(&mut writer, outgoing, &control);
    let end = tokio::select! {
        end = &mut reading => return end,
        end = writing => end,
        () = watch(&control, keep_alive) => return End::Silent,
    };
    if matches!(end, End::Local) {
        // The peer's answer, so that what it sent last is read (RFC 6455 §7.1.1).
        drop(timeout(FAREWELL, reading).await);
    }
    end
}

/// What the writer is told by the others.
#[derive(Default)]
struct Control {
    wanted: Mutex<Wanted>,
    changed: Notify,
    /// Frames that came.
    heard: AtomicU64,
    /// Frames that were written, and whether one is on its way: odd then.
    written: AtomicU64,
}

#[derive(Default)]
struct Wanted {
    ping: bool,
    /// Of several pings the last is answered (RFC 6455 §5.5.3).
    pong: Option<BytesMut>,
    close: Option<End>,
}

impl Control {
    fn ask(&self, ask: impl FnOnce(&mut Wanted)) {
        ask(&mut self.lock());
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        // Nothing panics while it is held; a poisoned lock would be as good as another.
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads until the connection can't be read any more. What the writer can still tell the peer is
/// left to the writer.
async fn read(reader: &mut Reader, incoming: &mut impl Deliver, control: &Control) -> End {
    let end = loop {
        let next = reader.next().await;
        control.heard.fetch_add(1, Relaxed);
        match next {
            Ok(Incoming::Message(message)) => incoming.deliver(message).await,
            Ok(Incoming::Ping(bytes)) => control.ask(|wanted| wanted.pong = Some(bytes)),
            Ok(Incoming::Pong) => {}
            Ok(Incoming::Close) => break End::Peer,
            Err(error) if error.close_code().is_some() => break End::Failed(error),
            Err(error) => return End::Failed(error),
        }
    };
    control.ask(|wanted| wanted.close = Some(end));
    std::future::pending().await
}

/// Writes until nothing more is to be written, or can be.
async fn write(writer: &mut Writer, outgoing: &mut impl Outgoing, control: &Control) -> End {
    match try_write(writer, outgoing, control).await {
        Ok(end) => end,
        Err(error) => End::Failed(error),
    }
}

async fn try_write(
    writer: &mut Writer,
    outgoing: &mut impl Outgoing,
    control: &Control,
) -> Result<End, WsError> {
    loop {
        let next = tokio::select! {
            biased;
            () = control.changed.notified() => None,
            next = outgoing.next() => Some(next),
        };
        // Odd from here on, so that a peer that takes nothing is noticed.
        control.written.fetch_add(1, Relaxed);
        match next {
            None => {
                let wanted = std::mem::take(&mut *control.lock());
                if let Some(end) = wanted.close {
                    let code = match &end {
                        End::Failed(error) => error.close_code().unwrap_or(NORMAL),
                        _ => NORMAL,
                    };
                    // The peer may have gone already: what counts is why.
                    let _ = writer.close(code).await;
                    return Ok(end);
                }
                if let Some(mut bytes) = wanted.pong {
                    writer.pong(&mut bytes).await?;
                }
                if wanted.ping {
                    writer.ping().await?;
                }
            }
            Some(None) => {
                writer.close(NORMAL).await?;
                return Ok(End::Local);
            }
            Some(Some(mut message)) => {
                writer.message(message.as_mut()).await?;
                outgoing.recycle(message);
                for _ in 1..BATCH {
                    let Some(mut message) = outgoing.try_next() else {
                        break;
                    };
                    control.written.fetch_add(2, Relaxed);
                    writer.message(message.as_mut()).await?;
                    outgoing.recycle(message);
                }
            }
        }
        writer.flush().await?;
        control.written.fetch_add(1, Relaxed);
    }
}

/// Has pings sent, and returns when the peer neither sends nor takes anything any more.
async fn watch(control: &Control, keep_alive: Duration) {
    let mut ticks = interval(keep_alive);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let (mut heard, mut written) = (0, 0);
    let (mut silent, mut stuck) = (0, 0);
    while silent < PATIENCE && stuck < PATIENCE {
        ticks.tick().await;
        let now = control.heard.load(Relaxed);
        silent = if now == heard { silent + 1 } else { 0 };
        heard = now;
        let now = control.written.load(Relaxed);
        stuck = if now == written && now % 2 == 1 {
            stuck + 1
        } else {
            0
        };
        written = now;
        control.ask(|wanted| wanted.ping = true);
    }
}

/// The code of an ordinary end (RFC 6455 §7.4.1).
const NORMAL: u16 = 1000;
/// Messages written before the others have a turn.
const BATCH: usize = 64;
/// Keep-alives without a sign of the peer.
const PATIENCE: u32 = 3;
/// How long the answer to a close is waited for.
const FAREWELL: Duration = Duration::from_secs(1);
