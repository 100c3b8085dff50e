//! Holds the tests of `stt-core` that count allocations; see `tests/`.
