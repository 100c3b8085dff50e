//! Through the public face of [`Streams`](super::Streams): what peers make of each other's frames.

mod channel;
mod delivery;
