//! Holds the differential test and the benchmark of `st-protocol`; see `tests/` and `benches/`.
