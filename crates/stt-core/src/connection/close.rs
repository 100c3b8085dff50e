//! How a session ends (`docs/spec/stt-session.md` §9, RFC 9000 §10.2).

use crate::Code;

/// Bytes of a reason that are sent.
const MAX_REASON: usize = 256;

/// Where a session stands.
pub(super) enum State {
    /// Usable.
    Open,
    /// A CLOSE of ours is out, or will be.
    Closing(Closing),
    /// The peer's CLOSE has come; nothing is sent any more.
    Draining,
    /// Over and forgotten.
    Drained,
}

/// The CLOSE that is sent, and sent again if the peer goes on.
pub(super) struct Closing {
    pub(super) application: bool,
    pub(super) code: u64,
    pub(super) reason: Vec<u8>,
    /// To be sent now.
    pub(super) due: bool,
    /// Datagrams that came since.
    heard: u64,
}

impl Closing {
    pub(super) fn application(code: u64, reason: &str) -> Self {
        Self::new(true, code, reason)
    }

    pub(super) fn transport(code: Code, reason: &str) -> Self {
        Self::new(false, code.0, reason)
    }

    fn new(application: bool, code: u64, reason: &str) -> Self {
        Self {
            application,
            code,
            reason: cut(reason, MAX_REASON).as_bytes().to_vec(),
            due: true,
            heard: 0,
        }
    }

    /// A datagram came: the CLOSE may have been lost. Answers the first, second, fourth, eighth …
    pub(super) fn on_datagram(&mut self) {
        self.heard += 1;
        self.due |= self.heard.is_power_of_two();
    }
}

/// At most `max` bytes of `text`, whole characters.
pub(super) fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_cut_between_characters() {
        assert_eq!(cut("aäö", 2), "a");
        assert_eq!(cut("aäö", 3), "aä");
        assert_eq!(cut("aäö", 99), "aäö");
    }

    #[test]
    fn answers_grow_rare() {
        let mut closing = Closing::application(0, "");
        let mut answers = 0;
        for _ in 0..1_000 {
            closing.due = false;
            closing.on_datagram();
            answers += u32::from(closing.due);
        }
        assert_eq!(answers, 10);
    }
}
