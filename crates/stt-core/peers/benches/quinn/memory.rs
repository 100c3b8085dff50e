//! Heap memory of idle sessions, as the C library's allocator accounts for it: Rust's allocations and those of the
//! cryptographic library, with what the allocator itself adds, and the session's share of its endpoint's tables.

use stt_core_peers::{
    Settings, ours, peer,
    world::{End, Link, MS, SECOND, World},
};

use crate::{Effort, at_most, row};

/// What a session of ours is held to, bytes.
const TARGET: f64 = 8_192.0;

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn run(_: Effort) {
    // Other C libraries keep no such account.
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn run(effort: Effort) {
    let sessions = match effort {
        Effort::Trial => 3,
        Effort::Quick => 300,
        // Between two powers of two: tables are neither just full nor just doubled.
        _ => 1_500,
    };
    let settings = Settings {
        mtu: 1_200,
        window: 1 << 20,
        peer_ack_every: None,
    };
    let ours = held(ours::pair(&settings), sessions);
    let theirs = held(peer::pair(&settings), sessions);
    if effort == Effort::Trial {
        return;
    }
    for (end, ours, theirs) in [
        ("initiator", ours[0], theirs[0]),
        ("responder", ours[1], theirs[1]),
    ] {
        at_most(&format!("idle session, {end}, ours"), ours, "B", TARGET);
        row(&format!("idle session, {end}, quinn-proto"), theirs, "B");
    }
}

/// Bytes that each end gives back for each session when it goes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn held<E: End>(ends: [E; 2], sessions: usize) -> [f64; 2] {
    let mut world = World::new(ends, [Link::plain(MS); 2], 1);
    for number in 1..=sessions {
        let now = world.now;
        world.ends[0].connect(now);
        world.run_until(|ends| ends.iter().all(|end| end.confirmed() == number));
    }
    world.run_for(10 * SECOND);
    world.into_ends().map(|end| {
        let before = in_use();
        drop(end);
        before.saturating_sub(in_use()) as f64 / sessions as f64
    })
}

/// Bytes that the process has allocated.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a function of the C library")]
fn in_use() -> usize {
    // SAFETY: it only reads the allocator's own account, and this process has one thread.
    let account = unsafe { libc::mallinfo2() };
    account.uordblks + account.hblkhd
}
