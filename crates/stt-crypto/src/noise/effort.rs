//! Counts of the costly operations, so that tests can show what a handshake costs and that a
//! stranger's HELLO costs nothing.

/// What this thread has computed on the curve in handshakes.
#[cfg(any(test, feature = "testing"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effort {
    /// Ephemeral key pairs.
    pub key_generations: u64,
    /// Diffie–Hellman operations, also those that were refused.
    pub multiplications: u64,
}

#[cfg(any(test, feature = "testing"))]
std::thread_local! {
    static EFFORT: core::cell::Cell<Effort> = const {
        core::cell::Cell::new(Effort { key_generations: 0, multiplications: 0 })
    };
}

/// What this thread has computed so far. Tests take the difference.
#[cfg(any(test, feature = "testing"))]
pub fn effort() -> Effort {
    EFFORT.get()
}

#[cfg(any(test, feature = "testing"))]
fn add(change: impl FnOnce(&mut Effort)) {
    let mut effort = EFFORT.get();
    change(&mut effort);
    EFFORT.set(effort);
}

pub(super) fn count_key_generation() {
    #[cfg(any(test, feature = "testing"))]
    add(|effort| effort.key_generations += 1);
}

pub(super) fn count_multiplication() {
    #[cfg(any(test, feature = "testing"))]
    add(|effort| effort.multiplications += 1);
}
