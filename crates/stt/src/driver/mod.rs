//! What turns the endpoint: shared state, the task of each socket, and what wakes whom
//! (`docs/spec/stt-node.md` section 3).

mod busy_poll;
mod entry;
mod events;
mod flush;
mod shared;
mod sockets;
mod state;
mod task;
mod wakes;
mod watch;

pub(crate) use entry::{Entry, Outcome, Sending};
pub(crate) use shared::Shared;
pub(crate) use state::{Phase, State};
pub(crate) use task::run;
pub(crate) use wakes::{Signal, Wakes};
pub(crate) use watch::Linger;
