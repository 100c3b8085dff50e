//! Every label of the suite: what keeps two uses of one secret apart
//! (`docs/spec/stt-crypto.md`, 1.2).

/// Salt under which a seed becomes a root (3.2).
pub(crate) const ROOT: &[u8] = b"stc root v1";
/// Salt of Argon2id for short seeds (3.2).
pub(crate) const SHORT_SEED: &[u8] = b"stc short seed 1";

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $label:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: &[u8] = $label;)*

        #[cfg(test)]
        const ALL: &[&[u8]] = &[$($name),*];
    };
}

labels! {
    /// Key of `hash_data` (5).
    HASH = b"stc hash";
    /// Session keys of the documented interface (6.1).
    SESSION = b"stc session";
    /// The key after one of these (6.2).
    ROTATE = b"stc rotate";
    /// Key of frames (7.1).
    FRAME = b"stc frame";
    /// Context key of a stream (8.1).
    STREAM = b"stc stream";
    /// Key of one encoder's segments (8.2).
    SEGMENT = b"stc segment";
    /// X25519 private key of a node (4.1).
    NODE = b"stc node";
    /// What the keys of a content-addressed store come from (`stt-store.md`, 1.1).
    STORAGE = b"stc storage";
    /// Names of manifests.
    STORE_INDEX = b"stc store index";
    /// What the keys of manifests come from.
    STORE_MANIFEST = b"stc store manifest";
    /// What the keys of objects come from.
    STORE_OBJECT = b"stc store object";
    /// The key of one manifest or object (`stt-store.md`, 1.2).
    STORE_CHUNKS = b"stc store chunks";
    /// What the keys of a chamber come from (`stt-store.md`, 1.1).
    CHAMBER = b"stc chamber";
    /// Slots of a chamber.
    CHAMBER_NAME = b"stc chamber name";
    /// Seals the values of a chamber.
    CHAMBER_VALUE = b"stc chamber value";
    /// The Noise psk (9.1).
    PSK = b"stt psk";
    /// Seals COOKIE packets (12.2).
    COOKIE = b"stt cookie";
    /// Key of stateless-reset tokens (13).
    RESET = b"stt reset";
    /// Exporter of a session (10.1).
    EXPORTER = b"stt exp";
    /// The session key that users see (10.1).
    SESSION_KEY = b"stt session key";
    /// The session id that users see (10.1).
    SESSION_ID = b"stt session id";
    /// What a later session resumes from (10.1).
    RESUMPTION = b"stt resumption";
    /// Exports under labels of the user (10.1).
    EXPORT = b"stt export";
    /// The psk of a resumed session (10.2).
    RESUME = b"stt resume";
    /// AEAD key of packets (11.1).
    KEY = b"stt key";
    /// AEAD iv of packets (11.1).
    IV = b"stt iv";
    /// Header-protection key (11.1).
    HEADER = b"stt hp";
    /// The next traffic secret (11.4).
    UPDATE = b"stt ku";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_is_used_twice_and_all_fit_their_length_byte() {
        for (i, label) in ALL.iter().enumerate() {
            assert!(
                label.len() < 256 && (label.starts_with(b"stt ") || label.starts_with(b"stc "))
            );
            assert!(!ALL[..i].contains(label), "{label:?}");
        }
    }
}
