//! The Gilbert–Elliott loss process (`docs/spec/bearers.md`, section 4).

use crate::rng::{Stream, Streams};

/// Whether an event of probability `p` happens to PDU `serial`.
///
/// A draw belongs to its stream and serial alone, so leaving out the draw of an impossible event
/// changes nothing that can be seen (`docs/spec/bearers.md`, section 3).
pub(super) fn happens(stream: &mut Stream, serial: u64, p: f64) -> bool {
    p > 0.0 && stream.at(serial).unit() < p
}

/// A two-state Markov chain that starts in the good state and steps once per PDU.
#[derive(Debug)]
pub(super) struct GilbertElliott {
    p_good_bad: f64,
    p_bad_good: f64,
    loss_good: f64,
    loss_bad: f64,
    bad: bool,
    transition: Stream,
    loss: Stream,
}

impl GilbertElliott {
    /// A chain that draws its steps from the stream `transition` and its losses from `loss`.
    pub(super) fn new(
        [p_good_bad, p_bad_good]: [f64; 2],
        [loss_good, loss_bad]: [f64; 2],
        streams: &Streams,
        [transition, loss]: [&str; 2],
    ) -> Self {
        Self {
            p_good_bad,
            p_bad_good,
            loss_good,
            loss_bad: loss_bad.min(1.0),
            bad: false,
            transition: streams.stream(transition),
            loss: streams.stream(loss),
        }
    }

    /// Other probabilities for what comes next, in the state in which the chain is.
    pub(super) fn retune(&mut self, other: Self) {
        *self = Self {
            bad: self.bad,
            ..other
        };
    }

    /// Steps the chain for this PDU, then tells whether the PDU is lost.
    pub(super) fn loses(&mut self, serial: u64) -> bool {
        let leaves = if self.bad {
            self.p_bad_good
        } else {
            self.p_good_bad
        };
        self.bad ^= happens(&mut self.transition, serial, leaves);
        let p = if self.bad {
            self.loss_bad
        } else {
            self.loss_good
        };
        happens(&mut self.loss, serial, p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PDUS: u64 = 400_000;

    fn chain(p: [f64; 2], loss: [f64; 2], seed: u64) -> Vec<bool> {
        let mut ge = GilbertElliott::new(p, loss, &Streams::new(seed), ["t", "l"]);
        (0..PDUS).map(|serial| ge.loses(serial)).collect()
    }

    /// The lengths of the runs of losses.
    fn bursts(lost: &[bool]) -> Vec<usize> {
        lost.split(|&lost| !lost)
            .map(<[bool]>::len)
            .filter(|&n| n > 0)
            .collect()
    }

    #[test]
    fn gilbert_elliott_loss_rate_agrees_with_the_stationary_law() {
        let (p, q, good, bad) = (0.01, 0.1, 0.02, 0.52);
        let share_bad = p / (p + q);
        let expected = good + share_bad * (bad - good);
        // Variance of the mean of a two-state chain: r = 1 - p - q correlates neighbours, on top of
        // the Bernoulli variance. Five standard errors: a false alarm once in 1.7 million.
        let r: f64 = 1.0 - p - q;
        let between = share_bad * (1.0 - share_bad) * (bad - good) * (bad - good);
        let variance = expected * (1.0 - expected) + between * 2.0 * r / (1.0 - r);
        let error = 5.0 * (variance / PDUS as f64).sqrt();
        for seed in 0..4 {
            let lost = chain([p, q], [good, bad], seed);
            let rate = lost.iter().filter(|&&l| l).count() as f64 / PDUS as f64;
            assert!(
                (rate - expected).abs() < error,
                "{rate} vs {expected} ± {error}"
            );
        }
    }

    #[test]
    fn gilbert_elliott_burst_lengths_are_geometric_when_bad_loses_all() {
        // Every PDU of the bad state is lost and none of the good: a burst is a visit to the bad
        // state, geometric with mean 1/q.
        let q = 0.25;
        let lengths = bursts(&chain([0.02, q], [0.0, 1.0], 5));
        let n = lengths.len() as f64;
        assert!(n > 5000.0, "{n} bursts");
        // Chi-squared over the lengths 1..=12 and "more": 12 degrees of freedom, 99.99 % at 39.1.
        let mut survive = 1.0;
        let mut chi = 0.0;
        for length in 1..=12 {
            let expected = n * survive * q;
            let seen = lengths.iter().filter(|&&l| l == length).count() as f64;
            chi += (seen - expected) * (seen - expected) / expected;
            survive *= 1.0 - q;
        }
        let rest = lengths.iter().filter(|&&l| l > 12).count() as f64;
        chi += (rest - n * survive) * (rest - n * survive) / (n * survive);
        assert!(chi < 39.1, "chi-squared {chi}");
    }

    #[test]
    fn independent_loss_without_a_bad_state() {
        let lost = chain([0.0, 0.0], [0.05, 0.35], 3);
        let rate = lost.iter().filter(|&&l| l).count() as f64 / PDUS as f64;
        assert!((rate - 0.05).abs() < 5.0 * (0.05 * 0.95 / PDUS as f64).sqrt());
        // Bursts of independent losses: mean length 1 / (1 - p).
        let lengths = bursts(&lost);
        let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
        assert!((mean - 1.0 / 0.95).abs() < 0.02, "{mean}");
    }

    #[test]
    fn the_transition_comes_before_the_loss_draw() {
        // p = 1, q = 0: the first PDU already sees the bad state.
        let mut ge = GilbertElliott::new([1.0, 0.0], [0.0, 1.0], &Streams::new(0), ["t", "l"]);
        assert!(ge.loses(0) && ge.loses(1));
    }

    #[test]
    fn loss_in_the_bad_state_is_clamped_to_certainty() {
        let mut ge = GilbertElliott::new([1.0, 0.0], [0.9, 1.2], &Streams::new(0), ["t", "l"]);
        assert!((0..1000).all(|serial| ge.loses(serial)));
    }
}
