use super::{EnvelopeError, Icid, envelope::COOKIE_LEN, response::answer};

/// A COOKIE, the answer of a responder under load (`docs/spec/stt-handshake.md` §2, §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookiePacket<'a> {
    /// The HELLO's icid.
    pub icid: Icid,
    /// The nonce of all boxes.
    pub nonce: &'a [u8; 24],
    boxes: &'a [u8],
}

impl<'a> CookiePacket<'a> {
    /// The most seeds that it may be sealed under.
    pub const MAX_BOXES: usize = 4;

    /// Reads a datagram that answers a HELLO with an icid of `icid_len` bytes.
    ///
    /// # Errors
    ///
    /// It is not a COOKIE, is cut short or too long.
    pub fn decode(datagram: &'a [u8], icid_len: usize) -> Result<Self, EnvelopeError> {
        let (icid, mut fields) = answer(datagram, 0x03, icid_len)?;
        let nonce = fields.array("the nonce")?;
        let boxes = fields.rest();
        let field = "the boxes";
        match boxes.len() {
            found if found < BOX_LEN => Err(EnvelopeError::Truncated { field }),
            found if found % BOX_LEN != 0 || found > BOX_LEN * Self::MAX_BOXES => {
                Err(EnvelopeError::Length { field, found })
            }
            _ => Ok(Self { icid, nonce, boxes }),
        }
    }

    /// The cookie sealed under each of the responder's seeds.
    pub fn boxes(&self) -> impl Iterator<Item = &'a [u8; BOX_LEN]> + use<'a> {
        self.boxes.as_chunks().0.iter()
    }

    /// The packet with these boxes, at most [`CookiePacket::MAX_BOXES`].
    pub fn encode(
        icid: &Icid,
        nonce: &[u8; 24],
        boxes: impl Iterator<Item = [u8; BOX_LEN]>,
    ) -> Vec<u8> {
        let mut out = vec![0x03];
        out.extend_from_slice(icid.as_bytes());
        out.extend_from_slice(nonce);
        for one in boxes.take(Self::MAX_BOXES) {
            out.extend_from_slice(&one);
        }
        out
    }
}

/// Bytes of the cookie sealed under one seed.
pub(crate) const BOX_LEN: usize = COOKIE_LEN + 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_four_whole_boxes() {
        let icid = Icid::new(&[1, 2, 3, 4]).unwrap();
        for len in 0..160 {
            let mut bytes = vec![0x03, 1, 2, 3, 4];
            bytes.extend([5; 24]);
            bytes.extend(vec![6; len]);
            let read = CookiePacket::decode(&bytes, 4);
            assert_eq!(read.is_ok(), matches!(len, 32 | 64 | 96 | 128), "{len}");
            if let Ok(packet) = read {
                let again = CookiePacket::encode(&icid, packet.nonce, packet.boxes().copied());
                assert_eq!(again, bytes);
            }
        }
        assert!(CookiePacket::decode(&[0x03, 1, 2], 4).is_err());
        assert!(CookiePacket::decode(&[], 4).is_err());
    }
}
