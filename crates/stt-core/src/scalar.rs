use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use stt_crypto::secret::Key32;

/// Draws an ephemeral scalar. The generator starts anew behind it, from 32 bytes of its own: whoever reads its memory
/// later can't draw the scalar again, and what was said in sessions that are over stays secret
/// (`docs/spec/stt-handshake.md` §14.6).
pub(crate) fn draw(rng: &mut ChaCha20Rng) -> Key32 {
    let mut scalar = [0; 32];
    rng.fill_bytes(&mut scalar);
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    *rng = ChaCha20Rng::from_seed(seed);
    Key32::new(scalar)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `scalar` is among the first that a generator with this seed draws.
    fn draws(seed: [u8; 32], scalar: &Key32) -> bool {
        let mut rng = ChaCha20Rng::from_seed(seed);
        (0..1_000).any(|_| {
            let mut drawn = [0; 32];
            rng.fill_bytes(&mut drawn);
            drawn == *scalar.expose()
        })
    }

    #[test]
    fn no_scalar_is_drawn_again_from_what_is_left() {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let mut seeds = vec![rng.get_seed()];
        let mut scalars = Vec::new();
        for _ in 0..3 {
            scalars.push(draw(&mut rng));
            seeds.push(rng.get_seed());
        }
        for (number, scalar) in scalars.iter().enumerate() {
            assert!(draws(seeds[number], scalar), "as it was before");
            assert!(seeds[number + 1..].iter().all(|seed| !draws(*seed, scalar)));
        }
    }
}
