use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// The session's random numbers: a cryptographic generator's, of which a session keeps the seed and the place alone,
/// since it draws one in a thousand packets or so and the generator holds 256 bytes ready.
pub(super) struct Luck {
    seed: [u8; 32],
    /// Words of the generator that were drawn.
    drawn: u128,
}

impl Luck {
    pub(super) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(super) fn next_u32(&mut self) -> u32 {
        self.with(|rng| rng.next_u32())
    }

    pub(super) fn next_u64(&mut self) -> u64 {
        self.with(|rng| rng.next_u64())
    }

    pub(super) fn bytes(&mut self) -> [u8; 8] {
        let mut bytes = [0; 8];
        self.with(|rng| rng.fill_bytes(&mut bytes));
        bytes
    }

    fn with<T>(&mut self, draw: impl FnOnce(&mut ChaCha20Rng) -> T) -> T {
        let mut rng = ChaCha20Rng::from_seed(self.seed);
        rng.set_word_pos(self.drawn);
        let drawn = draw(&mut rng);
        self.drawn = rng.get_word_pos();
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_what_one_generator_would() {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let mut luck = Luck::new([7; 32]);
        for _ in 0..100 {
            assert_eq!(luck.next_u32(), rng.next_u32());
            assert_eq!(luck.next_u64(), rng.next_u64());
            let mut bytes = [0; 8];
            rng.fill_bytes(&mut bytes);
            assert_eq!(luck.bytes(), bytes);
        }
    }
}
