//! The mocks as codecs: honest, lossy, bounded.

use super::*;
use crate::rng::Streams;

const SHAPES: [Shape; 3] = [AMR_12K2, EVS_13K2, OPUS_NB];

/// A signal, through the band limit alone and through the codec, aligned.
fn through(shape: Shape, signal: &[i16]) -> (Vec<f64>, Vec<f64>) {
    let mut codec = Mock::new(shape);
    let mut band = BandLimit::new(shape.band_hz.0, shape.band_hz.1);
    let (mut reference, mut heard) = (vec![0.0; shape.lookahead], Vec::new());
    let (mut frame, mut limited, mut out) = ([0; 320], [0.0; 160], [0; 160]);
    for block in signal.as_chunks::<BLOCK_SAMPLES>().0 {
        let len = codec.encode(block, &mut frame);
        assert_eq!(len, shape.bits.div_ceil(8));
        codec.decode(&frame[..len], &mut out);
        heard.extend(out.map(f64::from));
        band.pass(block, &mut limited);
        reference.extend(limited.map(f64::from));
    }
    (reference, heard)
}

/// The mean over 20 ms segments of their SNR in dB, without the silent ones.
fn segmental_snr(shape: Shape, signal: &[i16]) -> f64 {
    let (reference, heard) = through(shape, signal);
    let (mut total, mut segments) = (0.0, 0.0);
    for start in (800..heard.len()).step_by(BLOCK_SAMPLES) {
        let (mut power, mut noise) = (0.0, 0.0);
        for n in start..start + BLOCK_SAMPLES {
            power += reference[n] * reference[n];
            noise += (reference[n] - heard[n]) * (reference[n] - heard[n]);
        }
        if power > 160.0 * 100.0 {
            total += math::db(power / noise.max(1.0));
            segments += 1.0;
        }
    }
    total / segments
}

fn tone(amplitude: f64, hz: f64) -> Vec<i16> {
    let at = |n: usize| amplitude * math::sin(math::TAU * hz * n as f64 / 8000.0);
    (0..16_000).map(|n| at(n) as i16).collect()
}

fn white() -> Vec<i16> {
    let mut stream = Streams::new(1).stream("noise");
    let mut draws = stream.at(0);
    (0..16_000)
        .map(|_| (3000.0 * draws.gaussian()) as i16)
        .collect()
}

/// A gliding pitch, each period a smooth opening of 3 ms and some breath, through two formants.
fn speech() -> Vec<i16> {
    let mut stream = Streams::new(4).stream("breath");
    let mut draws = stream.at(0);
    let (mut y, mut z) = ([0.0_f64; 2], [0.0_f64; 2]);
    let mut phase = 0.0;
    (0..16_000)
        .map(|n| {
            let pitch = 110.0 + 40.0 * math::sin(f64::from(n) / 3000.0);
            phase += pitch / 8000.0;
            phase -= f64::floor(phase);
            let opening = (phase * 8000.0 / pitch / 24.0).min(1.0);
            let source = 150.0 * (1.0 - math::cos(math::TAU * opening)) + 15.0 * draws.gaussian();
            let first = source + 1.70 * y[0] - 0.90 * y[1];
            y = [first, y[0]];
            let second = first + 0.60 * z[0] - 0.80 * z[1];
            z = [second, z[0]];
            second as i16
        })
        .collect()
}

#[test]
fn quality_is_that_of_a_low_rate_waveform_coder() {
    for shape in SHAPES {
        for (name, signal, range) in [
            ("tone", tone(8000.0, 1000.0), 9.0..45.0),
            ("noise", white(), 3.5..12.0),
            ("speech", speech(), 6.0..25.0),
        ] {
            let snr = segmental_snr(shape, &signal);
            println!("{} bits, {name}: {snr:.1} dB", shape.bits);
            assert!(range.contains(&snr), "{} bits, {name}: {snr}", shape.bits);
        }
    }
}

#[test]
fn more_bits_sound_better() {
    for signal in [white(), speech()] {
        let snr = SHAPES.map(|shape| segmental_snr(shape, &signal));
        assert!(snr[0] < snr[2] && snr[1] < snr[2], "{snr:?}");
    }
}

#[test]
fn full_scale_does_not_clip() {
    let square: Vec<i16> = (0..16_000)
        .map(|n| if n / 10 % 2 == 0 { i16::MAX } else { i16::MIN })
        .collect();
    for shape in SHAPES {
        for signal in [
            tone(32_767.0, 440.0),
            tone(32_767.0, 1000.0),
            square.clone(),
        ] {
            let (_, heard) = through(shape, &signal);
            let flat = heard
                .windows(3)
                .filter(|w| w[0].abs() > 30_000.0 && w[0] == w[1] && w[1] == w[2]);
            assert_eq!(flat.count(), 0);
            let loudest = heard.iter().fold(0.0, |m: f64, y| m.max(y.abs()));
            assert!((26_000.0..32_767.0).contains(&loudest), "{loudest}");
        }
        assert!(segmental_snr(shape, &tone(32_767.0, 1000.0)) > 8.0);
    }
}

#[test]
fn silence_stays_silent_and_returns_after_sound() {
    for shape in SHAPES {
        let mut signal = tone(8000.0, 700.0);
        signal.extend([0; 16_000]);
        let (_, heard) = through(shape, &signal);
        assert!(heard[20_000..].iter().all(|&y| y == 0.0));
        let (_, heard) = through(shape, &[0; 1600]);
        assert!(heard.iter().all(|&y| y == 0.0));
    }
}

#[test]
fn a_frame_unpacks_to_what_was_packed() {
    for shape in SHAPES {
        let codec = Mock::new(shape);
        let mut stream = Streams::new(2).stream("frames");
        let mut draws = stream.at(0);
        for _ in 0..50 {
            let mut bytes = [0; MAX_FRAME_BYTES];
            let len = shape.bits.div_ceil(8);
            bytes[..len].fill_with(|| draws.bits() as u8);
            // The last byte's unused bits are written as zero.
            if shape.bits % 8 != 0 {
                bytes[len - 1] &= (1 << (shape.bits % 8)) - 1;
            }
            let mut again = [0; MAX_FRAME_BYTES];
            assert_eq!(codec.pack(&codec.unpack(&bytes[..len]), &mut again), len);
            assert_eq!(bytes, again);
        }
    }
}

#[test]
fn any_bytes_decode_to_something_bounded() {
    for shape in SHAPES {
        let mut codec = Mock::new(shape);
        let mut stream = Streams::new(3).stream("garbage");
        for k in 0..500 {
            let mut draws = stream.at(k);
            let len = draws.below(MAX_FRAME_BYTES as u64 + 1) as usize;
            let bytes: Vec<u8> = (0..len).map(|_| draws.bits() as u8).collect();
            let mut out = [0; BLOCK_SAMPLES];
            codec.decode(&bytes, &mut out);
            assert!(codec.output.iter().all(|y| y.is_finite()));
        }
    }
}

#[test]
fn the_delay_is_the_look_ahead() {
    for shape in SHAPES {
        let (reference, heard) = through(shape, &speech());
        // The reference is already delayed by the look-ahead: the codec adds nothing more.
        let correlation = |shift: isize| -> f64 {
            (2000..12_000)
                .map(|n: isize| reference[n as usize] * heard[(n + shift) as usize])
                .sum()
        };
        let best = (-20..=20).max_by(|&a, &b| correlation(a).total_cmp(&correlation(b)));
        assert_eq!(best, Some(0));
    }
}

#[test]
fn the_spare_bits_are_all_used() {
    for (shape, spare) in SHAPES.into_iter().zip([21, 41, 97]) {
        let extra = Residual::new(shape.bits).extra;
        assert_eq!(extra.len(), spare);
        assert_eq!(HEADER_BITS + BLOCK_SAMPLES + spare, shape.bits);
    }
}
