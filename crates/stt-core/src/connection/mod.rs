//! One session as a state machine (`docs/spec/stt-session.md`).

mod carried;
mod close;
mod error;
mod frames;
mod ids;
mod keys;
mod luck;
mod migration;
mod path;
mod receive;
mod received;
mod replay;
#[cfg(test)]
mod tests;
mod timeout;
mod timers;
mod transmit;
#[cfg(any(test, feature = "testing"))]
mod watched;

use core::time::Duration;
use std::{collections::VecDeque, sync::Arc};

use stt_crypto::{
    Aead, NodeId, TAG_LEN,
    secret::{Exporter, ResetToken, TrafficSecret},
};

pub use error::ConnectionError;
pub use keys::RekeyLimits;
#[cfg(any(test, feature = "testing"))]
pub(crate) use watched::Watched;

use crate::{
    Carried, Code, Datagrams, Dir, Event, LinkProfile, PathId, SessionConfig, Side, Stats,
    StreamId, Streams, Timestamp, TransportError,
    observer::{Observation, Observed, Stage},
    recovery::{Outcome, Recovery, RecoveryConfig},
    wire::{Limits, WireId},
};

use self::{
    carried::{Manifest, Pool},
    close::{Closing, State},
    ids::{LocalIds, PeerIds},
    keys::Keys,
    luck::Luck,
    path::{Left, Path, Responses},
    received::Received,
    replay::ReplayWindow,
    timers::{Timer, Timers},
};

/// Events that wait to be polled, apart from those of streams, which are bounded by themselves.
const MAX_EVENTS: usize = 64;

/// What the handshake agreed on.
pub(crate) struct Established {
    pub(crate) side: Side,
    pub(crate) send: TrafficSecret,
    pub(crate) receive: TrafficSecret,
    pub(crate) aead: Aead,
    pub(crate) exporter: Exporter,
    /// Proven identity of the peer.
    pub(crate) peer: NodeId,
    /// What the peer was told that it may do.
    pub(crate) local_limits: Limits,
    /// What it told.
    pub(crate) peer_limits: Limits,
    pub(crate) local_id: WireId,
    /// Reset token of `local_id`, told to the peer after confirmation.
    pub(crate) local_token: ResetToken,
    pub(crate) peer_id: WireId,
    pub(crate) path: PathId,
    pub(crate) profile: LinkProfile,
    /// From HELLO to its answer, if neither was sent twice.
    pub(crate) handshake_rtt: Option<Duration>,
    pub(crate) rng_seed: [u8; 32],
}

/// What a session asks of its endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// So many more wire ids, through [`Connection::issue_id`].
    NeedIds(usize),
    /// The peer gave this id back: it leads here no more.
    RetireId(WireId),
    /// The peer's reset for this token ends the session.
    WatchToken(ResetToken),
    /// Forget the session.
    Drained,
}

/// One session.
///
/// # Driving it
///
/// An endpoint owns its sessions and passes on datagrams, time and polls; applications see a
/// session through the endpoint. After anything that may act (`handle_*`, or a call of the
/// application) the driver polls `poll_transmit` until it gives nothing, then `poll_event` until it
/// gives nothing, then waits for a datagram or for `poll_timeout`. Time never goes backwards.
pub struct Connection {
    side: Side,
    config: Arc<SessionConfig>,
    local_limits: Limits,
    peer_limits: Limits,
    profile: LinkProfile,
    peer: NodeId,
    exporter: Exporter,
    state: State,
    confirmed: bool,
    /// What a packet of the peer is checked against and answered with.
    keys: Keys,
    replay: ReplayWindow,
    received: Received,
    /// The largest eliciting packet that no ACK of ours covers yet, bytes.
    heard_size: usize,
    recovery: Recovery<Manifest>,
    /// Reused by every acknowledgement.
    outcome: Outcome<Manifest>,
    pool: Pool,
    /// What the packet in the making carries of the streams; empty otherwise.
    writing: Vec<Carried>,
    streams: Streams,
    datagrams: Datagrams,
    local_ids: LocalIds,
    peer_ids: PeerIds,
    active: Path,
    /// Where the session was before `active`, kept until that is validated.
    former: Option<Box<Path>>,
    /// Where this end wants to go.
    candidate: Option<Box<Path>>,
    /// Another path that the peer has asked about: its answer takes an id of its own.
    probed: Option<Box<Path>>,
    /// Where this end does not go back to.
    left: Option<Box<Left>>,
    responses: Responses,
    /// Largest number of a packet with a non-probing frame: what may move the session.
    largest_non_probing: Option<u64>,
    timers: Timers,
    /// Probes that are due after a time-out.
    probes: u8,
    /// PINGs sent again because nothing was heard yet; `None` once something was, and at the
    /// responder, which has heard the first packet.
    greeting: Option<Greeting>,
    /// A PING is to be sent.
    ping: bool,
    /// An update of keys was asked for.
    rekey: bool,
    /// Something eliciting was sent since the last packet came: the idle timer runs (RFC 9000
    /// §10.1).
    eliciting_since_heard: bool,
    /// When a packet last came.
    heard_at: Option<Timestamp>,
    events: VecDeque<Event>,
    requests: VecDeque<Request>,
    luck: Luck,
    /// The number to be skipped next.
    skip_at: u64,
    stats: Stats,
}

impl Connection {
    pub(crate) fn new(
        config: Arc<SessionConfig>,
        established: Established,
        now: Timestamp,
    ) -> Self {
        let Established {
            side,
            send,
            receive,
            aead,
            exporter,
            peer,
            local_limits,
            peer_limits,
            local_id,
            local_token,
            peer_id,
            path,
            profile,
            handshake_rtt,
            rng_seed,
        } = established;
        let mut luck = Luck::new(rng_seed);
        let mut recovery = Recovery::new(
            RecoveryConfig {
                profile,
                peer_max_ack_delay: peer_limits.max_ack_delay(),
                initial_mtu: profile.mtu.min(peer_limits.max_datagram()),
                max_mtu: peer_limits
                    .max_datagram()
                    .min(config.max_mtu.max(profile.mtu)),
                controller: config.controller,
                ecn: config.ecn,
                seed: luck.next_u64(),
            },
            now,
        );
        if let Some(rtt) = handshake_rtt {
            recovery.on_handshake_rtt(now, rtt);
        }
        let mut streams = Streams::new(side, &local_limits, config.streams);
        streams.set_peer(&peer_limits);
        let mut local_ids = LocalIds::new(local_id);
        local_ids.issue(local_id, local_token);
        let skip_at = skip_distance(&mut luck);
        let confirmed = side == Side::Initiator;
        let mut connection = Self {
            side,
            local_limits,
            peer_limits,
            keys: Keys::new(aead, send, receive, now),
            profile,
            peer,
            exporter,
            state: State::Open,
            confirmed: false,
            replay: ReplayWindow::new(),
            received: Received::new(local_limits.max_ack_delay(), profile.timers()),
            heard_size: 0,
            recovery,
            outcome: Outcome::default(),
            pool: Pool::default(),
            writing: Vec::new(),
            streams,
            datagrams: Datagrams::new(config.datagrams),
            local_ids,
            peer_ids: PeerIds::new(peer_id),
            active: Path::validated(path, 0),
            former: None,
            candidate: None,
            probed: None,
            left: None,
            responses: Responses::default(),
            largest_non_probing: None,
            timers: Timers::default(),
            probes: 0,
            greeting: None,
            ping: false,
            rekey: false,
            eliciting_since_heard: false,
            heard_at: None,
            events: VecDeque::new(),
            requests: VecDeque::new(),
            luck,
            skip_at,
            stats: Stats::default(),
            config,
        };
        connection.datagrams.set_max_size(connection.max_datagram());
        connection.restart_idle(now);
        if confirmed {
            connection.confirm(now);
            // The responder learns from it that its answer arrived.
            connection.ping = true;
            connection.greeting = Some(Greeting::new(handshake_rtt));
            connection.restart_greeting(now);
        }
        connection
    }

    /// Which end this is.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The proven identity of the peer.
    pub fn peer(&self) -> &NodeId {
        &self.peer
    }

    /// Keys for other uses, bound to this session.
    pub fn exporter(&self) -> &Exporter {
        &self.exporter
    }

    /// Whether data may flow: both ends have the keys, and the session has not ended.
    pub fn is_open(&self) -> bool {
        self.confirmed && matches!(self.state, State::Open)
    }

    /// Whether the session has ended, by whichever side: only its last words are still sent.
    pub fn is_closed(&self) -> bool {
        !matches!(self.state, State::Open)
    }

    /// Whether the peer has acknowledged all that was sent, and nothing waits to be.
    pub fn is_flushed(&self) -> bool {
        self.streams.unacknowledged() == 0
            && self.recovery.bytes_in_flight() == 0
            && !self.streams.has_pending()
            && !self.datagrams.has_pending()
    }

    /// Bytes sent and neither acknowledged nor lost.
    pub fn bytes_in_flight(&self) -> u64 {
        self.recovery.bytes_in_flight()
    }

    /// The path in use.
    pub fn path(&self) -> PathId {
        self.active.id
    }

    /// What the session knows of its link.
    pub fn profile(&self) -> &LinkProfile {
        &self.profile
    }

    /// The streams: open, accept, write, read.
    pub fn streams(&mut self) -> &mut Streams {
        &mut self.streams
    }

    /// Opens a stream, unless the peer's limit is reached: then `Available` tells when it rises.
    pub fn open(&mut self, dir: Dir) -> Option<StreamId> {
        self.streams.open(dir)
    }

    /// The datagrams: send, receive.
    pub fn datagrams(&mut self) -> &mut Datagrams {
        &mut self.datagrams
    }

    /// Largest datagram of the application that fits a packet now, bytes.
    pub fn max_datagram(&self) -> usize {
        let id = self.peer_ids.id(self.active.peer_sequence);
        let header = 1 + id.map_or(WireId::MAX_LEN, |id| id.len()) + 4;
        let overhead = header + TAG_LEN + 1;
        usize::from(self.recovery.mtu()).saturating_sub(overhead)
    }

    /// Figures since the session began.
    pub fn stats(&self) -> Stats {
        let rtt = self.recovery.rtt();
        let dropped = self.datagrams.stats();
        Stats {
            failed_opens: self.keys.failed_opens(),
            packets_lost: self.recovery.stats().lost_packets,
            rtt: rtt.smoothed(),
            min_rtt: rtt.min(),
            congestion_window: self.recovery.cwnd(),
            bytes_in_flight: self.recovery.bytes_in_flight(),
            mtu: self.recovery.mtu(),
            key_epoch: self.keys.epoch(),
            datagrams_dropped: dropped.dropped_sending + dropped.dropped_receiving,
            ..self.stats
        }
    }

    /// Asks for new keys (`stt-session.md` §4). `KeysUpdated` tells when both ends have them.
    pub fn rekey(&mut self) {
        self.rekey = true;
    }

    /// Sends a PING, which the peer acknowledges.
    pub fn ping(&mut self) {
        self.ping = true;
    }

    /// Moves this end to another path, once that is known to work: `PathChanged` or `PathFailed`
    /// tells. A second call takes the place of the first.
    pub fn migrate(&mut self, path: PathId) {
        if path == self.active.id {
            if let Some(given_up) = self.candidate.take() {
                self.leave(&given_up);
            }
            return;
        }
        let sequence = self.id_for(path);
        if let Some(given_up) = self.candidate.take() {
            self.leave(&given_up);
        }
        // Our own choice is no amplification: what we send there is bounded by the challenges.
        let mut candidate = Path::unproven(path, sequence);
        candidate.on_received(usize::from(u16::MAX));
        self.candidate = Some(Box::new(candidate));
    }

    /// Ends the session: no stream is waited for. `code` and `reason` are for the peer's
    /// application.
    pub fn close(&mut self, now: Timestamp, code: u64, reason: &str) {
        if matches!(self.state, State::Open) {
            self.enter_closing(now, Closing::application(code, reason));
            self.end(ConnectionError::LocallyClosed);
        }
    }

    /// The next event of the session.
    pub fn poll_event(&mut self) -> Option<Event> {
        // What streams and datagrams have to say comes before the end.
        if !matches!(self.events.front(), Some(Event::Closed(_)))
            && let Some(event) = self.events.pop_front()
        {
            return Some(event);
        }
        if let Some(event) = self.streams.poll_event() {
            return Some(Event::Stream(event));
        }
        if let Some(event) = self.datagrams.poll_event() {
            return Some(Event::Datagram(event));
        }
        self.events.pop_front()
    }

    /// When [`Connection::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// What the session needs of the endpoint.
    pub(crate) fn poll_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    /// A fresh wire id and its reset token, as asked for.
    pub(crate) fn issue_id(&mut self, id: WireId, token: ResetToken) {
        self.local_ids.issue(id, token);
    }

    /// All ids that lead here.
    pub(crate) fn local_ids(&self) -> impl Iterator<Item = WireId> {
        self.local_ids.iter()
    }

    /// Whether the session is over and may be forgotten.
    pub(crate) fn is_drained(&self) -> bool {
        matches!(self.state, State::Drained)
    }

    /// A stateless reset of the peer was found.
    pub(crate) fn on_reset(&mut self, now: Timestamp) {
        if matches!(self.state, State::Open) {
            self.end(ConnectionError::Reset);
        }
        if !self.is_drained() {
            self.drain_now(now);
        }
    }

    /// Access to the keys for tests of their limits.
    #[cfg(test)]
    fn keys_mut(&mut self) -> &mut Keys {
        &mut self.keys
    }

    fn confirm(&mut self, now: Timestamp) {
        self.confirmed = true;
        self.push_event(Event::Confirmed);
        self.observe(now, Observed::Stage(Stage::Confirmed));
        let spare = if self.profile.timers().is_narrow() {
            1
        } else {
            3
        };
        self.requests.push_back(Request::NeedIds(spare));
        self.timers
            .set_or_stop(Timer::Rekey, self.keys.expires(&self.config.rekey));
        self.restart_keep_alive(now);
    }

    /// Closes because the peer broke a rule.
    fn fail(&mut self, now: Timestamp, error: TransportError) {
        if matches!(self.state, State::Open) {
            self.enter_closing(now, Closing::transport(error.code, &error.reason));
            self.end(ConnectionError::Transport(error));
        }
    }

    fn enter_closing(&mut self, now: Timestamp, closing: Closing) {
        self.state = State::Closing(closing);
        self.observe(now, Observed::Stage(Stage::Closing));
        self.start_closing_timer(now);
    }

    fn enter_draining(&mut self, now: Timestamp) {
        self.state = State::Draining;
        self.observe(now, Observed::Stage(Stage::Draining));
        self.start_closing_timer(now);
    }

    fn start_closing_timer(&mut self, now: Timestamp) {
        let pto = self.recovery.pto();
        let span = if self.profile.reliable { pto } else { pto * 3 };
        self.timers.stop_all();
        self.timers.set(Timer::Close, now + span);
    }

    fn drain_now(&mut self, now: Timestamp) {
        self.state = State::Drained;
        self.observe(now, Observed::Stage(Stage::Closed));
        self.timers.stop_all();
        self.requests.push_back(Request::Drained);
    }

    fn end(&mut self, error: ConnectionError) {
        self.push_event(Event::Closed(error));
    }

    /// Tells whoever watches.
    fn observe(&self, now: Timestamp, what: Observed<'_>) {
        if let Some(observer) = &self.config.observer {
            observer.tell(&Observation {
                now,
                session: self.exporter.session_id(),
                side: self.side,
                what,
            });
        }
    }

    fn push_event(&mut self, event: Event) {
        // Room is kept for the last word; what is dropped before it can be read from `stats`.
        if self.events.len() < MAX_EVENTS || matches!(event, Event::Closed(_)) {
            self.events.push_back(event);
        }
    }

    fn restart_idle(&mut self, now: Timestamp) {
        let ours = self.local_limits.idle_timeout();
        let peers = self.peer_limits.idle_timeout();
        let shorter = match (ours, peers) {
            (Some(ours), Some(peers)) => Some(ours.min(peers)),
            (one, other) => one.or(other),
        };
        let at = shorter.map(|timeout| now + timeout.max(self.recovery.pto() * 3));
        self.timers.set_or_stop(Timer::Idle, at);
    }

    /// Until the peer is heard the first packet is repeated at the pace of the HELLO: a guess of
    /// the round-trip time would be slower than what the handshake has just done
    /// (`stt-handshake.md` §6.6).
    fn restart_greeting(&mut self, now: Timestamp) {
        let timers = self.profile.timers();
        let at = match &self.greeting {
            Some(greeting) if !self.profile.reliable => {
                let pause = timers.hello_timer(greeting.count, GREETING_BYTES);
                Some(now + pause.max(greeting.least))
            }
            _ => None,
        };
        self.timers.set_or_stop(Timer::Greet, at);
    }

    fn restart_keep_alive(&mut self, now: Timestamp) {
        let at = self.config.keep_alive.map(|period| now + period);
        self.timers.set_or_stop(Timer::KeepAlive, at);
    }
}

/// The initiator's first packet, sent again until something is heard.
struct Greeting {
    /// How often it was sent.
    count: u32,
    /// It is to be sent again, even into a full window: the responder forgets who is not heard in time.
    due: bool,
    /// No pause is shorter: a quarter more than the round trip, where the handshake measured it.
    least: Duration,
}

impl Greeting {
    fn new(rtt: Option<Duration>) -> Self {
        Self {
            count: 0,
            due: false,
            least: rtt.map_or(Duration::ZERO, |rtt| rtt + rtt / 4),
        }
    }
}

/// A PING and its acknowledgement, with headers and tags.
const GREETING_BYTES: u64 = 60;

/// How many numbers later one is skipped: often enough that acknowledging ahead is found soon,
/// rarely enough to cost nothing (RFC 9000 §21.4).
fn skip_distance(luck: &mut Luck) -> u64 {
    u64::from(luck.next_u32() % 2_048) + 16
}

/// The last packet number (RFC 9000 §12.3).
const LAST_NUMBER: u64 = (1 << 62) - 1;

/// The error of a session that has used up its packet numbers.
fn numbers_used_up() -> TransportError {
    TransportError::new(Code::AEAD_LIMIT_REACHED, "packet numbers are used up")
}
