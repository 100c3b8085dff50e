//! STT's commands as people run them: real processes, real sockets on loopback
//! (`docs/spec/stt-commands.md`).

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod hostile;
mod keys;
mod pipes;
mod storage;
mod support;
mod through_proxy;
mod transfers;
