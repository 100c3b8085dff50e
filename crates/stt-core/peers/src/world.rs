//! Two ends and the links between them, on virtual time: the same loop and the same luck for every implementation.

use std::collections::VecDeque;

/// Nanoseconds since the world began.
pub type Time = u64;
pub const MS: Time = 1_000_000;
pub const SECOND: Time = 1_000 * MS;

/// Datagrams that an end writes at once.
pub const BATCH: usize = 10;

/// Datagrams of one size, the last one perhaps shorter, one behind the other at the front of a buffer.
#[derive(Default)]
pub struct Batch {
    pub bytes: Vec<u8>,
    pub size: usize,
    pub segment: usize,
}

/// One end: a node of either implementation with one application on top.
pub trait End {
    /// Begins a session with the other end.
    fn connect(&mut self, now: Time);
    /// Sessions that are confirmed: nothing of their handshake is left to do.
    fn confirmed(&self) -> usize;
    /// Forgets all sessions.
    fn forget(&mut self);
    /// From now on keeps a stream of the first session full.
    fn begin_bulk(&mut self);
    /// Bytes of streams that the application has received.
    fn received(&self) -> u64;
    /// Writes what is to be sent now to a batch, whose buffer may hold anything; false if that is nothing.
    fn transmit(&mut self, now: Time, batch: &mut Batch) -> bool;
    /// Takes datagrams, which may be changed or kept; what is left of the buffer is used again.
    fn receive(&mut self, now: Time, batch: &mut Batch);
    /// What the application does when something has happened: events, reading, writing.
    fn act(&mut self);
    fn deadline(&mut self) -> Option<Time>;
    fn on_deadline(&mut self, now: Time);
}

/// One direction.
#[derive(Clone, Copy)]
pub struct Link {
    pub delay: Time,
    /// Bytes a second, and bytes that may wait; `None` for no limit.
    pub bottleneck: Option<(u64, u64)>,
    /// Lost at random, of a million.
    pub loss: u64,
}

impl Link {
    pub const fn plain(delay: Time) -> Self {
        Self {
            delay,
            bottleneck: None,
            loss: 0,
        }
    }
}

struct Direction {
    link: Link,
    free_at: Time,
    luck: u64,
    flights: VecDeque<(Time, Batch)>,
}

pub struct World<E> {
    pub now: Time,
    pub ends: [E; 2],
    directions: [Direction; 2],
    spare: Vec<Batch>,
    /// Sizes of all datagrams sent, if they are wanted.
    pub sizes: Option<Vec<u16>>,
}

impl<E: End> World<E> {
    /// What the first end sends goes over the first link.
    pub fn new(ends: [E; 2], links: [Link; 2], seed: u64) -> Self {
        let mut luck = seed;
        Self {
            now: 0,
            ends,
            directions: links.map(|link| {
                luck = luck.wrapping_add(0x9e37_79b9_7f4a_7c15);
                Direction {
                    link,
                    free_at: 0,
                    luck,
                    flights: VecDeque::new(),
                }
            }),
            spare: Vec::new(),
            sizes: None,
        }
    }

    /// The ends, without what was under way between them.
    pub fn into_ends(self) -> [E; 2] {
        self.ends
    }

    /// Runs until `done`, which must come within a virtual minute.
    pub fn run_until(&mut self, mut done: impl FnMut(&[E; 2]) -> bool) {
        let limit = self.now + 60 * SECOND;
        while !done(&self.ends) {
            assert!(self.step(limit), "nothing happens any more");
        }
    }

    pub fn run_for(&mut self, span: Time) {
        let limit = self.now + span;
        while self.step(limit) {}
    }

    /// Goes to what happens next, if that is not after `limit`.
    fn step(&mut self, limit: Time) -> bool {
        self.flush();
        let deadlines = self.ends.iter_mut().filter_map(|end| end.deadline());
        let arrivals = self.directions.iter();
        let arrivals = arrivals.filter_map(|way| way.flights.front().map(|&(at, _)| at));
        let next = deadlines.chain(arrivals).min();
        let Some(next) = next.filter(|&next| next <= limit) else {
            self.now = limit;
            return false;
        };
        self.now = self.now.max(next);
        for (end, way) in self.ends.iter_mut().zip([1, 0]) {
            let mut happened = false;
            let flights = &mut self.directions[way].flights;
            if flights.front().is_some_and(|&(at, _)| at <= self.now)
                && let Some((_, mut batch)) = flights.pop_front()
            {
                end.receive(self.now, &mut batch);
                self.spare.push(batch);
                happened = true;
            }
            if end.deadline().is_some_and(|at| at <= self.now) {
                end.on_deadline(self.now);
                happened = true;
            }
            if happened {
                end.act();
            }
        }
        true
    }

    fn flush(&mut self) {
        for (end, way) in self.ends.iter_mut().zip(&mut self.directions) {
            loop {
                let mut batch = self.spare.pop().unwrap_or_default();
                if !end.transmit(self.now, &mut batch) {
                    self.spare.push(batch);
                    break;
                }
                if let Some(sizes) = &mut self.sizes {
                    let datagrams = batch.bytes[..batch.size].chunks(batch.segment);
                    sizes.extend(datagrams.map(|datagram| datagram.len() as u16));
                }
                way.send(self.now, batch, &mut self.spare);
            }
        }
    }
}

impl Direction {
    fn send(&mut self, now: Time, batch: Batch, spare: &mut Vec<Batch>) {
        if self.link.bottleneck.is_none() && self.link.loss == 0 {
            self.flights.push_back((now + self.link.delay, batch));
            return;
        }
        for datagram in batch.bytes[..batch.size].chunks(batch.segment) {
            // Drawn always, so that the queue does not shift the luck.
            let lost = self.draw() % 1_000_000 < self.link.loss;
            if lost {
                continue;
            }
            let mut leaves = now;
            if let Some((rate, queue)) = self.link.bottleneck {
                let begins = self.free_at.max(now);
                let waiting = (begins - now) * (rate / 1_000) / MS;
                if waiting + datagram.len() as u64 > queue {
                    continue;
                }
                leaves = begins + datagram.len() as u64 * SECOND / rate;
                self.free_at = leaves;
            }
            let mut one = spare.pop().unwrap_or_default();
            one.bytes.clear();
            one.bytes.extend_from_slice(datagram);
            one.size = datagram.len();
            one.segment = datagram.len();
            self.flights.push_back((leaves + self.link.delay, one));
        }
        spare.push(batch);
    }

    /// SplitMix64.
    fn draw(&mut self) -> u64 {
        self.luck = self.luck.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.luck;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
