//! Authentication levels (spec 6.1).

use core::fmt;

/// How far a peer must have proven itself; ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AuthLevel {
    /// 0: read-only requests, nothing to prove.
    #[default]
    None = 0,
    /// 1: local writes, a session.
    Session = 1,
    /// 2: mutation, FIDO.
    Fido = 2,
    /// 3: administration, FIDO and PIN.
    FidoPin = 3,
}

impl AuthLevel {
    /// The level with this byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            1 => Some(Self::Session),
            2 => Some(Self::Fido),
            3 => Some(Self::FidoPin),
            _ => None,
        }
    }

    /// The byte on the wire.
    pub const fn as_byte(self) -> u8 {
        self as u8
    }

    /// `"none"`, `"session"`, `"FIDO"`, `"FIDO + PIN"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Session => "session",
            Self::Fido => "FIDO",
            Self::FidoPin => "FIDO + PIN",
        }
    }
}

impl fmt::Display for AuthLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
