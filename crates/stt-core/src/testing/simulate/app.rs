//! An application that sends what the plan says and checks what arrives.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Draw, HalfPlan, Plan, byte};
use crate::{
    Connection, DatagramEvent, Dir, Event, ReadError, SendDatagramError, Side, StreamEvent,
    StreamId, WriteError,
};

/// Bytes written or read at once.
const CHUNK: usize = 3_000;

pub(super) struct App {
    side: Side,
    plan: Plan,
    to_open: [u64; 2],
    sending: BTreeMap<StreamId, Sending>,
    receiving: BTreeMap<StreamId, Receiving>,
    writable: BTreeSet<StreamId>,
    readable: BTreeSet<StreamId>,
    datagrams_left: u64,
    datagrams_seen: BTreeSet<u64>,
    draw: Draw,
    pub(super) delivered: u64,
}

struct Sending {
    plan: HalfPlan,
    written: u64,
    finished: bool,
    done: bool,
}

struct Receiving {
    plan: HalfPlan,
    read: u64,
    done: bool,
}

/// Codes that the ends give up with.
const RESET: u64 = 21;
const STOP: u64 = 22;

impl App {
    pub(super) fn new(side: Side, plan: &Plan) -> Self {
        Self {
            side,
            plan: plan.clone(),
            to_open: plan.streams[side as usize],
            sending: BTreeMap::new(),
            receiving: BTreeMap::new(),
            writable: BTreeSet::new(),
            readable: BTreeSet::new(),
            datagrams_left: plan.datagrams[side as usize],
            datagrams_seen: BTreeSet::new(),
            draw: Draw::new(plan.seed, 8 + side as u64),
            delivered: 0,
        }
    }

    /// Whether everything planned has been sent and everything that came was read to its end.
    pub(super) fn is_done(&self) -> bool {
        self.to_open == [0; 2]
            && self.datagrams_left == 0
            && self.sending.values().all(|half| half.done)
            && self.receiving.values().all(|half| half.done)
    }

    /// How many streams of the peer have come.
    pub(super) fn accepted(&self) -> usize {
        let peer = !self.side;
        self.receiving
            .keys()
            .filter(|id| id.initiator() == peer)
            .count()
    }

    /// What is left, for a failure's report.
    pub(super) fn status(&self) -> String {
        let sending = self.sending.iter().filter(|(_, half)| !half.done);
        let receiving = self.receiving.iter().filter(|(_, half)| !half.done);
        format!(
            "{:?}: to open {:?}, datagrams {}, sending {:?}, receiving {:?}",
            self.side,
            self.to_open,
            self.datagrams_left,
            sending
                .map(|(id, half)| (*id, half.written, half.plan.len, half.finished))
                .collect::<Vec<_>>(),
            receiving
                .map(|(id, half)| (*id, half.read, half.plan.len))
                .collect::<Vec<_>>(),
        )
    }

    /// Takes an event.
    pub(super) fn on_event(
        &mut self,
        connection: &mut Connection,
        event: &Event,
    ) -> Result<(), String> {
        match event {
            Event::Stream(event) => self.on_stream_event(connection, *event),
            Event::Datagram(DatagramEvent::Readable) => self.read_datagrams(connection),
            _ => Ok(()),
        }
    }

    fn on_stream_event(
        &mut self,
        connection: &mut Connection,
        event: StreamEvent,
    ) -> Result<(), String> {
        match event {
            StreamEvent::Opened { dir } => {
                while let Some(id) = connection.streams().accept(dir) {
                    self.expect(id);
                    if dir == Dir::Bi {
                        self.begin(connection, id)?;
                    }
                }
            }
            // `act` tries again in any case.
            StreamEvent::Available(_) => {}
            StreamEvent::Readable(id) => {
                self.readable.insert(id);
            }
            StreamEvent::Writable(id) => {
                self.writable.insert(id);
            }
            StreamEvent::Finished(id) => {
                let half = self.sending.get_mut(&id).ok_or("Finished for no stream")?;
                if !half.finished || half.written != half.plan.len {
                    return Err(format!("{id:?} is finished before all was written"));
                }
                half.done = true;
            }
            StreamEvent::Stopped { id, code } => {
                if code != STOP {
                    return Err(format!("{id:?} stopped with code {code}"));
                }
                let half = self.sending.get_mut(&id).ok_or("Stopped for no stream")?;
                half.done = true;
                self.writable.remove(&id);
            }
        }
        Ok(())
    }

    /// Opens, writes and reads as far as possible. True if something could go on later without
    /// any event.
    pub(super) fn act(&mut self, connection: &mut Connection) -> Result<bool, String> {
        for dir in [Dir::Bi, Dir::Uni] {
            while self.to_open[dir as usize] > 0
                && let Some(id) = connection.open(dir)
            {
                self.to_open[dir as usize] -= 1;
                if dir == Dir::Bi {
                    self.expect(id);
                }
                self.begin(connection, id)?;
            }
        }
        for id in core::mem::take(&mut self.writable) {
            self.write(connection, id)?;
        }
        let mut more = false;
        for id in core::mem::take(&mut self.readable) {
            more |= self.read(connection, id)?;
        }
        if self.datagrams_left > 0 {
            self.send_datagram(connection)?;
            more = true;
        }
        Ok(more)
    }

    fn expect(&mut self, id: StreamId) {
        let plan = self.plan.half(id, !self.side);
        self.receiving.insert(
            id,
            Receiving {
                plan,
                read: 0,
                done: false,
            },
        );
        // What came with the opening has no event of its own.
        self.readable.insert(id);
    }

    fn begin(&mut self, connection: &mut Connection, id: StreamId) -> Result<(), String> {
        let plan = self.plan.half(id, self.side);
        connection
            .streams()
            .set_priority(id, plan.priority)
            .map_err(|error| error.to_string())?;
        self.sending.insert(
            id,
            Sending {
                plan,
                written: 0,
                finished: false,
                done: false,
            },
        );
        self.writable.insert(id);
        Ok(())
    }

    fn write(&mut self, connection: &mut Connection, id: StreamId) -> Result<(), String> {
        let Some(half) = self.sending.get_mut(&id).filter(|half| !half.done) else {
            return Ok(());
        };
        let until = half
            .plan
            .reset_after
            .unwrap_or(half.plan.len)
            .min(half.plan.len);
        let streams = connection.streams();
        let mut chunk = [0; CHUNK];
        while half.written < until {
            let len = usize::try_from(until - half.written)
                .unwrap_or(CHUNK)
                .min(CHUNK);
            for (offset, slot) in (half.written..).zip(&mut chunk[..len]) {
                *slot = byte(id, self.side, offset);
            }
            match streams.write(id, &chunk[..len]) {
                Ok(count) => half.written += count as u64,
                Err(WriteError::Blocked) => return Ok(()),
                Err(WriteError::Stopped(STOP)) => {
                    half.done = true;
                    return Ok(());
                }
                Err(error) => return Err(format!("writing {id:?}: {error}")),
            }
        }
        if half.plan.reset_after.is_some() {
            half.done = true;
            return streams.reset(id, RESET).map_err(|error| error.to_string());
        }
        match streams.finish(id) {
            Ok(()) => half.finished = true,
            Err(WriteError::Stopped(STOP)) => half.done = true,
            Err(error) => return Err(format!("finishing {id:?}: {error}")),
        }
        Ok(())
    }

    /// Reads a few chunks; true if there may be more.
    fn read(&mut self, connection: &mut Connection, id: StreamId) -> Result<bool, String> {
        let Some(half) = self.receiving.get_mut(&id).filter(|half| !half.done) else {
            return Ok(false);
        };
        let streams = connection.streams();
        let mut chunk = [0; CHUNK];
        for _ in 0..2 {
            if half.plan.stop_after.is_some_and(|after| half.read >= after) {
                half.done = true;
                // Too late if everything has come already.
                let _ = streams.stop(id, STOP);
                return Ok(false);
            }
            match streams.read(id, &mut chunk) {
                Ok(Some(count)) => {
                    let sent = half
                        .plan
                        .reset_after
                        .unwrap_or(half.plan.len)
                        .min(half.plan.len);
                    for (offset, found) in (half.read..).zip(&chunk[..count]) {
                        if offset >= sent || *found != byte(id, !self.side, offset) {
                            return Err(format!("{id:?}: wrong byte at {offset}"));
                        }
                    }
                    half.read += count as u64;
                    self.delivered += count as u64;
                }
                Ok(None) => {
                    half.done = true;
                    if half.read != half.plan.len || half.plan.reset_after.is_some() {
                        return Err(format!("{id:?} ends after {} bytes", half.read));
                    }
                    return Ok(false);
                }
                Err(ReadError::Blocked) => return Ok(false),
                Err(ReadError::Reset(RESET)) if half.plan.reset_after.is_some() => {
                    half.done = true;
                    return Ok(false);
                }
                Err(error) => return Err(format!("reading {id:?}: {error}")),
            }
        }
        self.readable.insert(id);
        Ok(true)
    }

    fn send_datagram(&mut self, connection: &mut Connection) -> Result<(), String> {
        let number = self.datagrams_left;
        self.datagrams_left -= 1;
        let datagrams = connection.datagrams();
        let max = datagrams.max_size() as u64;
        if max < 8 {
            return Ok(());
        }
        let len = 8 + self.draw.below(max - 7) as usize;
        let mut data = vec![0; len];
        data[..8].copy_from_slice(&number.to_be_bytes());
        let id = StreamId::from_u64(number);
        for (offset, slot) in (0..).zip(&mut data[8..]) {
            *slot = byte(id, self.side, offset);
        }
        match datagrams.send(&data) {
            Err(SendDatagramError::Blocked) => {
                self.datagrams_left += 1;
                Ok(())
            }
            sent => sent.map_err(|error| error.to_string()),
        }
    }

    fn read_datagrams(&mut self, connection: &mut Connection) -> Result<(), String> {
        while let Some(data) = connection.datagrams().recv() {
            let (head, rest) = data.split_first_chunk().ok_or("a datagram was cut")?;
            let number = u64::from_be_bytes(*head);
            if !self.datagrams_seen.insert(number) {
                return Err(format!("datagram {number} came twice"));
            }
            let id = StreamId::from_u64(number);
            let intact = (0..)
                .zip(rest)
                .all(|(offset, found)| *found == byte(id, !self.side, offset));
            if !intact {
                return Err(format!("datagram {number} is damaged"));
            }
        }
        Ok(())
    }
}
