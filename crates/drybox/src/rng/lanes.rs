//! The first draws of neighbouring serials, computed side by side
//! (`docs/spec/determinism.md`, section 1.3).
//!
//! Most decisions about a PDU take one draw, at serials that count up. A generator that is sent to
//! each of them computes four blocks to give eight bytes; here vectors hold the same word of
//! sixteen serials' first blocks.

/// Serials computed at once: fewer are not vectorised.
pub(super) const LANES: usize = 16;

/// One word of the state at each serial.
type Word = [u32; LANES];

/// "expand 32-byte k".
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// The first 64 bits of ChaCha8's key stream at the serials from `first` on.
pub(super) fn first_draws(key: &[u32; 8], first: u64) -> [u64; LANES] {
    let mut x = [[0; LANES]; 16];
    for (word, constant) in x.iter_mut().zip(CONSTANTS) {
        *word = [constant; LANES];
    }
    for (word, &key) in x[4..12].iter_mut().zip(key) {
        *word = [key; LANES];
    }
    // Words 12 and 13 count blocks: 0.
    let serials: [u64; LANES] = std::array::from_fn(|lane| first.wrapping_add(lane as u64));
    x[14] = serials.map(|serial| serial as u32);
    x[15] = serials.map(|serial| (serial >> 32) as u32);
    for _ in 0..4 {
        for column in 0..4 {
            quarter_round(&mut x, [column, column + 4, column + 8, column + 12]);
        }
        for column in 0..4 {
            let diagonal = |row: usize| 4 * row + (column + row) % 4;
            quarter_round(&mut x, [0, 1, 2, 3].map(diagonal));
        }
    }
    std::array::from_fn(|lane| {
        let low = x[0][lane].wrapping_add(CONSTANTS[0]);
        let high = x[1][lane].wrapping_add(CONSTANTS[1]);
        u64::from(low) | u64::from(high) << 32
    })
}

/// A quarter round at every serial.
#[inline]
fn quarter_round(x: &mut [Word; 16], rows: [usize; 4]) {
    let [a, b, c, d] = x.get_disjoint_mut(rows).expect("four different rows of 16");
    // One loop over the lanes: this is what is vectorised.
    for lane in 0..LANES {
        let (mut p, mut q, mut r, mut s) = (a[lane], b[lane], c[lane], d[lane]);
        p = p.wrapping_add(q);
        s = (s ^ p).rotate_left(16);
        r = r.wrapping_add(s);
        q = (q ^ r).rotate_left(12);
        p = p.wrapping_add(q);
        s = (s ^ p).rotate_left(8);
        r = r.wrapping_add(s);
        q = (q ^ r).rotate_left(7);
        (a[lane], b[lane], c[lane], d[lane]) = (p, q, r, s);
    }
}
