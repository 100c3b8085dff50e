//! The node beside its peers: see `benches`.
