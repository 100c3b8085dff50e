//! The body of the fuzz target in `fuzz/`. It lives here so that every build compiles it, and a
//! test runs it. It panics when its property does not hold.

use crate::{
    Aead, FrameMetadata, Initiator, Responder, Stc, TAG_LEN,
    secret::{CookieKey, ResetKey, Secret, TrafficSecret},
};

/// What is sealed for us opens as it is, and changed in any way it doesn't. The first byte chooses
/// what is received; the second by how many bytes it is shortened (under 128) or lengthened; the
/// rest is XORed onto it.
pub fn changed(bytes: &[u8]) {
    let Some((&[what, length], mask)) = bytes.split_first_chunk() else {
        return;
    };
    let change = |genuine: &[u8]| {
        let mut received = genuine.to_vec();
        match length {
            0..128 => received.truncate(genuine.len().saturating_sub(length.into())),
            128.. => received.resize(genuine.len() + usize::from(length - 128), 0),
        }
        received
            .iter_mut()
            .zip(mask)
            .for_each(|(byte, mask)| *byte ^= mask);
        received
    };
    let check = |genuine: &[u8], opens: &mut dyn FnMut(&mut [u8]) -> bool| {
        let mut received = change(genuine);
        let unchanged = received == genuine;
        assert_eq!(opens(&mut received), unchanged);
        assert!(
            opens(&mut genuine.to_vec()),
            "what is forged changes nothing"
        );
    };

    let stc = Stc::new(&[1; 32]).expect("32 bytes");
    let (psk, node) = (stc.seed().psk(), stc.node_key(b"node"));
    let e = [2; 32];
    match what % 9 {
        0 | 1 => {
            let pattern = what % 9;
            let (mut initiator, first) = if pattern == 0 {
                Initiator::start(&psk, &node, b"p", e, b"offer").expect("short")
            } else {
                Initiator::resume(&psk, b"p", e, b"offer").expect("short")
            };
            let read = |message: &[u8]| {
                if pattern == 0 {
                    Responder::read(&psk, &node, b"p", message, [3; 32])
                } else {
                    Responder::resume(&psk, b"p", message, [3; 32])
                }
            };
            check(&first, &mut |message| read(message).is_ok());
            let (responder, _) = read(&first).expect("genuine");
            let (_, second) = responder.respond(b"answer").expect("short");
            let received = change(&second);
            if received != second {
                assert!(initiator.finish(&received).is_err());
            }
            assert!(initiator.finish(&second).is_ok());
        }
        2 | 3 => {
            let aead = Aead::ALL[usize::from(what % 9 - 2)];
            let secret = TrafficSecret::new(Secret::new([4; 32]));
            let mut body = [5; 40 + TAG_LEN];
            let mut key = secret.packet_key(aead);
            key.seal(6, b"header", &mut body).expect("a fresh key");
            check(&body, &mut |body| key.open(6, b"header", body).is_ok());
        }
        4 => {
            let (sealed, metadata) = stc.encrypt_frame(b"payload", b"associated", &[7; 24]);
            let open = |bytes: &[u8]| stc.decrypt_frame(bytes, &metadata, b"associated").is_ok();
            check(&sealed, &mut |bytes| open(bytes));
        }
        5 => {
            let (sealed, metadata) = stc.encrypt_frame(b"payload", b"associated", &[7; 24]);
            check(&metadata.to_bytes(), &mut |bytes| {
                FrameMetadata::from_bytes(bytes).is_ok_and(|metadata| {
                    stc.decrypt_frame(&sealed, &metadata, b"associated").is_ok()
                })
            });
        }
        6 => {
            let context = stc.create_stream_context(b"session!", 1).expect("8 bytes");
            let mut segment = Vec::new();
            context
                .sealer([8; 16])
                .seal(b"text", true, &mut segment)
                .expect("the first");
            let mut opener = context.opener();
            check(&segment, &mut |bytes| opener.open(0, bytes).is_ok());
        }
        7 => {
            let sealed = psk.seal_cookie(&e, &[9; 16], &[10; 24]);
            check(&sealed, &mut |bytes| {
                let bytes = <&[u8; 32]>::try_from(&*bytes);
                bytes.is_ok_and(|bytes| psk.open_cookie(&e, bytes, &[10; 24]).is_ok())
            });
            let key = CookieKey::new([11; 32]);
            let cookie = key.mac(b"path", b"icid", &e);
            check(&cookie, &mut |bytes| {
                key.verify(b"path", b"icid", &e, bytes)
            });
        }
        _ => {
            let token = ResetKey::new([12; 32]).token(b"wire");
            let received = change(token.expose());
            assert_eq!(token.ends(&received), received.ends_with(token.expose()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_corpus_holds() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        let files: Vec<_> = fs::read_dir(corpus.join("stt_crypto_changed"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(files.len() >= 9, "one for everything that is received");
        for file in files {
            // Shown if the body panics.
            println!("{}", file.display());
            changed(&fs::read(&file).unwrap());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

        #[test]
        fn the_body_holds(
            what in 0u8..9,
            length in prop_oneof![3 => Just(0u8), 1 => any::<u8>()],
            zeros in 0usize..130,
            mask in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut bytes = vec![0; 2 + zeros];
            (bytes[0], bytes[1]) = (what, length);
            bytes.extend_from_slice(&mask);
            changed(&bytes);
        }
    }
}
