//! The STC suite: everything cryptographic that STT uses, built from vetted primitives only
//! (`docs/spec/stt-crypto.md`).
