//! Every type that holds a secret, and what may be derived from each
//! (`docs/spec/stt-crypto.md`, sections 3 to 13).
//!
//! They are wiped when they go, print as their name only, are not cloned, and compare in constant
//! time where they compare at all. What compiles:
//!
//! ```
//! let key = stt_crypto::secret::Secret::new([0; 32]);
//! assert_eq!(format!("{key:?}"), "Secret<32>(..)");
//! assert!(key == stt_crypto::secret::Secret::new([0; 32])); // in constant time
//! let seed = stt_crypto::secret::Seed::new(&[7; 32])?;
//! let psk = seed.psk();
//! # Ok::<(), stt_crypto::secret::EmptySeed>(())
//! ```
//!
//! What doesn't:
//!
//! ```compile_fail,E0277
//! // No `Display`; `Debug` shows nothing.
//! println!("{}", stt_crypto::secret::Secret::new([0; 32]));
//! ```
//! ```compile_fail,E0599
//! let key = stt_crypto::secret::Secret::new([0; 32]);
//! let copy = key.clone();
//! ```
//! ```compile_fail,E0599
//! let seed = stt_crypto::secret::Seed::new(&[7; 32]).unwrap();
//! let copy = seed.clone();
//! ```
//! ```compile_fail,E0599
//! let seed = stt_crypto::secret::Seed::new(&[7; 32]).unwrap();
//! let copy = seed.psk().clone();
//! ```
//! ```compile_fail,E0369
//! let seed = stt_crypto::secret::Seed::new(&[7; 32]).unwrap();
//! assert!(seed.psk() == seed.psk());
//! ```
//! ```compile_fail,E0616
//! let key = stt_crypto::secret::Secret::new([0; 32]);
//! let bytes = key.0;
//! ```

mod bytes;
mod endpoint;
mod exporter;
mod node_key;
mod psk;
mod seed;
mod storage;
mod stream;
#[cfg(test)]
mod tests;
mod traffic;
mod variable;

pub use bytes::{Key32, Secret, WrongLength};
pub use endpoint::{CookieKey, ResetKey, ResetToken};
pub use exporter::{Exporter, LabelTooLong};
pub use node_key::NodeKey;
pub use psk::Psk;
pub use seed::{EmptySeed, MIN_SEED_LEN, Seed};
pub use storage::{ChamberKey, StorageKey};
pub use stream::StreamContext;
pub use traffic::TrafficSecret;
pub use variable::SecretBytes;
