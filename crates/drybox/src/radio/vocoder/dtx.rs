//! Voice activity and discontinuous transmission (`docs/spec/radio.md`, section 9).

use crate::math;
use crate::radio::pcm::{self, FULL_SCALE_POWER};
use crate::radio::playout::Content;
use crate::radio::{BLOCK_SAMPLES, Block};
use crate::rng::Stream;

/// Frames still sent after the last active one.
const HANGOVER: u32 = 7;
/// From one description of the background to the next, in frames.
const SID_INTERVAL: u32 = 8;
/// The background's level is the mean over as many blocks.
const LEVEL_BLOCKS: usize = 8;
/// A block is active when it is this much stronger than the background: 6 dB.
const MARGIN: f64 = 4.0;
/// How fast the background estimate rises per block: 3 dB per second.
const RISE: f64 = 1.013_911_4;
/// Where the background estimate starts, −66 dBFS; it never falls below.
const FLOOR_MIN: f64 = FULL_SCALE_POWER * 2.511_886_43e-7;
/// It never rises above −40 dBFS: whatever is louder than −34 dBFS is active, also a steady tone.
const FLOOR_MAX: f64 = FULL_SCALE_POWER * 1e-4;

/// The sender's end: decides what each slot carries.
#[derive(Debug)]
pub(crate) struct Activity {
    floor: f64,
    hangover: u32,
    since_sid: u32,
    powers: [f64; LEVEL_BLOCKS],
    next: usize,
}

impl Activity {
    pub(crate) const fn new() -> Self {
        Self {
            floor: FLOOR_MIN,
            hangover: 0,
            since_sid: SID_INTERVAL,
            powers: [0.0; LEVEL_BLOCKS],
            next: 0,
        }
    }

    /// Takes the encoder's next block.
    pub(crate) fn decide(&mut self, block: &Block) -> Content {
        let power = pcm::block_power(block);
        self.powers[self.next] = power;
        self.next = (self.next + 1) % LEVEL_BLOCKS;
        let active = power > MARGIN * self.floor;
        self.floor = power.min(self.floor * RISE).clamp(FLOOR_MIN, FLOOR_MAX);

        if active {
            self.hangover = HANGOVER;
            self.since_sid = SID_INTERVAL;
            return Content::Speech;
        }
        if self.hangover > 0 {
            self.hangover -= 1;
            return Content::Speech;
        }
        if self.since_sid >= SID_INTERVAL {
            self.since_sid = 1;
            return Content::Sid;
        }
        self.since_sid += 1;
        Content::Untransmitted
    }

    /// The background's level as a SID frame carries it: dBFS below 0 in half dB, 255 for none.
    pub(crate) fn level(&self) -> u8 {
        let mean = self.powers.iter().sum::<f64>() / LEVEL_BLOCKS as f64;
        if mean <= 0.0 {
            return u8::MAX;
        }
        (-2.0 * math::db(mean / FULL_SCALE_POWER))
            .round_ties_even()
            .clamp(0.0, 255.0) as u8
    }
}

/// The receiver's end: noise at the level of the last SID frame.
#[derive(Debug)]
pub(crate) struct ComfortNoise {
    stream: Stream,
    /// Standard deviation of the noise; `None` while speech is on.
    sigma: Option<f64>,
}

impl ComfortNoise {
    pub(crate) const fn new(stream: Stream) -> Self {
        Self {
            stream,
            sigma: None,
        }
    }

    /// A speech frame came.
    pub(crate) const fn speech(&mut self) {
        self.sigma = None;
    }

    /// A SID frame came.
    pub(crate) fn describe(&mut self, level: u8) {
        self.sigma = Some(match level {
            u8::MAX => 0.0,
            _ => (FULL_SCALE_POWER * math::from_db(-f64::from(level) / 2.0)).sqrt(),
        });
    }

    /// Whether the pause has begun: its level is known.
    pub(crate) const fn is_on(&self) -> bool {
        self.sigma.is_some()
    }

    /// The noise of slot `k`.
    pub(crate) fn play(&mut self, k: u64, out: &mut Block) {
        let sigma = self.sigma.unwrap_or(0.0);
        let mut noise = [0.0; BLOCK_SAMPLES];
        self.stream.at(k).fill_gaussian(&mut noise);
        pcm::to_block(&noise.map(|x| sigma * x), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Streams;

    const LOUD: Block = [3000; BLOCK_SAMPLES];
    const QUIET: Block = [5; BLOCK_SAMPLES];

    #[test]
    fn hangover_is_seven_frames_and_sid_every_eighth() {
        let mut activity = Activity::new();
        for _ in 0..3 {
            assert_eq!(activity.decide(&LOUD), Content::Speech);
        }
        for _ in 0..HANGOVER {
            assert_eq!(activity.decide(&QUIET), Content::Speech);
        }
        let pause: Vec<_> = (0..25).map(|_| activity.decide(&QUIET)).collect();
        for (i, content) in pause.iter().enumerate() {
            let expected = match i % 8 {
                0 => Content::Sid,
                _ => Content::Untransmitted,
            };
            assert_eq!(*content, expected, "{i}");
        }
        // Speech again, then the same from the start.
        assert_eq!(activity.decide(&LOUD), Content::Speech);
        for _ in 0..HANGOVER {
            assert_eq!(activity.decide(&QUIET), Content::Speech);
        }
        assert_eq!(activity.decide(&QUIET), Content::Sid);
    }

    #[test]
    fn silence_from_the_start_begins_with_sid() {
        let mut activity = Activity::new();
        assert_eq!(activity.decide(&[0; BLOCK_SAMPLES]), Content::Sid);
        assert_eq!(activity.level(), u8::MAX);
        assert_eq!(activity.decide(&[0; BLOCK_SAMPLES]), Content::Untransmitted);
    }

    #[test]
    fn a_steady_loud_tone_stays_active_and_steady_noise_does_not() {
        let mut activity = Activity::new();
        for k in 0..10_000 {
            assert_eq!(activity.decide(&LOUD), Content::Speech, "{k}");
        }
        // −50 dBFS: above the initial threshold, then learnt as background.
        let mut activity = Activity::new();
        let noise = [104; BLOCK_SAMPLES];
        assert_eq!(activity.decide(&noise), Content::Speech);
        let later = (0..1000).map(|_| activity.decide(&noise)).last();
        assert_ne!(later, Some(Content::Speech));
    }

    #[test]
    fn comfort_noise_has_the_level_that_was_measured() {
        let mut activity = Activity::new();
        for _ in 0..LEVEL_BLOCKS {
            activity.decide(&[100; BLOCK_SAMPLES]);
        }
        let mut noise = ComfortNoise::new(Streams::new(1).stream("L>R/comfort"));
        assert!(!noise.is_on());
        noise.describe(activity.level());
        let (mut total, mut out) = (0.0, [0; BLOCK_SAMPLES]);
        for k in 0..200 {
            noise.play(k, &mut out);
            total += pcm::block_power(&out);
        }
        let level = math::db(total / 200.0 / 10_000.0);
        // A quarter of a dB from rounding the level, and five standard errors of 0.034 dB.
        assert!(level.abs() < 0.25 + 0.17, "{level}");
        noise.describe(u8::MAX);
        noise.play(0, &mut out);
        assert_eq!(out, [0; BLOCK_SAMPLES]);
    }
}
