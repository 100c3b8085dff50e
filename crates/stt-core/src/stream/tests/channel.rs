//! Two ends joined by a channel that loses, repeats, delays and reorders packets of frames.

use core::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::{
    Carried, Side, StreamConfig, Streams, Timestamp, TransportError,
    wire::{Frame, Frames, Limits, Writer},
};

/// Small enough that windows, caps and limits are met in short tests.
pub(super) fn small_limits() -> Limits {
    Limits::default()
        .with_max_data(4_096)
        .with_max_stream_data(1_024)
        .with_max_streams(crate::Dir::Bi, 4)
        .with_max_streams(crate::Dir::Uni, 3)
}

pub(super) fn small_config() -> StreamConfig {
    StreamConfig {
        send_buffer: 3_000,
        max_unsent: 3_000,
        session_send_buffer: 8_000,
        max_stream_window: 8_192,
        max_window: 16_384,
    }
}

pub(super) fn pair(limits: &Limits, config: StreamConfig) -> (Streams, Streams) {
    let mut left = Streams::new(Side::Initiator, limits, config);
    let mut right = Streams::new(Side::Responder, limits, config);
    left.set_peer(limits);
    right.set_peer(limits);
    (left, right)
}

/// One packet of at most `room` bytes, if there is something to send.
pub(super) fn packet(from: &mut Streams, room: usize) -> Option<(Vec<u8>, Vec<Carried>)> {
    let mut bytes = vec![0; room];
    let mut carried = Vec::new();
    let pending = from.has_pending();
    let mut writer = Writer::new(&mut bytes);
    from.write_frames(&mut writer, &mut carried);
    let len = writer.len();
    bytes.truncate(len);
    assert_eq!(
        pending,
        len > 0,
        "something is pending exactly if something is written"
    );
    assert_eq!(len > 0, !carried.is_empty());
    (len > 0).then_some((bytes, carried))
}

/// Hands all frames of a packet over.
pub(super) fn deliver(to: &mut Streams, packet: &[u8]) -> Result<(), TransportError> {
    for frame in Frames::new(packet) {
        match frame.expect("we wrote it") {
            Frame::Stream(stream) => to.on_stream(&stream)?,
            Frame::Reset {
                id,
                code,
                final_size,
            } => to.on_reset(id, code, final_size)?,
            Frame::Stop { id, code } => to.on_stop(id, code)?,
            Frame::MaxData(max) => to.on_max_data(max),
            Frame::MaxStreamData { id, max } => to.on_max_stream_data(id, max)?,
            Frame::MaxStreams { dir, max } => to.on_max_streams(dir, max)?,
            other => panic!("not a frame about streams: {other:?}"),
        }
    }
    Ok(())
}

/// Sends what is pending on both sides until nothing is, without loss.
pub(super) fn settle(left: &mut Streams, right: &mut Streams) {
    for _ in 0..10_000 {
        let mut idle = true;
        for turn in [true, false] {
            let (from, to) = if turn {
                (&mut *left, &mut *right)
            } else {
                (&mut *right, &mut *left)
            };
            if let Some((bytes, carried)) = packet(from, 1_200) {
                idle = false;
                deliver(to, &bytes).unwrap();
                carried.into_iter().for_each(|what| from.on_acked(what));
            }
        }
        if idle {
            return;
        }
    }
    panic!("never settles");
}

/// Luck: tests say its seed, so that a failure repeats.
#[derive(Clone, Debug)]
pub(super) struct Luck(ChaCha8Rng);

impl Luck {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound as u64) as usize
    }

    pub(super) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
}

/// One direction: packets under way and what becomes of them.
#[derive(Debug, Default)]
pub(super) struct Channel {
    flying: Vec<(Vec<u8>, Option<Vec<Carried>>)>,
}

/// How bad a channel is, in per cent of packets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trouble {
    pub(super) loss: usize,
    pub(super) repeat: usize,
    /// Declared lost although it arrives.
    pub(super) spurious: usize,
    /// Any packet under way may arrive next, not just the first.
    pub(super) reorder: bool,
}

impl Channel {
    /// Lets one thing happen: a packet is sent, or one under way arrives or is lost. Whether there
    /// was anything to do.
    pub(super) fn step(
        &mut self,
        from: &mut Streams,
        to: &mut Streams,
        luck: &mut Luck,
        trouble: Trouble,
        room: usize,
    ) -> bool {
        if self.flying.len() < 16
            && luck.percent(50)
            && let Some((bytes, carried)) = packet(from, room)
        {
            self.flying.push((bytes, Some(carried)));
            return true;
        }
        if self.flying.is_empty() {
            return from.has_pending();
        }
        let at = if trouble.reorder {
            luck.below(self.flying.len())
        } else {
            0
        };
        let (bytes, carried) = self.flying.remove(at);
        let lost = luck.percent(trouble.loss);
        if !lost {
            deliver(to, &bytes).unwrap();
            if luck.percent(trouble.repeat) {
                // The copy arrives later, and nobody hears of it.
                self.flying.push((bytes, None));
            }
        }
        for what in carried.into_iter().flatten() {
            if lost || luck.percent(trouble.spurious) {
                from.on_lost(what);
            } else {
                from.on_acked(what);
            }
        }
        true
    }
}

pub(super) fn clock(millis: u64) -> (Timestamp, Duration) {
    (Timestamp::from_millis(millis), Duration::from_millis(50))
}
