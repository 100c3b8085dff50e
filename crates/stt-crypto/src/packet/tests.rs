use super::*;
use crate::secret::TrafficSecret;

fn secret() -> TrafficSecret {
    TrafficSecret::new(Secret::new([0x42; 32]))
}

fn sealed(key: &mut PacketKey, pn: u64, aad: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut body = payload.to_vec();
    body.resize(payload.len() + TAG_LEN, 0);
    key.seal(pn, aad, &mut body).unwrap();
    body
}

#[test]
fn what_is_sealed_opens_with_the_same_number_and_header_only() {
    for aead in Aead::ALL {
        let (mut key, open) = (secret().packet_key(aead), secret().packet_key(aead));
        for len in [0, 1, 15, 16, 17, 1200] {
            let payload = vec![0x5a; len];
            let pn = key.next_pn + 3;
            let body = sealed(&mut key, pn, b"header", &payload);
            assert_eq!(open.open(pn, b"header", &mut body.clone()), Ok(len));
            let mut opened = body.clone();
            open.open(pn, b"header", &mut opened).unwrap();
            assert_eq!(opened[..len], payload);
            assert_eq!(
                open.open(pn + 1, b"header", &mut body.clone()),
                Err(OpenError::Forged)
            );
            assert_eq!(
                open.open(pn ^ (1 << 61), b"header", &mut body.clone()),
                Err(OpenError::Forged)
            );
            assert_eq!(
                open.open(pn, b"headers", &mut body.clone()),
                Err(OpenError::Forged)
            );
            assert_eq!(
                open.open(pn, b"", &mut body.clone()),
                Err(OpenError::Forged)
            );
        }
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    for aead in Aead::ALL {
        let (mut key, open) = (secret().packet_key(aead), secret().packet_key(aead));
        let body = sealed(&mut key, 7, b"head", b"twenty bytes payload");
        for bit in 0..8 * body.len() {
            let mut forged = body.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                open.open(7, b"head", &mut forged),
                Err(OpenError::Forged),
                "bit {bit}"
            );
        }
        for bit in 0..8 * 4 {
            let mut aad = *b"head";
            aad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                open.open(7, &aad, &mut body.clone()),
                Err(OpenError::Forged),
                "bit {bit}"
            );
        }
        for len in 0..body.len() {
            let expected = if len < TAG_LEN {
                OpenError::TooShort
            } else {
                OpenError::Forged
            };
            assert_eq!(
                open.open(7, b"head", &mut body.clone()[..len]),
                Err(expected),
                "{len}"
            );
        }
    }
}

#[test]
fn opening_to_another_buffer_gives_the_same_and_refuses_the_same() {
    for aead in Aead::ALL {
        let (mut key, open) = (secret().packet_key(aead), secret().packet_key(aead));
        let body = sealed(&mut key, 7, b"head", b"twenty bytes payload");
        for room in 20..40 {
            let mut out = vec![0xee; room];
            assert_eq!(open.open_to(7, b"head", &body, &mut out), Ok(20));
            assert_eq!(&out[..20], b"twenty bytes payload");
            assert!(out[20..].iter().all(|&byte| byte == 0xee), "room {room}");
        }
        let refused = |pn, aad: &[u8], body: &[u8], room: usize| {
            let mut out = vec![0; room];
            open.open_to(pn, aad, body, &mut out)
        };
        assert_eq!(refused(7, b"head", &body, 19), Err(OpenError::NoRoom));
        assert_eq!(refused(8, b"head", &body, 20), Err(OpenError::Forged));
        assert_eq!(refused(7, b"heat", &body, 20), Err(OpenError::Forged));
        for bit in 0..8 * body.len() {
            let mut forged = body.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let opened = refused(7, b"head", &forged, 20);
            assert_eq!(opened, Err(OpenError::Forged), "bit {bit}");
        }
        for len in 0..TAG_LEN {
            let opened = refused(7, b"head", &body[..len], 20);
            assert_eq!(opened, Err(OpenError::TooShort), "{len}");
        }
    }
}

#[test]
fn numbers_only_grow_under_a_key() {
    let mut key = secret().packet_key(Aead::Aes256Gcm);
    let mut body = [0; 20];
    key.seal(5, b"", &mut body).unwrap();
    for pn in [0, 4, 5, 1 << 62, u64::MAX] {
        let before = body;
        assert_eq!(
            key.seal(pn, b"", &mut body),
            Err(SealError::Number { pn, next: 6 })
        );
        assert_eq!(body, before);
    }
    key.seal(6, b"", &mut body).unwrap();
    key.seal((1 << 62) - 1, b"", &mut body).unwrap();
    assert_eq!(key.sealed(), 3);
}

#[test]
fn a_key_refuses_past_its_confidentiality_limit() {
    for aead in Aead::ALL {
        let mut key = secret().packet_key(aead);
        key.pretend_sealed(aead.confidentiality_limit() - 1);
        let mut body = [0; 20];
        key.seal(0, b"", &mut body).unwrap();
        assert_eq!(key.seal(1, b"", &mut body), Err(SealError::LimitReached));
    }
}

#[test]
fn the_integrity_limit_ends_a_session() {
    let mut count = ForgeryCount::new(Aead::ChaCha20Poly1305);
    assert_eq!(count.record(), Ok(()));
    count.pretend_left(2);
    assert_eq!(count.record(), Ok(()));
    assert_eq!(count.record(), Err(LimitReached));
    assert_eq!(count.record(), Err(LimitReached));
    assert_eq!(count.failed(), 4);
}

#[test]
fn no_room_for_the_tag_is_an_error() {
    let mut key = secret().packet_key(Aead::Aes256Gcm);
    assert_eq!(key.seal(0, b"", &mut [0; 15]), Err(SealError::NoRoom));
    assert_eq!(key.seal(0, b"", &mut [0; 16]), Ok(()));
}

#[test]
fn phases_and_aeads_have_keys_of_their_own() {
    let first = secret();
    let second = first.next();
    let body = sealed(&mut first.packet_key(Aead::Aes256Gcm), 0, b"", b"payload");
    for key in [
        second.packet_key(Aead::Aes256Gcm),
        first.packet_key(Aead::ChaCha20Poly1305),
        second.next().packet_key(Aead::Aes256Gcm),
    ] {
        assert_eq!(key.open(0, b"", &mut body.clone()), Err(OpenError::Forged));
    }
}
