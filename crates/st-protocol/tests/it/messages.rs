//! Payloads by meaning.

use proptest::prelude::*;
use st_protocol::{FieldError, Frame, Message, MessageError, Verb};

proptest! {
    /// Spec 4.5: whatever the texts, the two forms of SEARCH and FORMAT are told apart.
    #[test]
    fn each_constructor_is_read_back(a in ".{0,140}", b in ".{0,140}", c in ".{0,10}", n in any::<u8>()) {
        let (a, b, c) = (&a[..], &b[..], &c[..]);
        let cases = [
            (Frame::scan(a, n), Message::Scan { path: a, depth: n }),
            (Frame::search(a), Message::Search { pattern: a }),
            (Frame::search_path(a, b, n), Message::SearchPath { path: a, pattern: b, max_results: n }),
            (Frame::format(a), Message::Format { mode: a }),
            (Frame::format_path(a, b, n), Message::FormatPath { mode: a, path: b, depth: n }),
            (
                Frame::remember(a, b, c),
                Message::Remember { content: a, keywords: b, kind: c, valence: 128, arousal: 128 },
            ),
            (Frame::recall(a, n), Message::Recall { keywords: a, max_results: n }),
            (Frame::forget(a), Message::Forget { id: a }),
            (Frame::error(a), Message::Error { message: a }),
        ];
        for (frame, message) in &cases {
            prop_assert_eq!(Message::parse(frame.verb(), frame.payload().as_bytes()), Ok(*message));
        }
    }
}

#[test]
fn what_does_not_belong_is_refused() {
    let cases: [(Verb, &[u8], FieldError); 6] = [
        (Verb::Ping, b"x", FieldError::Trailing { at: 0, len: 1 }),
        (
            Verb::Scan,
            b"\x81a\x03x",
            FieldError::Trailing { at: 3, len: 1 },
        ),
        (
            Verb::Scan,
            b"\x81a",
            FieldError::Truncated { at: 2, missing: 1 },
        ),
        (
            Verb::Scan,
            b"a",
            FieldError::BadPrefix { at: 0, byte: b'a' },
        ),
        (
            Verb::Search,
            b"\x81a\x81\xff\x01",
            FieldError::NotUtf8 { at: 2 },
        ),
        (Verb::Forget, b"\xff", FieldError::NotUtf8 { at: 0 }),
    ];
    for (verb, payload, error) in cases {
        assert_eq!(
            Message::parse(verb, payload),
            Err(MessageError::Field(error)),
            "{verb} {payload:02x?}"
        );
    }
    let raw = Message::Other {
        verb: Verb::Context,
        payload: b"\xff\x00",
    };
    assert_eq!(Message::parse(Verb::Context, b"\xff\x00"), Ok(raw));
}
