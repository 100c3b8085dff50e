use super::{EnvelopeError, Icid, Suite, envelope::Fields};

/// A HELLO_RESP, the answer to a HELLO (`docs/spec/stt-handshake.md` §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// The HELLO's icid.
    pub icid: Icid,
    /// Noise message 2.
    pub noise: &'a [u8],
}

impl<'a> Response<'a> {
    /// Reads a datagram that answers a HELLO of `suite` with an icid of `icid_len` bytes.
    ///
    /// # Errors
    ///
    /// It is not a HELLO_RESP, is cut short or too long.
    pub fn decode(
        datagram: &'a [u8],
        icid_len: usize,
        suite: Suite,
    ) -> Result<Self, EnvelopeError> {
        let (icid, fields) = answer(datagram, 0x02, icid_len)?;
        let noise = fields.noise(suite)?;
        Ok(Self { icid, noise })
    }

    /// The packet.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + Icid::MAX_LEN + self.noise.len());
        out.push(0x02);
        out.extend_from_slice(self.icid.as_bytes());
        out.extend_from_slice(self.noise);
        out
    }
}

/// The icid of a datagram that answers a HELLO with an icid of `icid_len` bytes.
pub(crate) fn answered(datagram: &[u8], icid_len: usize) -> Option<Icid> {
    Icid::new(datagram.get(1..1 + icid_len)?)
}

/// Reads first byte and icid, which all answers have.
pub(super) fn answer(
    datagram: &[u8],
    first: u8,
    icid_len: usize,
) -> Result<(Icid, Fields<'_>), EnvelopeError> {
    let mut fields = Fields::new(datagram, first)?;
    let icid = Icid::new(fields.bytes(icid_len, "the icid")?).ok_or(EnvelopeError::Length {
        field: "the icid",
        found: icid_len,
    })?;
    Ok((icid, fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        let icid = Icid::new(&[1, 2, 3, 4, 5]).unwrap();
        for (suite, shortest) in [(Suite::Full, 96), (Suite::Resume, 48)] {
            for (len, good) in [
                (0, false),
                (shortest - 1, false),
                (shortest, true),
                (shortest + 64, true),
                (shortest + 65, false),
            ] {
                let noise = &vec![8; len][..];
                let bytes = Response { icid, noise }.encode();
                let read = Response::decode(&bytes, 5, suite);
                assert_eq!(read.ok(), good.then_some(Response { icid, noise }));
            }
        }
    }
}
