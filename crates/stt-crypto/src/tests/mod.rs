//! Known answers from `vectors/stc/`, which a second implementation made
//! (`vectors/stc/README.md`).

mod kdf;
mod noise;
mod packet;
mod standards;
mod wrapper;

use serde_json::Value;

use crate::testing::unhex;

/// One JSON object of a file.
pub(super) struct Case(Value);

impl Case {
    /// A whole file.
    fn file(name: &str) -> Self {
        let path = format!("{}/../../vectors/stc/{name}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self(serde_json::from_str(&text).unwrap())
    }

    /// The objects of an array, of which there are `count`.
    fn cases(&self, key: &str, count: usize) -> Vec<Self> {
        let cases = self.0[key]
            .as_array()
            .unwrap_or_else(|| panic!("an array {key}"));
        assert_eq!(cases.len(), count, "cases in {key}");
        cases.iter().cloned().map(Self).collect()
    }

    fn text(&self, key: &str) -> &str {
        self.0[key]
            .as_str()
            .unwrap_or_else(|| panic!("a text {key}"))
    }

    fn bytes(&self, key: &str) -> Vec<u8> {
        unhex(self.text(key))
    }

    fn array<const N: usize>(&self, key: &str) -> [u8; N] {
        self.bytes(key)
            .try_into()
            .unwrap_or_else(|_| panic!("{key} of {N} bytes"))
    }

    /// A number, which may be written as a text.
    fn number(&self, key: &str) -> u64 {
        let number = self.0[key]
            .as_u64()
            .or_else(|| self.0[key].as_str()?.parse().ok());
        number.unwrap_or_else(|| panic!("a number {key}"))
    }

    fn flag(&self, key: &str) -> bool {
        self.0[key]
            .as_bool()
            .unwrap_or_else(|| panic!("a flag {key}"))
    }
}
