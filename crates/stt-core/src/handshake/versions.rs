use super::{EnvelopeError, Icid, SPOKEN, response::answer};

/// A VERSIONS, the answer to a HELLO of an unknown version or suite; not authentic, only a hint
/// (`docs/spec/stt-handshake.md` §2, §10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions<'a> {
    /// The HELLO's icid.
    pub icid: Icid,
    pairs: &'a [u8],
}

impl<'a> Versions<'a> {
    /// The most pairs.
    pub const MAX_PAIRS: usize = 16;

    /// Reads a datagram that answers a HELLO with an icid of `icid_len` bytes.
    ///
    /// # Errors
    ///
    /// It is not a VERSIONS, is cut short or too long.
    pub fn decode(datagram: &'a [u8], icid_len: usize) -> Result<Self, EnvelopeError> {
        let (icid, fields) = answer(datagram, 0x04, icid_len)?;
        let pairs = fields.rest();
        let field = "the pairs";
        match pairs.len() {
            0 | 1 => Err(EnvelopeError::Truncated { field }),
            found if found % 2 != 0 || found > 2 * Self::MAX_PAIRS => {
                Err(EnvelopeError::Length { field, found })
            }
            _ => Ok(Self { icid, pairs }),
        }
    }

    /// Versions and suites, preferred first, by number.
    pub fn pairs(&self) -> impl Iterator<Item = (u8, u8)> + use<'a> {
        self.pairs.as_chunks().0.iter().map(|&[v, s]| (v, s))
    }

    /// What is spoken here.
    pub fn spoken(icid: &Icid, resumption: bool) -> Vec<u8> {
        let mut out = vec![0x04];
        out.extend_from_slice(icid.as_bytes());
        for &(version, suite) in SPOKEN {
            if resumption || suite != super::Suite::Resume {
                out.extend_from_slice(&[version, suite.to_wire()]);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spoken_and_bounds() {
        let icid = Icid::new(&[1, 2, 3, 4]).unwrap();
        let bytes = Versions::spoken(&icid, true);
        assert_eq!(bytes, [4, 1, 2, 3, 4, 1, 1, 1, 2]);
        let read = Versions::decode(&bytes, 4).unwrap();
        assert!(read.pairs().eq([(1, 1), (1, 2)]));
        assert_eq!(Versions::spoken(&icid, false), [4, 1, 2, 3, 4, 1, 1]);

        for len in 0..40 {
            let mut bytes = vec![0x04, 1, 2, 3, 4];
            bytes.extend(vec![6; len]);
            let good = len % 2 == 0 && (2..=32).contains(&len);
            assert_eq!(Versions::decode(&bytes, 4).is_ok(), good, "{len}");
        }
    }
}
