use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use quinn_udp::RecvMeta;
use stt_core::{Ecn, Timestamp};
use tokio::{task::yield_now, time::Sleep};

use super::{Phase, Shared, State, Wakes, busy_poll::BusyPoll, state::Stalled};
use crate::transport::{
    links::Output,
    path::{Route, canonical},
    udp::{BATCH, RECEPTION, SENDING, Sent, UdpSocket},
};

/// Drives the endpoint by the socket of this number, until the node has stopped or no session uses
/// the socket any more.
pub(crate) async fn run(shared: Arc<Shared>, socket: Arc<UdpSocket>, number: u8) {
    let mut driver = Driver {
        max_segments: socket.max_segments(),
        timer: Box::pin(tokio::time::sleep(std::time::Duration::ZERO)),
        armed: None,
        input: vec![0; BATCH * RECEPTION].into_boxed_slice(),
        meta: [RecvMeta::default(); BATCH],
        output: vec![0; SENDING],
        wakes: Wakes::default(),
        busy_poll: BusyPoll::new(shared.busy_poll),
        shared,
        socket,
        number,
    };
    std::future::poll_fn(|cx| driver.poll(cx)).await;
}

struct Driver {
    shared: Arc<Shared>,
    socket: Arc<UdpSocket>,
    number: u8,
    max_segments: usize,
    timer: Pin<Box<Sleep>>,
    /// When the timer fires; not set forward for a deadline that moved away.
    armed: Option<Timestamp>,
    input: Box<[u8]>,
    meta: [RecvMeta; BATCH],
    output: Vec<u8>,
    wakes: Wakes,
    busy_poll: BusyPoll,
}

/// How a turn ended.
enum Turn {
    /// Nothing is left to do before the deadline.
    Idle(Option<Timestamp>),
    /// There is more to send.
    More,
    /// The node has stopped, or the socket was left.
    Over,
}

impl Driver {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..RECEPTIONS {
            let received = match self.socket.poll_recv(cx, &mut self.input, &mut self.meta) {
                Poll::Ready(Ok(count)) => Some(count),
                // What the network says of datagrams sent earlier.
                Poll::Ready(Err(_)) => Some(0),
                Poll::Pending => None,
            };
            let turn = self.turn(cx, received.unwrap_or(0));
            let woken = !self.wakes.is_empty();
            self.wakes.fire(&self.shared);
            match turn {
                Turn::Over => return Poll::Ready(()),
                Turn::More => break,
                Turn::Idle(deadline) => {
                    if self.arm(cx, deadline).is_ready() {
                        continue;
                    }
                    // Registers for the next datagram; those woken go first if one is there.
                    if received.is_none() || self.socket.poll_more(cx).is_pending() {
                        return self.rest(cx);
                    }
                    if woken {
                        break;
                    }
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Leaves the thread to others: until something comes, or for a moment only.
    fn rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.busy_poll.looks_again(self.shared.clock.now()) {
            // Called again when every other task that is ready has had its turn and the system was asked what has come.
            let again = std::pin::pin!(yield_now());
            return again.poll(cx);
        }
        Poll::Pending
    }

    fn turn(&mut self, cx: &mut Context<'_>, received: usize) -> Turn {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        if state.phase == Phase::Stopped {
            return Turn::Over;
        }
        if self.number == 0 {
            state.is_idle = false;
        }
        let now = shared.clock.now();
        if received > 0 {
            self.busy_poll.heard(now);
        }
        self.receive(&mut state, now, received);
        let deadline = state.endpoint.poll_timeout();
        if deadline.is_some_and(|deadline| deadline <= now) {
            state.endpoint.handle_timeout(now);
        }
        let mut sends = 0;
        loop {
            if !state.give_stalled(cx) {
                break;
            }
            let transmit = state
                .endpoint
                .poll_transmit(now, self.max_segments, &mut self.output);
            let Some(transmit) = transmit else {
                if state.check_watched(now, &mut self.wakes) {
                    continue;
                }
                break;
            };
            let output = Output::Own(&mut self.output, transmit.size);
            if let Some((socket, envelope)) = state.dispatch(&transmit, output) {
                let contents = &self.output[..transmit.size];
                // Calls of the application need not wait for the system.
                drop(state);
                let sent = socket.try_send(&envelope, contents);
                state = shared.lock();
                if sent == Sent::Full {
                    state.stalled = Some(Stalled {
                        socket,
                        envelope,
                        contents: contents.to_vec(),
                    });
                }
            }
            sends += 1;
            if sends == SENDS {
                break;
            }
        }
        state.poll_events(&shared, &mut self.wakes);
        state.close_vacant(now);
        if state.sockets.get(self.number).is_none() {
            // What this driver waited for is another's business now.
            let waker = state.call_driver();
            self.wakes.task(waker);
            return Turn::Over;
        }
        if sends == SENDS {
            return Turn::More;
        }
        if state.phase == Phase::Ending && state.endpoint.sessions() == 0 {
            self.wakes.gone = true;
            state.links.end();
            if state.entries.is_empty() && state.links.len() == 0 {
                state.phase = Phase::Stopped;
                return Turn::Over;
            }
        }
        self.wait(cx, &mut state)
    }

    /// Hands what has come to the endpoint.
    fn receive(&mut self, state: &mut State, now: Timestamp, received: usize) {
        let pieces = self.input.chunks_exact_mut(RECEPTION);
        for (meta, piece) in self.meta.iter().zip(pieces).take(received) {
            let remote = canonical(meta.addr);
            let local = if state.is_dialled(&remote) {
                None
            } else {
                meta.dst_ip.map(|ip| ip.to_canonical())
            };
            let route = Route::Udp {
                remote,
                socket: self.number,
                local,
            };
            let path = route.to_path();
            let ecn = meta
                .ecn
                .map_or(Ecn::NotEct, |mark| Ecn::from_bits(mark as u8));
            for datagram in piece[..meta.len].chunks_mut(meta.stride.max(1)) {
                state.endpoint.handle_datagram(now, path, ecn, datagram);
            }
        }
    }

    /// The last act of a turn: from here on the driver has to be called.
    fn wait(&mut self, cx: &Context<'_>, state: &mut State) -> Turn {
        let deadlines = [
            state.endpoint.poll_timeout(),
            state.watch_deadline(),
            state.sockets.deadline(),
        ];
        let deadline = deadlines.into_iter().flatten().min();
        if self.number == 0 {
            if !state
                .driver
                .as_ref()
                .is_some_and(|waker| waker.will_wake(cx.waker()))
            {
                state.driver = Some(cx.waker().clone());
            }
            state.is_idle = true;
            state.armed = match (self.armed, deadline) {
                (Some(armed), Some(deadline)) => Some(armed.min(deadline)),
                (one, other) => one.or(other),
            };
        }
        Turn::Idle(deadline)
    }

    /// Sets the timer; ready if it has fired already.
    fn arm(&mut self, cx: &mut Context<'_>, deadline: Option<Timestamp>) -> Poll<()> {
        if let Some(deadline) = deadline
            && self.armed.is_none_or(|armed| deadline < armed)
        {
            self.armed = Some(deadline);
            self.timer
                .as_mut()
                .reset(self.shared.clock.instant(deadline));
        }
        if self.armed.is_none() {
            return Poll::Pending;
        }
        let fired = self.timer.as_mut().poll(cx);
        if fired.is_ready() {
            self.armed = None;
        }
        fired
    }
}

impl Drop for Driver {
    /// Over in good order, or because the runtime ends.
    fn drop(&mut self) {
        if self.number == 0 {
            self.shared.tear_down();
        }
    }
}

impl State {
    /// Sends what waits for its socket. Whether nothing waits any more.
    fn give_stalled(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(stalled) = &self.stalled else {
            return true;
        };
        loop {
            if stalled.socket.poll_room(cx).is_pending() {
                return false;
            }
            if stalled
                .socket
                .try_send(&stalled.envelope, &stalled.contents)
                == Sent::Done
            {
                self.stalled = None;
                return true;
            }
        }
    }
}

/// Receptions of a turn, each of up to [`BATCH`].
const RECEPTIONS: usize = 8;
/// Sends of a turn.
const SENDS: usize = 16;
