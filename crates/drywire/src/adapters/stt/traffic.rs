//! What flows over a session, and what came of it.

use std::collections::BTreeMap;

use drybox::adapter::Context;
use serde_json::json;
use stt_core::{Connection, DatagramEvent, Dir, Event, ReadError, StreamEvent, StreamId};

use super::settings::SttSettings;

/// Bytes of a request; the answer repeats them.
const REQUEST: usize = 32;

/// The traffic of one session.
#[derive(Debug)]
pub(super) struct Traffic {
    settings: SttSettings,
    bulk: Option<StreamId>,
    written: u64,
    requests: BTreeMap<StreamId, u64>,
    answering: BTreeMap<StreamId, Vec<u8>>,
    next_request: u64,
    next_datagram: u64,
    next_rekey: u64,
    /// When the bulk stream of the peer began to arrive.
    begun: Option<u64>,
    pub(super) totals: Totals,
}

/// What is told at the end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) received: u64,
    pub(super) wrong: u64,
    pub(super) answered: u64,
    pub(super) datagrams_sent: u64,
    pub(super) datagrams_received: u64,
}

/// The byte at `offset` of the bulk stream.
const fn byte(offset: u64) -> u8 {
    (offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

impl Traffic {
    /// Begins now, at `now_ms`.
    pub(super) fn new(settings: SttSettings, now_ms: u64) -> Self {
        let later = |period: Option<u64>| period.map_or(u64::MAX, |period| now_ms + period);
        Self {
            bulk: None,
            written: 0,
            requests: BTreeMap::new(),
            answering: BTreeMap::new(),
            next_request: later(settings.request_ms),
            next_datagram: later(settings.datagram_ms),
            next_rekey: later(settings.rekey_ms),
            begun: None,
            totals: Totals::default(),
            settings,
        }
    }

    /// Sends what is due.
    pub(super) fn act(&mut self, connection: &mut Connection, now_ms: u64) {
        if self.settings.bytes > 0 && self.bulk.is_none() {
            self.bulk = connection.open(Dir::Uni);
        }
        self.write_bulk(connection);
        if now_ms >= self.next_request {
            self.next_request = now_ms + self.settings.request_ms.unwrap_or(u64::MAX);
            if let Some(id) = connection.open(Dir::Bi) {
                self.requests.insert(id, now_ms);
                self.answering.insert(id, vec![0x5a; REQUEST]);
            }
        }
        self.write_small(connection);
        while now_ms >= self.next_datagram {
            self.next_datagram = self
                .next_datagram
                .saturating_add(self.settings.datagram_ms.unwrap_or(u64::MAX));
            let data = vec![0xd6; self.settings.datagram_bytes];
            // Too large for the path: counted as not sent, which the summary shows.
            self.totals.datagrams_sent += u64::from(connection.datagrams().send(&data).is_ok());
        }
        if now_ms >= self.next_rekey {
            self.next_rekey = now_ms + self.settings.rekey_ms.unwrap_or(u64::MAX);
            connection.rekey();
        }
    }

    fn write_bulk(&mut self, connection: &mut Connection) {
        let Some(id) = self.bulk else { return };
        let mut chunk = [0; 4_096];
        while self.written < self.settings.bytes {
            let left = self.settings.bytes - self.written;
            let len = usize::try_from(left)
                .unwrap_or(chunk.len())
                .min(chunk.len());
            for (offset, slot) in (self.written..).zip(&mut chunk[..len]) {
                *slot = byte(offset);
            }
            match connection.streams().write(id, &chunk[..len]) {
                Ok(count) => self.written += count as u64,
                Err(_) => return,
            }
            if self.written == self.settings.bytes {
                // Refused only if the peer has stopped the stream, which its event tells.
                let _ = connection.streams().finish(id);
            }
        }
    }

    /// Requests and answers: few bytes each, written whole or tried again.
    fn write_small(&mut self, connection: &mut Connection) {
        self.answering.retain(|id, data| {
            match connection.streams().write(*id, data) {
                Ok(count) => {
                    data.drain(..count);
                }
                Err(stt_core::WriteError::Blocked) => return true,
                Err(_) => return false,
            }
            if data.is_empty() {
                let _ = connection.streams().finish(*id);
            }
            !data.is_empty()
        });
    }

    /// Takes an event of the session.
    pub(super) fn on_event(
        &mut self,
        context: &mut Context,
        connection: &mut Connection,
        event: &Event,
    ) {
        match event {
            Event::Stream(StreamEvent::Opened { dir }) => {
                while let Some(id) = connection.streams().accept(*dir) {
                    self.read(context, connection, id);
                }
            }
            Event::Stream(StreamEvent::Readable(id)) => self.read(context, connection, *id),
            Event::Datagram(DatagramEvent::Readable) => {
                while connection.datagrams().recv().is_some() {
                    self.totals.datagrams_received += 1;
                }
            }
            _ => {}
        }
    }

    fn read(&mut self, context: &mut Context, connection: &mut Connection, id: StreamId) {
        let now = context.now_ms();
        let mut chunk = [0; 4_096];
        loop {
            match connection.streams().read(id, &mut chunk) {
                Ok(Some(count)) if id.dir() == Dir::Uni => {
                    self.begun.get_or_insert(now);
                    for (offset, found) in (self.totals.received..).zip(&chunk[..count]) {
                        self.totals.wrong += u64::from(*found != byte(offset));
                    }
                    self.totals.received += count as u64;
                }
                Ok(Some(count)) => {
                    if !self.requests.contains_key(&id) {
                        // A request: its bytes go back.
                        let answer = self.answering.entry(id).or_default();
                        answer.extend_from_slice(&chunk[..count]);
                    }
                }
                Ok(None) => return self.on_end(context, connection, id),
                Err(ReadError::Blocked) => break,
                Err(_) => return,
            }
        }
        self.write_small(connection);
    }

    fn on_end(&mut self, context: &mut Context, connection: &mut Connection, id: StreamId) {
        let now = context.now_ms();
        if id.dir() == Dir::Uni {
            let span = now.saturating_sub(self.begun.unwrap_or(now)).max(1);
            let bytes = self.totals.received;
            context.emit_event(
                "transfer_done",
                json!({"bytes": bytes, "wrong": self.totals.wrong, "time_ms": now,
                       "goodput_bps": bytes * 8_000 / span}),
            );
        } else if let Some(sent) = self.requests.remove(&id) {
            self.totals.answered += 1;
            context.emit_event("answer", json!({"round_trip_ms": now - sent}));
        } else {
            self.write_small(connection);
        }
    }
}
