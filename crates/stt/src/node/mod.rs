//! Nodes (`docs/spec/stt-node.md` section 1).

mod builder;
mod connect;
mod environment;
mod event;
mod handle;
mod run;
mod stats;
mod tickets;
mod ws;

pub use builder::Builder;
pub use connect::ConnectOptions;
pub use environment::SystemEnvironment;
pub use event::{NodeEvent, PathAddress};
pub use handle::Node;
pub(crate) use run::resolve;
pub use stats::NodeStats;
pub(crate) use tickets::Tickets;
pub use ws::WsConnectOptions;
