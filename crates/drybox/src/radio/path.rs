//! One direction of the voice channel (`docs/spec/radio.md`, section 1).

use super::channel::Channel;
use super::observer::{VoiceEvent, VoiceObserver, VoiceRecord};
use super::playout::{Content, Playout, Slot};
use super::plc::Concealment;
use super::stats::VoiceStats;
use super::vocoder::{self, Activity, Codec, ComfortNoise};
use super::{BLOCK_MS, Block, RadioParams, SILENCE, VocoderKind};
use crate::bearer::{BearerParams, Carrier, Fate};
use crate::{Direction, rng::Streams};

/// From one sender's blocks to its peer's.
///
/// For every grid slot `k = 0, 1, 2 …` call [`send`](Self::send) once with the sender's block and
/// then [`receive`](Self::receive) once for the block to push.
pub struct VoicePath {
    direction: Direction,
    grid_ms: u64,
    channel: Channel,
    codec: Box<dyn Codec>,
    /// Whether there are coded frames to show; plain PCM is none.
    coded: bool,
    /// Discontinuous transmission, if it is on.
    dtx: Option<Dtx>,
    carrier: Carrier,
    playout: Playout,
    concealment: Concealment,
    stats: VoiceStats,
}

/// Both ends of discontinuous transmission.
struct Dtx {
    activity: Activity,
    noise: ComfortNoise,
}

impl VoicePath {
    /// A path with a block every 20 ms.
    pub fn new(
        radio: &RadioParams,
        bearer: &BearerParams,
        direction: Direction,
        streams: &Streams,
    ) -> Self {
        Self::with_cadence(radio, bearer, direction, streams, BLOCK_MS)
    }

    /// A path with a block every `grid_ms` (`audio_cadence: tick`).
    pub fn with_cadence(
        radio: &RadioParams,
        bearer: &BearerParams,
        direction: Direction,
        streams: &Streams,
        grid_ms: u64,
    ) -> Self {
        Self {
            direction,
            grid_ms,
            channel: Channel::new(radio, direction, streams),
            codec: vocoder::codec(radio.vocoder),
            coded: radio.vocoder != VocoderKind::None,
            dtx: radio.vad_dtx.then(|| Dtx {
                activity: Activity::new(),
                noise: ComfortNoise::new(streams.stream(&format!("{}/comfort", direction.label()))),
            }),
            carrier: Carrier::for_frames(bearer, direction, streams),
            playout: Playout::new(bearer, grid_ms),
            concealment: Concealment::new(),
            stats: VoiceStats::default(),
        }
    }

    /// Takes the sender's block of slot `k`, pulled in the tick `now_ms`.
    pub fn send<O: VoiceObserver>(
        &mut self,
        k: u64,
        now_ms: u64,
        block: &Block,
        observer: &mut O,
    ) -> Result<(), O::Error> {
        self.stats.blocks += 1;
        self.stats.active += u64::from(*block != SILENCE);
        let mut heard = SILENCE;
        let passed = self.channel.pass(k, block, &mut heard);
        if let Some(slip) = passed.slip {
            self.stats.slips += 1;
            observer.observe(&self.record(now_ms, VoiceEvent::Slip(slip), k))?;
        }

        let grid_time = k.saturating_mul(self.grid_ms);
        let mut slot = Slot::new(k, now_ms, grid_time);
        slot.snr_db = passed.snr_db;
        self.encode(&heard, &mut slot);

        // The loss process and the delay law step in every slot, also in an untransmitted one.
        let fate = self.carrier.carry(k, grid_time, slot.frame().len());
        slot.arrives_ms = match fate {
            Fate::Arrives(arrival) => Some(arrival.due_ms),
            Fate::Lost(_) => None,
        };
        if slot.content != Content::Untransmitted {
            self.stats.sent += 1;
            self.stats.lost += u64::from(slot.arrives_ms.is_none());
            observer.observe(&VoiceRecord {
                frame: self.shown(&slot),
                pcm: Some(block),
                ..self.record(now_ms, VoiceEvent::Tx, k)
            })?;
            if slot.arrives_ms.is_none() {
                self.drop_frame(now_ms, &slot, observer)?;
            }
        }
        self.playout.push(slot);
        Ok(())
    }

    /// Fills `out` with the receiver's block of slot `k`, pushed in the tick `now_ms`: silence
    /// until playout begins.
    pub fn receive<O: VoiceObserver>(
        &mut self,
        k: u64,
        now_ms: u64,
        out: &mut Block,
        observer: &mut O,
    ) -> Result<(), O::Error> {
        let Some(block) = self.playout.block_at(k) else {
            *out = SILENCE;
            return Ok(());
        };
        let Some(slot) = self.playout.take(block) else {
            self.conceal(k, out);
            return Ok(());
        };
        if slot.content == Content::Untransmitted {
            self.pause(k, out);
            return Ok(());
        }
        let deadline = k.saturating_mul(self.grid_ms);
        match slot.arrives_ms {
            Some(arrival) if arrival <= deadline => {
                self.decode(k, &slot, out);
                self.concealment.good(out);
                self.stats
                    .deliver(now_ms.saturating_sub(slot.pulled_ms), slot.snr_db);
                self.stats
                    .jitter
                    .arrive(arrival.saturating_sub(slot.sent_ms));
                observer.observe(&VoiceRecord {
                    frame: self.shown(&slot),
                    pcm: Some(out),
                    snr_db: slot.snr_db,
                    per: Some(0.0),
                    latency_ms: Some(now_ms.saturating_sub(slot.pulled_ms) as f64),
                    jitter_ms: self.stats.jitter.ms(),
                    loss_rate: self.stats.loss_rate(),
                    ..self.record(now_ms, VoiceEvent::Rx, slot.block)
                })
            }
            Some(_) => {
                self.stats.late += 1;
                self.conceal(k, out);
                self.drop_frame(now_ms, &slot, observer)
            }
            None => {
                self.conceal(k, out);
                Ok(())
            }
        }
    }

    /// What has become of this direction's frames so far.
    pub const fn stats(&self) -> &VoiceStats {
        &self.stats
    }

    /// Whose direction this is.
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// Codes what the encoder hears, or decides to send less.
    fn encode(&mut self, heard: &Block, slot: &mut Slot) {
        // The codec runs in every slot, so that its filters are in step when speech begins again.
        slot.fill(|frame| self.codec.encode(heard, frame));
        slot.content = Content::Speech;
        if let Some(dtx) = &mut self.dtx {
            slot.content = dtx.activity.decide(heard);
            match slot.content {
                Content::Speech => {}
                Content::Sid => slot.fill(|frame| {
                    frame[0] = dtx.activity.level();
                    1
                }),
                Content::Untransmitted => slot.fill(|_| 0),
            }
        }
    }

    /// Plays a frame that came in time in the receiver's slot `k`.
    fn decode(&mut self, k: u64, slot: &Slot, out: &mut Block) {
        match (&mut self.dtx, slot.frame()) {
            (Some(dtx), &[level, ..]) if slot.content == Content::Sid => {
                dtx.noise.describe(level);
                dtx.noise.play(k, out);
            }
            (dtx, frame) => {
                if let Some(dtx) = dtx {
                    dtx.noise.speech();
                }
                self.codec.decode(frame, out);
            }
        }
    }

    /// Plays the receiver's slot `k`, for which nothing was sent.
    fn pause(&mut self, k: u64, out: &mut Block) {
        match &mut self.dtx {
            Some(dtx) if dtx.noise.is_on() => {
                dtx.noise.play(k, out);
                self.concealment.good(out);
            }
            // The frame that told of the pause was lost: for the receiver, speech is missing.
            _ => self.conceal(k, out),
        }
    }

    /// Plays the receiver's slot `k`, whose frame did not come.
    fn conceal(&mut self, k: u64, out: &mut Block) {
        self.stats.concealed += 1;
        match &mut self.dtx {
            Some(dtx) if dtx.noise.is_on() => dtx.noise.play(k, out),
            _ => self.concealment.conceal(out),
        }
    }

    fn drop_frame<O: VoiceObserver>(
        &self,
        now_ms: u64,
        slot: &Slot,
        observer: &mut O,
    ) -> Result<(), O::Error> {
        observer.observe(&VoiceRecord {
            frame: self.shown(slot),
            per: Some(1.0),
            loss_rate: self.stats.loss_rate(),
            ..self.record(now_ms, VoiceEvent::Drop, slot.block)
        })
    }

    /// The frame as the capture holds it.
    fn shown<'a>(&self, slot: &'a Slot) -> &'a [u8] {
        if self.coded { slot.frame() } else { &[] }
    }

    /// A record in which only what every event has is set.
    const fn record(&self, t_ms: u64, event: VoiceEvent, block: u64) -> VoiceRecord<'static> {
        VoiceRecord {
            t_ms,
            direction: self.direction,
            event,
            block,
            frame: &[],
            pcm: None,
            snr_db: None,
            per: None,
            latency_ms: None,
            jitter_ms: None,
            loss_rate: None,
        }
    }
}

#[cfg(test)]
mod tests;
