use super::Dict;

/// A value, with all that it holds (`docs/spec/stt-value.md` §1).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// An integer up to 2^63 − 1.
    I64(i64),
    /// An integer over 2^63 − 1. Smaller ones are written, and come back, as [`Value::I64`]:
    /// `Value::from` picks the right one.
    U64(u64),
    /// A floating-point number. Every NaN is written alike.
    F64(f64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Text.
    Str(String),
    /// Values in a row.
    List(Vec<Self>),
    /// Values by name.
    Dict(Dict),
}

impl Value {
    /// The dict of these pairs; of two with one key the later stays.
    pub fn dict<K: Into<String>, V: Into<Self>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::Dict(
            pairs
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }

    /// The list of these values.
    pub fn list<V: Into<Self>>(values: impl IntoIterator<Item = V>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::U64(value), Self::I64)
    }
}

macro_rules! from {
    ($($variant:ident: $($type:ty),+;)*) => {$($(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )+)*};
}

from! {
    Bool: bool;
    I64: i8, i16, i32, i64, u8, u16, u32;
    F64: f32, f64;
    Bytes: Vec<u8>, &[u8];
    Str: String, &str;
    List: Vec<Self>;
    Dict: Dict;
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}
