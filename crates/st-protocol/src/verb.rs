//! The verbs: control characters as operations (spec 3).

use core::fmt;

use crate::{AuthLevel, VerbError};

/// Says each verb once: variant, byte, ASCII mnemonic, name, level for a local and for a remote peer, meaning.
macro_rules! verbs {
    ($($variant:ident = $byte:literal, $mnemonic:literal, $name:literal, $level:ident, $remote:ident, $doc:literal;)*) => {
        /// What a frame asks for or answers: its first byte (spec 3.1).
        ///
        /// `0x1B` ESCAPE is in the map ([`VERB_MAP`]) and is no `Verb`: no frame can bear it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Verb {
            $(#[doc = $doc] $variant = $byte,)*
        }

        impl Verb {
            /// Every verb, by byte.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The verb with this byte, or `None`. [`TryFrom`] says why not.
            #[inline]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name in the map, `"SCAN"`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The name of the control character, `"SOH"`.
            pub const fn mnemonic(self) -> &'static str {
                match self { $(Self::$variant => $mnemonic,)* }
            }

            /// The level that a request with this verb needs from a peer on this machine (spec 6.1).
            ///
            /// AUTH_START is 0, since the verb inside its block decides. BACK also needs at least the level of what it undoes,
            /// which only the daemon knows.
            pub const fn level(self) -> AuthLevel {
                match self { $(Self::$variant => AuthLevel::$level,)* }
            }

            /// The level that it needs from a peer elsewhere: one more for RECALL and M8_WAVE, which tell what is remembered.
            pub const fn remote_level(self) -> AuthLevel {
                match self { $(Self::$variant => AuthLevel::$remote,)* }
            }
        }
    };
}

verbs! {
    Scan = 0x01, "SOH", "SCAN", None, None, "SOH: list a directory tree.";
    Format = 0x02, "STX", "FORMAT", Session, Session, "STX: put what was scanned into a form.";
    Search = 0x03, "ETX", "SEARCH", None, None, "ETX: look for a pattern.";
    EndStream = 0x04, "EOT", "END_STREAM", Session, Session, "EOT: end a stream.";
    Ping = 0x05, "ENQ", "PING", None, None, "ENQ: ask for a sign of life.";
    Ok = 0x06, "ACK", "OK", None, None, "ACK: yes, or the answer.";
    Alert = 0x07, "BEL", "ALERT", None, None, "BEL: something happened.";
    Back = 0x08, "BS", "BACK", Session, Session, "BS: undo.";
    Context = 0x09, "HT", "CONTEXT", None, None, "HT: ask for context.";
    Next = 0x0A, "LF", "NEXT", None, None, "LF: the next item.";
    Stats = 0x0B, "VT", "STATS", None, None, "VT: ask for statistics.";
    Clear = 0x0C, "FF", "CLEAR", Fido, Fido, "FF: reset, which deletes.";
    Complete = 0x0D, "CR", "COMPLETE", Session, Session, "CR: commit.";
    AuthStart = 0x0E, "SO", "AUTH_START", None, None, "SO: a protected request; the payload is an [`AuthBlock`](crate::AuthBlock).";
    AuthEnd = 0x0F, "SI", "AUTH_END", FidoPin, FidoPin, "SI: the mark inside an auth block; never a request.";
    Audio = 0x10, "DLE", "AUDIO", Session, Session, "DLE: audio data (an extension in use in the field).";
    Permit = 0x11, "DC1", "PERMIT", FidoPin, FidoPin, "DC1: permit access.";
    Deny = 0x12, "DC2", "DENY", FidoPin, FidoPin, "DC2: deny access.";
    Elevate = 0x13, "DC3", "ELEVATE", Session, Session, "DC3: prove a higher level.";
    Audit = 0x14, "DC4", "AUDIT", FidoPin, FidoPin, "DC4: read the audit log.";
    Error = 0x15, "NAK", "ERROR", None, None, "NAK: no, and why.";
    Subscribe = 0x16, "SYN", "SUBSCRIBE", Session, Session, "SYN: watch for changes.";
    Unsubscribe = 0x17, "ETB", "UNSUBSCRIBE", Session, Session, "ETB: stop watching.";
    Cancel = 0x18, "CAN", "CANCEL", Session, Session, "CAN: stop a running request.";
    M8Wave = 0x19, "EM", "M8_WAVE", None, Session, "EM: statistics of the memory.";
    Remember = 0x1A, "SUB", "REMEMBER", Session, Session, "SUB: store a memory.";
    Recall = 0x1C, "FS", "RECALL", None, Session, "FS: find memories.";
    Forget = 0x1D, "GS", "FORGET", Fido, Fido, "GS: delete a memory.";
    Session = 0x1E, "RS", "SESSION", None, None, "RS: open a session.";
    User = 0x1F, "US", "USER", Session, Session, "US: say who is asking.";
}

impl Verb {
    /// The byte on the wire.
    #[inline]
    pub const fn as_byte(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl TryFrom<u8> for Verb {
    type Error = VerbError;

    /// # Errors
    /// Why the byte is no verb (spec 3.2).
    fn try_from(byte: u8) -> Result<Self, VerbError> {
        Self::from_byte(byte).ok_or(match byte {
            crate::END => VerbError::Missing,
            crate::ESC => VerbError::Escape,
            _ => VerbError::Unknown { byte },
        })
    }
}

impl From<Verb> for u8 {
    fn from(verb: Verb) -> Self {
        verb.as_byte()
    }
}

/// A row of the map: byte, ASCII mnemonic, name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerbEntry {
    /// The control character.
    pub byte: u8,
    /// Its ASCII name.
    pub mnemonic: &'static str,
    /// The protocol's name for it.
    pub name: &'static str,
}

/// The whole map, `0x01..=0x1F` in order, with ESCAPE, which no frame can bear (spec 3.1).
pub const VERB_MAP: [VerbEntry; 31] = {
    let escape = VerbEntry {
        byte: crate::ESC,
        mnemonic: "ESC",
        name: "ESCAPE",
    };
    let mut map = [escape; 31];
    let mut i = 0;
    while i < Verb::ALL.len() {
        let verb = Verb::ALL[i];
        map[verb as usize - 1] = VerbEntry {
            byte: verb.as_byte(),
            mnemonic: verb.mnemonic(),
            name: verb.name(),
        };
        i += 1;
    }
    map
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_verb_or_says_why_not() {
        for byte in 0..=u8::MAX {
            match (byte, Verb::try_from(byte)) {
                (0x00, result) => assert_eq!(result, Err(VerbError::Missing)),
                (0x1B, result) => assert_eq!(result, Err(VerbError::Escape)),
                (0x20.., result) => assert_eq!(result, Err(VerbError::Unknown { byte })),
                (_, result) => assert_eq!(result.map(Verb::as_byte), Ok(byte)),
            }
        }
    }

    #[test]
    fn the_map_lists_every_control_character_in_order() {
        for (i, entry) in VERB_MAP.iter().enumerate() {
            assert_eq!(usize::from(entry.byte), i + 1);
        }
        assert_eq!(VERB_MAP[0x1A].name, "ESCAPE");
        assert_eq!(VERB_MAP[0x0F].name, "AUDIO");
        assert_eq!(Verb::ALL.len(), 30);
    }

    #[test]
    fn a_remote_peer_never_needs_less() {
        assert!(
            Verb::ALL
                .iter()
                .all(|verb| verb.remote_level() >= verb.level())
        );
    }
}
