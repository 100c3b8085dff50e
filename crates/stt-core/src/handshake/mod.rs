//! From HELLO to two sets of keys (`docs/spec/stt-handshake.md`).
//!
//! | to | use |
//! |---|---|
//! | shake hands by hand | [`SttHandshake`] |
//! | say who a node is | [`Credentials`], [`Terms`], [`Ticket`] |
//! | read single packets, in tools | [`Hello`], [`Response`], [`CookiePacket`], [`Versions`] |

mod cookie;
mod credentials;
mod envelope;
mod error;
mod hello;
mod initiator;
mod responder;
mod response;
mod terms;
#[cfg(test)]
mod tests;
mod ticket;
#[cfg(test)]
mod vectors;
mod versions;
mod wrapper;

pub use cookie::CookiePacket;
pub use credentials::{Credentials, TooManySeeds};
pub use envelope::{EnvelopeError, Icid, SPOKEN, Suite, VERSION};
pub use error::{Refusal, ResponseError};
pub use hello::{Hello, HelloError};
pub use response::Response;
pub use terms::Terms;
pub use ticket::Ticket;
pub use versions::Versions;
pub use wrapper::{HandshakeError, SttHandshake};

pub(crate) use envelope::{Kind, NEW_ICID_LEN};
pub(crate) use initiator::Attempt;
pub(crate) use responder::Heard;
pub(crate) use response::answered;
pub(crate) use terms::Agreed;
