//! Extract and Expand (`docs/spec/stt-crypto.md`, 1.2).

use aws_lc_rs::{hkdf, hmac};

use crate::secret::Secret;

/// `Extract(salt, ikm)`: HMAC-SHA-256 with the salt as key (RFC 5869 §2.2).
pub(crate) fn extract(salt: &[u8], ikm: &[u8]) -> Secret<32> {
    let mut prk = Secret::zero();
    let key = hmac::Key::new(hmac::HMAC_SHA256, salt);
    hmac::sign_to_buffer(&key, ikm, prk.as_mut_bytes()).expect("the tag is as long as the secret");
    prk
}

/// `Expand(prk, label, context, N)`; the context comes in pieces.
pub(crate) fn expand<const N: usize>(
    prk: &Secret<32>,
    label: &[u8],
    context: &[&[u8]],
) -> Secret<N> {
    /// The pieces of a context and the two in front of it.
    const MAX_PIECES: usize = 6;

    let label_len = [u8::try_from(label.len()).expect("labels are constants under 256 bytes")];
    let mut info: [&[u8]; MAX_PIECES] = [&[]; MAX_PIECES];
    info[0] = &label_len;
    info[1] = label;
    info[2..2 + context.len()].copy_from_slice(context);
    let mut out = Secret::zero();
    expand_raw(prk.expose(), &info, out.as_mut_bytes());
    out
}

/// HKDF-Expand with SHA-256; `out` is at most 255 × 32 bytes.
fn expand_raw(prk: &[u8], info: &[&[u8]], out: &mut [u8]) {
    struct Len(usize);
    impl hkdf::KeyType for Len {
        fn len(&self) -> usize {
            self.0
        }
    }

    hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, prk)
        .expand(info, Len(out.len()))
        .and_then(|okm| okm.fill(out))
        .expect("HKDF fails for more than 8,160 bytes only");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;

    /// RFC 5869, appendices A.1 to A.3.
    #[test]
    fn rfc_5869() {
        let long = |from: u8| (from..=from.wrapping_add(0x4f)).collect::<Vec<u8>>();
        let cases = [
            (
                vec![0x0b; 22],
                unhex("000102030405060708090a0b0c"),
                unhex("f0f1f2f3f4f5f6f7f8f9"),
                "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                long(0x00),
                long(0x60),
                long(0xb0),
                "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
                 59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
                 cc30c58179ec3e87c14c01d5c1f3434f1d87",
            ),
            (
                vec![0x0b; 22],
                vec![],
                vec![],
                "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
        ];
        for (ikm, salt, info, prk, okm) in cases {
            let got = extract(&salt, &ikm);
            assert_eq!(got.expose()[..], unhex(prk));
            let okm = unhex(okm);
            let mut out = vec![0; okm.len()];
            expand_raw(got.expose(), &[&info], &mut out);
            assert_eq!(out, okm);
        }
    }

    #[test]
    fn pieces_of_a_context_are_its_concatenation() {
        let prk = Secret::new([7; 32]);
        let whole: Secret<32> = expand(&prk, b"stt test", &[b"abcdef"]);
        let pieces: Secret<32> = expand(&prk, b"stt test", &[b"ab", b"", b"cdef"]);
        assert!(whole == pieces);
        let mut out = [0; 32];
        expand_raw(prk.expose(), &[b"\x08stt testabcdef"], &mut out);
        assert_eq!(whole.expose(), &out);
    }
}
