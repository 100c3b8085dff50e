//! Keys from the seed and the adapters (`docs/spec/keys.md`, section 2).

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{decode::Private, spec::normal_form};
use crate::{scenario::KeyKind, side::Side};

/// HKDF's salt: domain separation and version.
const SALT: &[u8] = b"drybox keys v1";

pub(super) fn private(seed: u64, specs: [&str; 2], kind: KeyKind, side: Side) -> Private {
    let mut material = Zeroizing::new(seed.to_le_bytes().to_vec());
    for spec in specs.map(normal_form) {
        material.extend_from_slice(&(spec.len() as u64).to_le_bytes());
        material.extend_from_slice(spec.as_bytes());
    }
    let info = format!("{} {}", kind.name(), side.letter());
    let mut key = Private::default();
    Hkdf::<Sha256>::new(Some(SALT), &material)
        .expand(info.as_bytes(), key.as_mut())
        .expect("HKDF-SHA256 gives up to 8,160 bytes, 32 are asked for");
    key
}
