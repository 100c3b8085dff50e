//! Known answers of the documents that define what we use, through our wrappers.

use crate::{
    Aead, HeaderKey, PacketKey, TAG_LEN, identity::PublicKey, secret::Secret, testing::unhex,
};

fn array<const N: usize>(hex: &str) -> [u8; N] {
    unhex(hex)
        .try_into()
        .expect("as many digits as the array takes")
}

/// Seals with a nonce that isn't changed: packet number 0.
fn seal(aead: Aead, key: &str, iv: &str, aad: &str, text: &[u8]) -> Vec<u8> {
    let (key, iv) = (Secret::new(array(key)), Secret::new(array(iv)));
    let mut body = text.to_vec();
    body.resize(text.len() + TAG_LEN, 0);
    let mut key = PacketKey::new(aead, &key, iv);
    key.seal(0, &unhex(aad), &mut body).unwrap();
    let mut opened = body.clone();
    assert_eq!(key.open(0, &unhex(aad), &mut opened), Ok(text.len()));
    assert_eq!(opened[..text.len()], *text);
    body
}

#[test]
fn rfc_8439_section_2_8_2() {
    let text = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for \
                the future, sunscreen would be it.";
    let sealed = seal(
        Aead::ChaCha20Poly1305,
        "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        "070000004041424344454647",
        "50515253c0c1c2c3c4c5c6c7",
        text.as_bytes(),
    );
    let expected = "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6\
                    3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36\
                    92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc\
                    3ff4def08e4b7a9de576d26586cec64b6116\
                    1ae10b594f09e26a7e902ecbd0600691";
    assert_eq!(sealed, unhex(expected));
}

/// Test case 16 of the GCM specification.
#[test]
fn gcm_test_case_16() {
    let text = unhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
         1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    );
    let sealed = seal(
        Aead::Aes256Gcm,
        "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        &text,
    );
    let expected = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                    8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
                    76fc6ece0f4e1768cddf8853bb2d551b";
    assert_eq!(sealed, unhex(expected));
}

/// RFC 9001, appendix A.5: nonce, packet and mask of a short header.
#[test]
fn rfc_9001_chacha20_short_header() {
    let key = Secret::new(array(
        "c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8",
    ));
    let iv = Secret::new(array("e0459b3474bdd0e44a41c144"));
    let hp = Secret::new(array(
        "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4",
    ));
    let mut body = [0; 1 + TAG_LEN];
    body[0] = 0x01;
    let mut key = PacketKey::new(Aead::ChaCha20Poly1305, &key, iv);
    key.seal(654_360_564, &unhex("4200bff4"), &mut body)
        .unwrap();
    assert_eq!(body[..], unhex("655e5cd55c41f69080575d7999c25a5bfb"));
    // A packet number of 3 bytes: the sample starts at the second byte of the ciphertext.
    let mask = HeaderKey::new(Aead::ChaCha20Poly1305, &hp).mask(&body[1..].try_into().unwrap());
    assert_eq!(mask[..], unhex("aefefe7d03"));
}

/// RFC 9001, appendix A.1 and A.2 use AES-128; the same construction with the block of FIPS 197,
/// appendix C.3.
#[test]
fn aes_256_header_protection_is_one_block() {
    let hp = array("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    let mask = HeaderKey::new(Aead::Aes256Gcm, &Secret::new(hp))
        .mask(&array("00112233445566778899aabbccddeeff"));
    assert_eq!(mask[..], unhex("8ea2b7ca51"));
}

/// FIPS 202 over 32 bytes, through the id of a key.
#[test]
fn node_ids_are_sha3_256() {
    let id = PublicKey::new([0xa3; 32]).node_id();
    assert_eq!(
        id.to_string(),
        "30dc0120e919c96f90610d08a956a97b016ecae6ceb2555ef78c6ad692d6c27c"
    );
}
