//! Values as bytes, canonical: equal values have equal bytes (`docs/spec/stt-value.md`).
//!
//! ```
//! use stt_core::value::{Value, deserialize, serialize};
//!
//! let value = Value::dict([("num", Value::from(42)), ("key", "value".into())]);
//! let bytes = serialize(&value)?;
//! assert_eq!(deserialize(&bytes)?, value);
//! # Ok::<(), stt_core::value::ValueError>(())
//! ```
//!
//! [`Reader`] gives the same without allocating, and [`to_vec`] and [`from_slice`] are for types
//! that implement serde's traits.

mod bridge;
mod de;
mod decode;
mod dict;
mod encode;
mod error;
mod reader;
mod ser;
mod tag;
mod tree;

pub use de::{Deserializer, from_slice};
pub use decode::deserialize;
pub use dict::Dict;
pub(crate) use encode::unsigned;
pub use encode::{encoded_len, serialize};
pub use error::{SerdeError, ValueError, ValueErrorKind};
pub use reader::{Reader, Token};
pub use ser::{Compound, Serializer, to_vec};
pub use tree::Value;

/// How deep lists and dicts may nest (§3.1).
pub const MAX_DEPTH: usize = 64;

#[cfg(test)]
mod tests;
