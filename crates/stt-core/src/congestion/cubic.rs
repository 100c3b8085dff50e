use core::time::Duration;

use super::{
    Acked, Controller, Loss, minimum_window,
    new_reno::{grow_slowly, was_used},
};
use crate::Timestamp;

/// RFC 9438, in integers: sizes in bytes, times in microseconds.
#[derive(Debug)]
pub(super) struct Cubic {
    mtu: u16,
    state: State,
    /// The state before the last congestion event (RFC 9438 §4.9).
    before: Option<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    window: u64,
    /// Slow start up to here.
    threshold: u64,
    /// W_max: where the last congestion event happened.
    w_max: u64,
    /// W_est: what Reno would have by now.
    w_est: u64,
    /// The window at the last congestion event, where Reno's growth turns from alpha to 1.
    w_prior: u64,
    epoch: Option<Epoch>,
    /// Remainders of the growth of the window and of W_est, below one byte.
    window_rest: u128,
    estimate_rest: u128,
}

#[derive(Clone, Copy, Debug)]
struct Epoch {
    start: Timestamp,
    /// K, microseconds.
    k: u64,
    /// When the window was last in use; time out of use doesn't count (RFC 9438 §5.8).
    last_used: Timestamp,
}

impl Cubic {
    pub(super) const fn new(mtu: u16, window: u64) -> Self {
        Self {
            mtu,
            state: State {
                window,
                threshold: u64::MAX,
                w_max: 0,
                w_est: 0,
                w_prior: 0,
                epoch: None,
                window_rest: 0,
                estimate_rest: 0,
            },
            before: None,
        }
    }

    fn avoid(&mut self, ack: &Acked<'_>, acked: u64) {
        let mtu = u64::from(self.mtu);
        let state = &mut self.state;
        let epoch = state.epoch.get_or_insert_with(|| {
            state.w_est = state.window;
            state.w_max = state.w_max.max(state.window);
            Epoch {
                start: ack.now,
                k: k(state.w_max - state.window, mtu),
                last_used: ack.now,
            }
        });
        // RFC 9438 §4.2: where the curve will be one round trip from now.
        let elapsed = ack.now.saturating_since(epoch.start);
        let here = curve(elapsed, epoch.k, state.w_max, mtu);
        let target = curve(elapsed + ack.rtt.smoothed(), epoch.k, state.w_max, mtu)
            .clamp(state.window, state.window.saturating_add(state.window / 2));
        epoch.last_used = ack.now;

        // RFC 9438 §4.3: alpha = 3·(1 − β)/(1 + β) = 9/17 until the window of the event is reached.
        let (up, down) = if state.w_est < state.w_prior {
            (9, 17)
        } else {
            (1, 1)
        };
        state.estimate_rest += u128::from(acked) * u128::from(mtu) * up;
        let divisor = u128::from(state.window) * down;
        state.w_est += whole(&mut state.estimate_rest, divisor);

        if state.w_est > here {
            state.window = state.window.max(state.w_est);
            state.window_rest = 0;
        } else {
            state.window_rest += u128::from(target - state.window) * u128::from(acked);
            let divisor = u128::from(state.window);
            state.window += whole(&mut state.window_rest, divisor);
        }
    }
}

impl Controller for Cubic {
    fn on_ack(&mut self, ack: &Acked<'_>) {
        if !was_used(self.state.window, self.is_slow_start(), self.mtu, ack.peak) {
            // The curve stands still while the window isn't used.
            if let Some(epoch) = &mut self.state.epoch {
                epoch.start += ack.now.saturating_since(epoch.last_used);
                epoch.last_used = ack.now;
            }
            return;
        }
        let left = grow_slowly(&mut self.state.window, self.state.threshold, ack.fresh);
        if left > 0 {
            self.avoid(ack, left);
        }
    }

    fn on_loss(&mut self, loss: &Loss) {
        if loss.event {
            self.before = Some(self.state);
            let state = &mut self.state;
            // Fast convergence (RFC 9438 §4.7): leave room for others by (1 + β)/2.
            state.w_max = if state.window < state.w_max {
                part(state.window, 17, 20)
            } else {
                state.window
            };
            state.w_prior = state.window;
            let held = held(state.window, self.mtu, loss.flight);
            state.window = part(held, 7, 10).max(minimum_window(self.mtu));
            state.threshold = state.window;
            state.epoch = None;
            state.window_rest = 0;
            state.estimate_rest = 0;
        }
        if loss.persistent {
            self.before = None;
            self.state.window = minimum_window(self.mtu);
            self.state.epoch = None;
            // The next avoidance starts from its own window: W_max = cwnd, K = 0 (RFC 9438 §4.8).
            self.state.w_max = 0;
        }
    }

    fn on_spurious(&mut self) {
        if let Some(before) = self.before.take()
            && before.window >= self.state.window
        {
            self.state = before;
        }
    }

    fn on_mtu(&mut self, mtu: u16) {
        self.mtu = mtu;
        self.state.window = self.state.window.max(minimum_window(mtu));
    }

    fn window(&self) -> u64 {
        self.state.window
    }

    fn is_slow_start(&self) -> bool {
        self.state.window < self.state.threshold
    }
}

/// What the path held when it lost something (RFC 9438 §4.6): what was in flight, or `window`, if
/// that wasn't in use. It doesn't grow then either, so it is still what the path once carried.
fn held(window: u64, mtu: u16, flight: u64) -> u64 {
    if was_used(window, false, mtu, flight) {
        window.min(flight)
    } else {
        window
    }
}

fn part(value: u64, numerator: u64, denominator: u64) -> u64 {
    let part = u128::from(value) * u128::from(numerator) / u128::from(denominator);
    u64::try_from(part).unwrap_or(value)
}

/// Takes the whole multiples of `divisor` out of `rest`.
fn whole(rest: &mut u128, divisor: u128) -> u64 {
    let divisor = divisor.max(1);
    let whole = *rest / divisor;
    *rest %= divisor;
    u64::try_from(whole).unwrap_or(u64::MAX)
}

/// K = ∛((W_max − cwnd) / (C · mtu)) in microseconds, C = 0.4 (RFC 9438 §4.2).
fn k(deficit: u64, mtu: u64) -> u64 {
    // (10^6)³ / 0.4; the deficit is below 2^64 bytes, so this is below 2^125 at any mtu.
    let cube = u128::from(deficit) * 2_500_000_000_000_000_000 / u128::from(mtu.max(1));
    cube_root(cube)
}

/// W_cubic(t) = C·(t − K)³ + W_max, bytes (RFC 9438 §4.2).
fn curve(elapsed: Duration, k: u64, w_max: u64, mtu: u64) -> u64 {
    let elapsed = i128::try_from(elapsed.as_micros()).unwrap_or(i128::MAX / 2);
    // 1,000 s from the turning point the curve is beyond any window: 4·10^8 packets.
    let offset = (elapsed - i128::from(k)).clamp(-1_000_000_000, 1_000_000_000);
    let rise = offset * offset * offset / 1_000_000 * 2 * i128::from(mtu) / 5_000_000_000_000;
    let window = (i128::from(w_max) + rise).max(0);
    u64::try_from(window).unwrap_or(u64::MAX)
}

/// The largest number whose cube is at most `value`, by Newton's method in integers.
fn cube_root(value: u128) -> u64 {
    if value == 0 {
        return 0;
    }
    // From above, each step falls until the root is reached.
    let bits = 128 - value.leading_zeros();
    let mut root = 1u128 << bits.div_ceil(3);
    loop {
        let next = (2 * root + value / (root * root)) / 3;
        if next >= root {
            return u64::try_from(root).unwrap_or(u64::MAX);
        }
        root = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RttEstimator;

    #[test]
    fn cube_root_is_the_floor() {
        for root in [1u128, 2, 3, 10, 999, 65_537, 1 << 40, (1 << 42) + 12_345] {
            let cube = root * root * root;
            assert_eq!(u128::from(cube_root(cube)), root);
            assert_eq!(u128::from(cube_root(cube - 1)), root - 1);
            assert_eq!(u128::from(cube_root(cube + 1)), root);
        }
        assert_eq!(cube_root(0), 0);
        assert!(cube_root(u128::MAX) > 0);
    }

    #[test]
    fn curve_passes_through_its_points() {
        let mtu = 1_000;
        let w_max = 100 * mtu;
        let reduced = part(w_max, 7, 10);
        let k = k(w_max - reduced, mtu);
        // ∛(30 / 0.4) = 4.217163… s
        assert_eq!(k, 4_217_163);
        let at = |micros| curve(Duration::from_micros(micros), k, w_max, mtu);
        assert!(at(0).abs_diff(reduced) <= 1, "{}", at(0));
        assert_eq!(at(k), w_max);
        // 1 s and 10 s past K: 0.4 and 400 packets above.
        assert_eq!(at(k + 1_000_000), w_max + 400);
        assert_eq!(at(k + 10_000_000), w_max + 400_000);
        assert!(at(u64::MAX) >= w_max + 400_000_000 * 1_000);
    }

    /// RFC 9438 §4.8.
    #[test]
    fn after_persistent_congestion_the_curve_starts_where_avoidance_does() {
        let mut rtt = RttEstimator::new(Duration::from_millis(100));
        rtt.update(Duration::from_millis(100), Duration::ZERO);
        let mut cubic = Cubic::new(1_000, 1_000_000);
        cubic.on_loss(&Loss {
            bytes: 1_000,
            flight: 1_000_000,
            rtt: rtt.latest(),
            event: true,
            persistent: true,
        });
        assert_eq!(cubic.window(), 2_000);
        cubic.on_ack(&Acked {
            now: Timestamp::from_millis(100),
            bytes: 699_000,
            fresh: 699_000,
            before: 699_000,
            in_flight: 0,
            peak: u64::MAX,
            rtt: &rtt,
            round: true,
            sample: None,
        });
        let State { epoch, w_max, .. } = cubic.state;
        assert_eq!((w_max, epoch.map(|epoch| epoch.k)), (700_000, Some(0)));
    }

    /// RFC 9438 §4.6.
    #[test]
    fn a_window_in_use_is_reduced_from_what_was_in_flight() {
        let reduced = |flight| {
            let mut cubic = Cubic::new(1_000, 10_000);
            cubic.on_loss(&Loss {
                bytes: 1_000,
                flight,
                rtt: Duration::from_millis(100),
                event: true,
                persistent: false,
            });
            (cubic.window(), cubic.state.w_max)
        };
        assert_eq!(reduced(9_000), (6_300, 10_000));
        // The last packet's acknowledgement may tell of more than the window allowed by now.
        assert_eq!(reduced(12_000), (7_000, 10_000));
        // A lone request: that is no reason to forget what the path carries.
        assert_eq!(reduced(1_000), (7_000, 10_000));
    }

    /// RFC 9438 §4.2: after a loss the window is back where it was after K, and follows the curve
    /// from there.
    #[test]
    fn window_follows_the_curve() {
        let (mtu, w_max) = (1_000, 1_000_000);
        let mut cubic = Cubic::new(mtu, w_max);
        let mut rtt = RttEstimator::new(Duration::from_millis(100));
        rtt.update(Duration::from_millis(100), Duration::ZERO);
        cubic.on_loss(&Loss {
            bytes: 1_000,
            flight: w_max,
            rtt: rtt.latest(),
            event: true,
            persistent: false,
        });
        assert_eq!(cubic.window(), w_max * 7 / 10);
        // ∛(300 / 0.4) s.
        let k = k(w_max * 3 / 10, u64::from(mtu));
        assert_eq!(k, 9_085_602);
        for round in 0..200u64 {
            let window = cubic.window();
            for step in 0..10 {
                cubic.on_ack(&Acked {
                    now: Timestamp::from_millis(round * 100 + step * 10),
                    bytes: window / 10,
                    fresh: window / 10,
                    before: window,
                    in_flight: window,
                    peak: cubic.window(),
                    rtt: &rtt,
                    round: step == 0,
                    sample: None,
                });
            }
            let elapsed = Duration::from_millis(round * 100 + 90);
            let curve = curve(elapsed, k, w_max, u64::from(mtu));
            // Each round trip closes 1 - 1/e of the gap (§4.4): the steep start lags a little.
            let off = cubic.window().abs_diff(curve);
            assert!(
                off * 100 <= 5 * curve,
                "{} against {curve} at {elapsed:?}",
                cubic.window()
            );
        }
    }
}
