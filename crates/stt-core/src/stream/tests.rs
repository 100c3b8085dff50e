//! Through the public face of [`Streams`](super::Streams): what peers make of each other's frames.

mod abuse;
mod channel;
mod delivery;
mod flow;
mod memory;
mod order;
mod states;
