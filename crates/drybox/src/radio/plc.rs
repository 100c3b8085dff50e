//! Concealment of missing blocks (`docs/spec/radio.md`, section 11).

use super::{Block, SILENCE};

/// How often the last good block is repeated unchanged: 60 ms.
const HOLD_BLOCKS: u32 = 3;

/// Fills the place of blocks that did not come.
#[derive(Debug)]
pub(crate) struct Concealment {
    /// The last good block, halved as often as it was attenuated.
    last: Block,
    missing: u32,
}

impl Concealment {
    /// Before anything good has come, there is only silence to repeat.
    pub(crate) const fn new() -> Self {
        Self {
            last: SILENCE,
            missing: 0,
        }
    }

    /// Remembers a good block.
    pub(crate) const fn good(&mut self, block: &Block) {
        self.last = *block;
        self.missing = 0;
    }

    /// The block to play in place of a missing one.
    pub(crate) fn conceal(&mut self, out: &mut Block) {
        self.missing = self.missing.saturating_add(1);
        if self.missing > HOLD_BLOCKS {
            for sample in &mut self.last {
                // Towards zero, so that the tail ends in silence.
                *sample /= 2;
            }
        }
        *out = self.last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_three_times_then_halves_until_silent() {
        let mut plc = Concealment::new();
        let mut out = [1; 160];
        plc.conceal(&mut out);
        assert_eq!(out, SILENCE);

        plc.good(&[-1000; 160]);
        let mut heard = Vec::new();
        for _ in 0..14 {
            plc.conceal(&mut out);
            assert!(out.iter().all(|&s| s == out[0]));
            heard.push(out[0]);
        }
        assert_eq!(
            heard,
            [
                -1000, -1000, -1000, -500, -250, -125, -62, -31, -15, -7, -3, -1, 0, 0
            ]
        );

        plc.good(&[40; 160]);
        plc.conceal(&mut out);
        assert_eq!(out, [40; 160]);
    }
}
