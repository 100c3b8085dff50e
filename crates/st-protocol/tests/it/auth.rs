//! Auth blocks: layout, signing input, and refusals.

use proptest::prelude::*;
use st_protocol::{
    AuthBlock, AuthError, AuthLevel, Frame, Message, Peer, SessionId, Verb, VerbError,
};

use crate::frames::payload;

fn inner_verb() -> impl Strategy<Value = Verb> {
    prop::sample::select(Verb::ALL).prop_filter("may be inside", |v| {
        !matches!(v, Verb::AuthStart | Verb::AuthEnd)
    })
}

proptest! {
    #[test]
    fn blocks_come_back(
        session in any::<[u8; 16]>(), counter in any::<u64>(), level in 0u8..4, verb in inner_verb(), inner in payload(300),
        signature in prop::array::uniform32(any::<u8>()),
    ) {
        let level = AuthLevel::from_byte(level).unwrap();
        let block = AuthBlock::new(level, SessionId::new(session), counter, verb, &inner).unwrap();
        let block = block.signed([signature, signature].concat().try_into().unwrap());
        let frame = Frame::decode(&block.to_frame().encode()).unwrap();
        prop_assert_eq!(frame.verb(), Verb::AuthStart);
        prop_assert_eq!(AuthBlock::parse(frame.payload().as_bytes()), Ok(block));
        prop_assert_eq!(Message::parse(frame.verb(), frame.payload().as_bytes()), Ok(Message::Auth(block)));
        prop_assert_eq!(frame.payload().len(), block.len());
        prop_assert_eq!(block.frame().payload().as_bytes(), Some(&inner[..]));
    }

    #[test]
    fn the_signing_input_covers_all_and_is_unambiguous(
        node in prop::array::uniform32(any::<u8>()), session in any::<[u8; 16]>(), counter in any::<u64>(), inner in payload(60),
        flip in any::<prop::sample::Index>(),
    ) {
        let block = AuthBlock::new(AuthLevel::Fido, SessionId::new(session), counter, Verb::Forget, &inner).unwrap();
        let message = block.signing_input(&node);
        let parts: [&[u8]; 6] =
            [b"st-protocol auth v1\0", &node, &session, &counter.to_le_bytes(), &[2, 0x1D], &inner];
        prop_assert_eq!(&message, &parts.concat());

        // Any other byte of the block but those of the signature gives another message, or no block.
        let mut bytes = block.to_frame().into_payload().into_bytes();
        let at = flip.index(bytes.len());
        bytes[at] ^= 1;
        if let Ok(other) = AuthBlock::parse(&bytes) {
            let in_signature = (25..89).contains(&at);
            prop_assert_eq!(other.signing_input(&node) == message, in_signature);
        }
    }

    #[test]
    fn arbitrary_bytes_are_a_block_that_writes_itself_or_none(bytes in prop::collection::vec(any::<u8>(), 0..140)) {
        if let Ok(block) = AuthBlock::parse(&bytes) {
            let written = block.to_frame().into_payload().into_bytes();
            prop_assert_eq!(written, bytes);
        }
    }
}

#[test]
fn what_is_no_block_says_why() {
    let good = AuthBlock::new(
        AuthLevel::Fido,
        SessionId::new([1; 16]),
        1,
        Verb::Forget,
        b"m1",
    )
    .unwrap();
    let bytes = good.to_frame().into_payload().into_bytes();
    assert_eq!(bytes.len(), AuthBlock::HEAD_LEN + 2);
    for len in 0..AuthBlock::HEAD_LEN {
        assert_eq!(
            AuthBlock::parse(&bytes[..len]),
            Err(AuthError::TooShort { len })
        );
    }
    for (at, byte, error) in [
        (0, 4, AuthError::Level { byte: 4 }),
        (89, 0x0E, AuthError::Mark { byte: 0x0E }),
        (
            90,
            0x0E,
            AuthError::Nested {
                verb: Verb::AuthStart,
            },
        ),
        (
            90,
            0x0F,
            AuthError::Nested {
                verb: Verb::AuthEnd,
            },
        ),
        (90, 0x1B, AuthError::Verb(VerbError::Escape)),
        (90, 0x00, AuthError::Verb(VerbError::Missing)),
    ] {
        let mut broken = bytes.clone();
        broken[at] = byte;
        assert_eq!(AuthBlock::parse(&broken), Err(error));
    }
    let long = vec![0; AuthBlock::MAX_INNER_LEN + 1];
    let block = |inner| {
        AuthBlock::new(
            AuthLevel::Session,
            SessionId::new([0; 16]),
            1,
            Verb::Audio,
            inner,
        )
    };
    assert_eq!(
        block(&long),
        Err(AuthError::InnerTooLong { len: long.len() })
    );
    assert_eq!(
        block(&long[1..]).unwrap().to_frame().payload().len(),
        65_535
    );
}

#[test]
fn the_claimed_level_must_be_the_tables() {
    for &verb in Verb::ALL {
        for level in [
            AuthLevel::None,
            AuthLevel::Session,
            AuthLevel::Fido,
            AuthLevel::FidoPin,
        ] {
            let Ok(block) = AuthBlock::new(level, SessionId::new([0; 16]), 1, verb, b"") else {
                continue;
            };
            for (peer, needed) in [
                (Peer::Local, verb.level()),
                (Peer::Remote, verb.remote_level()),
            ] {
                let right = if verb == Verb::Back {
                    level >= AuthLevel::Session
                } else {
                    level == needed
                };
                assert_eq!(
                    block.check_level(peer).is_ok(),
                    right,
                    "{verb} {level} {peer:?}"
                );
            }
        }
    }
}

#[test]
fn a_session_is_not_told_to_logs() {
    let shown = format!(
        "{:?}",
        SessionId::new(std::array::from_fn(|i| 0xA0 + i as u8))
    );
    assert_eq!(shown, "SessionId(a0a1..)");
}
