//! A constructor for each verb with a defined payload (spec 3.1). Those that can be handed too much panic, as the users'
//! document has them return a `Frame`; the `try_` twin of each returns an error.

use crate::payload::or_panic;
use crate::{EncodeError, Frame, Verb};

/// What REMEMBER says of valence and arousal when nothing is known (spec 4.4).
const NEUTRAL: u8 = 128;

/// Writes a constructor and its twin from one body.
macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident / $twin:ident ($($arg:ident: $ty:ty),*) => $build:expr;)*) => {
        impl Frame {
            $(
                $(#[$doc])*
                ///
                /// # Panics
                /// The payload is over 65,535 bytes.
                pub fn $name($($arg: $ty),*) -> Self {
                    or_panic(Self::$twin($($arg),*))
                }

                $(#[$doc])*
                ///
                /// # Errors
                /// The payload is over 65,535 bytes.
                pub fn $twin($($arg: $ty),*) -> Result<Self, EncodeError> {
                    $build.try_build()
                }
            )*
        }
    };
}

impl Frame {
    /// PING: are you there?
    pub const fn ping() -> Self {
        Self::simple(Verb::Ping)
    }

    /// STATS: ask for statistics.
    pub const fn stats() -> Self {
        Self::simple(Verb::Stats)
    }

    /// OK, with nothing to add.
    pub const fn ok() -> Self {
        Self::simple(Verb::Ok)
    }

    /// M8_WAVE: ask for statistics of the memory.
    pub const fn m8_wave() -> Self {
        Self::simple(Verb::M8Wave)
    }
}

constructors! {
    /// SCAN `path`, `depth` levels deep.
    scan / try_scan (path: &str, depth: u8) => Self::builder(Verb::Scan).lstr(path).byte(depth);

    /// SEARCH for `pattern`, short form.
    search / try_search (pattern: &str) => Self::builder(Verb::Search).string(pattern);

    /// SEARCH for `pattern` under `path`, at most `max_results` answers.
    search_path / try_search_path (path: &str, pattern: &str, max_results: u8) =>
        Self::builder(Verb::Search).lstr(path).lstr(pattern).byte(max_results);

    /// FORMAT as `mode`, short form.
    format / try_format (mode: &str) => Self::builder(Verb::Format).string(mode);

    /// FORMAT `path` as `mode`, `depth` levels deep.
    format_path / try_format_path (mode: &str, path: &str, depth: u8) =>
        Self::builder(Verb::Format).lstr(mode).lstr(path).byte(depth);

    /// REMEMBER `content` under `keywords`, as a memory of this `kind`; valence and arousal neutral.
    remember / try_remember (content: &str, keywords: &str, kind: &str) =>
        Self::builder(Verb::Remember).lstr(content).lstr(keywords).lstr(kind).byte(NEUTRAL).byte(NEUTRAL);

    /// RECALL what was stored under `keywords`, at most `max_results` memories.
    recall / try_recall (keywords: &str, max_results: u8) => Self::builder(Verb::Recall).lstr(keywords).byte(max_results);

    /// FORGET the memory with this identifier.
    forget / try_forget (id: &str) => Self::builder(Verb::Forget).string(id);

    /// ERROR, and why.
    error / try_error (message: &str) => Self::builder(Verb::Error).string(message);

    /// AUDIO, opaque bytes.
    audio / try_audio (bytes: &[u8]) => Self::builder(Verb::Audio).bytes(bytes);

    /// AUDIO, text form: `valence` from −1 to 1, `arousal` from 0 to 1, both clamped (spec 4.4).
    audio_simple / try_audio_simple (text: &str, valence: f32, arousal: f32) =>
        Self::builder(Verb::Audio).lstr(text).byte(to_byte((valence + 1.0) * 127.5)).byte(to_byte(arousal * 255.0));
}

/// The whole number below, clamped to 0…255; a NaN gives 0.
const fn to_byte(value: f32) -> u8 {
    // `as` is defined to do all of that.
    value as u8
}
