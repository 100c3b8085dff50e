//! Runs a plan and watches.

use core::{
    hash::{Hash, Hasher},
    time::Duration,
};
use std::{cell::RefCell, collections::VecDeque, hash::DefaultHasher, rc::Rc};

use stt_crypto::secret::Seed;

use super::{
    Failure, Report,
    app::App,
    ends::EndPlan,
    invariants::Invariants,
    plan::{Draw, Fault, Plan},
};
use crate::{
    ConnectionError, ConnectionHandle, Ecn, Endpoint, EndpointConfig, EndpointEvent, Event, Side,
    Timestamp,
    endpoint::{AnyPath, ResetConfig},
    handshake::Credentials,
    testing::{LinkConfig, Pair, Qlog, SimpleLink},
};

/// Simulated time within which everything has to finish. Far more than any plan needs.
const LIMIT: Duration = Duration::from_secs(4 * 3_600);
/// Time for a session to be forgotten after its end: the idle time-out of the plans and some.
const END: Duration = Duration::from_secs(3_000);
const MAX_STEPS: u64 = 5_000_000;

/// One line of a trace.
pub(super) type Trace<'a> = &'a mut dyn FnMut(Timestamp, &str);

/// Runs the plan of `seed`, telling `trace` what happens.
///
/// # Errors
/// The first invariant that did not hold.
pub fn run(seed: u64, trace: &mut dyn FnMut(Timestamp, &str)) -> Result<Report, Failure> {
    run_plan(Plan::from_seed(seed), trace)
}

/// Runs the plan of `seed`, telling `trace` what happens and writing it to `qlog`, with every packet
/// and its frames. The run is the one that [`run`] makes.
///
/// # Errors
/// As [`run`]. Those of writing are told by [`Qlog::finish`].
pub fn run_with_qlog(
    seed: u64,
    trace: &mut dyn FnMut(Timestamp, &str),
    qlog: &Qlog,
) -> Result<Report, Failure> {
    let mut plan = Plan::from_seed(seed);
    for session in &mut plan.sessions {
        session.observer = Some(qlog.observer());
    }
    run_plan(plan, &mut |now, line| {
        qlog.mark(now, line);
        trace(now, line);
    })
}

fn run_plan(plan: Plan, trace: &mut dyn FnMut(Timestamp, &str)) -> Result<Report, Failure> {
    let seed = plan.seed;
    trace(Timestamp::ZERO, &format!("{plan:?}"));
    let mut world = World::new(plan);
    let outcome = world.run(trace);
    outcome.map_err(|what| Failure {
        seed,
        at: world.pair.now,
        what,
        plan: format!("{:?}", world.plan),
    })
}

struct World {
    plan: Plan,
    pair: Pair,
    apps: [App; 2],
    /// The session that the applications use.
    sessions: [Option<ConnectionHandle>; 2],
    closed: [Option<ConnectionError>; 2],
    /// Every session that was opened: two opens at once are two.
    all: Vec<(Side, ConnectionHandle)>,
    faults: VecDeque<(Duration, Fault)>,
    /// When both ends had opened.
    opened: Option<Timestamp>,
    heal_at: Option<Timestamp>,
    /// When an application goes on without an event.
    wake_at: Option<Timestamp>,
    link: LinkConfig,
    restarts: u32,
    /// Everything is closed, what opens now too.
    ending: bool,
    addresses: u16,
    seen: Rc<RefCell<Seen>>,
    invariants: Invariants,
}

struct Seen {
    hasher: DefaultHasher,
    datagrams: u64,
    /// Those of each end that bore a mark.
    marked: [u64; 2],
}

impl World {
    fn new(plan: Plan) -> Self {
        let links = [3, 4].map(|name| {
            let luck = u64::from_le_bytes(first_8(Draw::new(plan.seed, name).bytes()));
            let to = if name == 3 {
                Side::Responder
            } else {
                Side::Initiator
            };
            Box::new(SimpleLink::new(plan.link_to(to, plan.link), luck))
                as Box<dyn crate::testing::Link>
        });
        let endpoints = [Side::Initiator, Side::Responder].map(|side| endpoint(&plan, side, 0));
        let mut pair = Pair::new(endpoints, links);
        let seen = Rc::new(RefCell::new(Seen {
            hasher: DefaultHasher::new(),
            datagrams: 0,
            marked: [0; 2],
        }));
        let tap = seen.clone();
        pair.tap(Box::new(move |now, side, ecn, bytes| {
            let mut seen = tap.borrow_mut();
            (now.as_nanos(), side as u8, ecn as u8, bytes).hash(&mut seen.hasher);
            seen.datagrams += 1;
            seen.marked[side as usize] += u64::from(ecn != Ecn::NotEct);
        }));
        Self {
            apps: [Side::Initiator, Side::Responder].map(|side| App::new(side, &plan)),
            faults: plan.faults.iter().copied().collect(),
            link: plan.link,
            invariants: Invariants::default(),
            plan,
            pair,
            sessions: [None; 2],
            closed: [None, None],
            all: Vec::new(),
            opened: None,
            heal_at: None,
            wake_at: None,
            restarts: 0,
            ending: false,
            addresses: 100,
            seen,
        }
    }

    fn run(&mut self, trace: Trace<'_>) -> Result<Report, String> {
        self.connect(Side::Initiator)?;
        if self.plan.both_open {
            self.connect(Side::Responder)?;
        }
        let limit = Timestamp::ZERO + LIMIT;
        self.until(limit, trace, Self::is_finished)?;
        if !self.is_finished() {
            return Err(format!("not finished within {LIMIT:?}: {}", self.status()));
        }
        let delivered = self.apps.iter().map(|app| app.delivered).sum();
        let (mut updates, mut marked, mut unmarked, mut moves) = (0, 0, 0, 0);
        for side in [Side::Initiator, Side::Responder] {
            if let Some(connection) =
                self.sessions[side as usize].and_then(|handle| self.pair.connection(side, handle))
            {
                updates += connection.stats().key_epoch;
                moves += connection.stats().path_changes;
                marked += connection.watch().marks.ce;
                unmarked += u64::from(connection.watch().ecn_has_failed);
            }
        }
        let now = self.pair.now;
        self.ending = true;
        for (side, handle) in core::mem::take(&mut self.all) {
            if let Some(connection) = self.pair.connection(side, handle) {
                connection.close(now, 0, "done");
            }
        }
        self.until(now + END, trace, |world| {
            [Side::Initiator, Side::Responder]
                .iter()
                .all(|side| world.pair.endpoint(*side).sessions() == 0)
        })?;
        for side in [Side::Initiator, Side::Responder] {
            let left = self.pair.endpoint(side).sessions();
            if left > 0 {
                return Err(format!("{side:?} still has {left} sessions after the end"));
            }
        }
        let seen = self.seen.borrow();
        Ok(Report {
            seed: self.plan.seed,
            took: self.pair.now,
            datagrams: seen.datagrams,
            delivered,
            updates,
            marked,
            unmarked,
            moves,
            fingerprint: seen.hasher.finish(),
        })
    }

    /// Steps until `done` or `limit`.
    fn until(
        &mut self,
        limit: Timestamp,
        trace: Trace<'_>,
        done: impl Fn(&mut Self) -> bool,
    ) -> Result<(), String> {
        let (mut still, mut before) = (0_u32, self.pair.now);
        for _ in 0..MAX_STEPS {
            self.act(trace)?;
            if done(self) {
                return Ok(());
            }
            let own = [self.wake_at, self.heal_at, self.next_fault()]
                .into_iter()
                .flatten()
                .min()
                .unwrap_or(limit)
                .min(limit);
            let stepped = self.pair.step(own);
            if !stepped && self.pair.now >= limit {
                return Ok(());
            }
            still = if self.pair.now == before {
                still + 1
            } else {
                0
            };
            before = self.pair.now;
            if still > 20_000 {
                return Err("time stands still".into());
            }
        }
        Err("too many steps: a livelock".into())
    }

    fn next_fault(&self) -> Option<Timestamp> {
        let (after, _) = self.faults.front()?;
        Some(self.opened? + *after)
    }

    /// Events, faults, applications.
    fn act(&mut self, trace: Trace<'_>) -> Result<(), String> {
        for side in [Side::Initiator, Side::Responder] {
            while let Some(event) = self.pair.poll_event(side) {
                trace(self.pair.now, &format!("{side:?} {event:?}"));
                self.on_event(side, event)?;
            }
        }
        if self.opened.is_none() && self.sessions.iter().all(Option::is_some) {
            self.opened = Some(self.pair.now);
        }
        while self.next_fault().is_some_and(|at| at <= self.pair.now) {
            if let Some((_, fault)) = self.faults.pop_front() {
                trace(self.pair.now, &format!("{fault:?}"));
                self.strike(fault);
            }
        }
        if self.heal_at.is_some_and(|at| at <= self.pair.now) {
            self.heal_at = None;
            self.set_links(self.link);
        }
        let mut more = false;
        for side in [Side::Initiator, Side::Responder] {
            let Some(handle) = self.sessions[side as usize] else {
                continue;
            };
            if self.closed[side as usize].is_some() {
                continue;
            }
            let Some(connection) = self.pair.connection(side, handle) else {
                continue;
            };
            more |= self.apps[side as usize].act(connection)?;
            let held = connection.streams().unacknowledged();
            let config = &self.plan.sessions[side as usize];
            let cap = config.streams.session_send_buffer as u64 + 64 * 4_096;
            if held > cap {
                return Err(format!("{side:?} holds {held} bytes"));
            }
            // Marks can be told apart by sender only.
            let is_alone = !self.plan.both_open && self.restarts == 0;
            let marked = is_alone.then(|| self.seen.borrow().marked);
            self.invariants
                .check(&self.plan, side, connection, marked)?;
        }
        self.wake_at = more.then(|| self.pair.now + Duration::from_millis(20));
        Ok(())
    }

    fn on_event(&mut self, side: Side, event: EndpointEvent) -> Result<(), String> {
        match event {
            EndpointEvent::Opened { handle, .. } if self.ending => {
                let now = self.pair.now;
                if let Some(connection) = self.pair.connection(side, handle) {
                    connection.close(now, 0, "done");
                }
                Ok(())
            }
            EndpointEvent::Opened { handle, .. } => {
                // With two opens at once there are two sessions; the initiator's first is used.
                let wanted = match side {
                    Side::Initiator => self.sessions[0].is_none_or(|known| known == handle),
                    Side::Responder => self.sessions[1].is_none(),
                };
                let ours = self.side_of(side, handle) == Some(side);
                self.all.push((side, handle));
                if wanted && ours {
                    self.sessions[side as usize] = Some(handle);
                }
                Ok(())
            }
            EndpointEvent::Session { handle, event } => {
                if self.sessions[side as usize] != Some(handle) {
                    return Ok(());
                }
                if let Event::Closed(error) = &event {
                    let expected = self.plan.restarts() && self.restarts > 0
                        || self.is_finished()
                        || matches!(error, ConnectionError::LocallyClosed);
                    if !expected {
                        return Err(format!("{side:?}: {error}; {}", self.status()));
                    }
                    self.closed[side as usize] = Some(error.clone());
                    return Ok(());
                }
                match self.pair.connection(side, handle) {
                    Some(connection) => self.apps[side as usize].on_event(connection, &event),
                    None => Ok(()),
                }
            }
            EndpointEvent::Failed { error, .. } if side == Side::Initiator => {
                Err(format!("{side:?}: {error}"))
            }
            _ => Ok(()),
        }
    }

    /// What both ends wait for, for a failure's report.
    fn status(&mut self) -> String {
        let [left, right] = [Side::Initiator, Side::Responder].map(|side| {
            let handle = self.sessions[side as usize];
            let connection = handle.and_then(|handle| self.pair.connection(side, handle));
            let stats = connection.map(|connection| connection.stats());
            format!("{} {stats:?}", self.apps[side as usize].status())
        });
        format!("{left}; {right}")
    }

    /// Which role the session has at `side`.
    fn side_of(&mut self, side: Side, handle: ConnectionHandle) -> Option<Side> {
        self.pair
            .connection(side, handle)
            .map(|connection| connection.side())
    }

    fn is_finished(&mut self) -> bool {
        if self.plan.restarts() && self.restarts > 0 {
            // The initiator has noticed.
            return self.closed[0].is_some();
        }
        let all_came = |opener: Side| {
            let opened: u64 = self.plan.streams[opener as usize].iter().sum();
            self.apps[!opener as usize].accepted() as u64 == opened
        };
        self.opened.is_some()
            && self.faults.is_empty()
            && self.apps.iter().all(App::is_done)
            && all_came(Side::Initiator)
            && all_came(Side::Responder)
    }

    fn connect(&mut self, side: Side) -> Result<(), String> {
        // The first session has to come; the other may fail, if an address changes meanwhile.
        let timeout = match side {
            Side::Initiator => LIMIT,
            Side::Responder => Duration::from_secs(60),
        };
        self.pair
            .connect(side, self.plan.profiles[side as usize], timeout)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::Cut(span) => {
                self.set_links(LinkConfig {
                    cut: true,
                    ..self.link
                });
                self.heal_at = Some(self.pair.now + span);
            }
            Fault::Rebind(side) => {
                self.addresses += 1;
                self.pair.rebind(side, self.addresses);
                // A NAT forgets the flow of those who only listen: the moved end speaks first.
                self.with(side, crate::Connection::ping);
            }
            Fault::Move(side) => {
                self.addresses += 2;
                let names = [self.addresses, self.addresses - 1];
                self.pair.open_way(names[0], names[1]);
                let path = self.pair.address(!side);
                self.with(side, |connection| connection.migrate(path));
            }
            Fault::Rekey(side) => self.with(side, crate::Connection::rekey),
            Fault::Change(link) => {
                self.link = link;
                if self.heal_at.is_none() {
                    self.set_links(link);
                }
            }
            Fault::Restart => {
                self.restarts += 1;
                let fresh = endpoint(&self.plan, Side::Responder, self.restarts);
                self.pair.replace(Side::Responder, fresh);
                self.sessions[1] = None;
                // Somebody has to speak for the loss to be noticed before the idle time-out.
                self.with(Side::Initiator, crate::Connection::ping);
            }
        }
    }

    fn with(&mut self, side: Side, act: impl FnOnce(&mut crate::Connection)) {
        if let Some(handle) = self.sessions[side as usize]
            && let Some(connection) = self.pair.connection(side, handle)
        {
            act(connection);
        }
    }

    fn set_links(&mut self, config: LinkConfig) {
        for side in [Side::Initiator, Side::Responder] {
            let config = self.plan.link_to(!side, config);
            self.pair.link(side).reconfigure(config);
        }
    }
}

fn endpoint(plan: &Plan, side: Side, run: u32) -> Endpoint {
    let shared = Seed::new(b"a seed that both ends of a simulation hold").expect("not empty");
    let own = Seed::new(match side {
        Side::Initiator => b"the seed of the initiator, 32 bytes and more",
        Side::Responder => b"the seed of the responder, 32 bytes and more",
    })
    .expect("not empty");
    let mut config = EndpointConfig::new(Credentials::new(own.node_key(b"node"), shared.psk()));
    let EndPlan {
        aeads,
        wire_id_len,
        cookies,
        resets,
    } = &plan.ends[side as usize];
    config.session = std::sync::Arc::new(plan.sessions[side as usize].clone());
    config.paths = Box::new(AnyPath(plan.profiles[side as usize]));
    config.aeads.clone_from(aeads);
    config.wire_id_len = *wire_id_len;
    if *cookies {
        config.half_open.unproven = 0;
    }
    config.reset = resets.then(|| ResetConfig {
        key: own.reset_key(b"node"),
        run,
    });
    let name = 5 + side as u64 + 1_000 * u64::from(run);
    Endpoint::new(config, Draw::new(plan.seed, name).bytes())
}

fn first_8(bytes: [u8; 32]) -> [u8; 8] {
    *bytes.first_chunk().expect("32 bytes hold 8")
}
