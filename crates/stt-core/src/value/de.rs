use serde::de::{
    self, Deserialize, DeserializeSeed, IntoDeserializer, Unexpected, Visitor,
    value::{BorrowedStrDeserializer, StrDeserializer},
};

use super::{Reader, SerdeError, Token, ValueError, ValueErrorKind::Truncated};

/// Reads a Rust value, the whole of `bytes` (`docs/spec/stt-value.md` §5). Text and bytes can be
/// borrowed.
///
/// # Errors
/// [`SerdeError`].
pub fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, SerdeError> {
    let mut deserializer = Deserializer::new(bytes);
    T::deserialize(&mut deserializer)
}

/// Gives serde what a document holds.
#[derive(Debug)]
pub struct Deserializer<'de> {
    reader: Reader<'de>,
    /// A token that was looked at and not taken yet.
    ahead: Option<Token<'de>>,
}

impl<'de> Deserializer<'de> {
    /// Reads the document that `bytes` is.
    pub fn new(bytes: &'de [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
            ahead: None,
        }
    }

    fn next(&mut self) -> Result<Token<'de>, SerdeError> {
        if let Some(token) = self.ahead.take() {
            return Ok(token);
        }
        let token = self.reader.next_token()?;
        // The reader has an end of its own only after the whole document.
        token.ok_or(SerdeError::Value(ValueError {
            offset: self.reader.position(),
            kind: Truncated,
        }))
    }
}

impl<'de> de::Deserializer<'de> for &mut Deserializer<'de> {
    type Error = SerdeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.next()? {
            Token::Null => visitor.visit_unit(),
            Token::Bool(value) => visitor.visit_bool(value),
            Token::I64(value) => visitor.visit_i64(value),
            Token::U64(value) => visitor.visit_u64(value),
            Token::F64(value) => visitor.visit_f64(value),
            Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::Str(text) | Token::Key(text) => visitor.visit_borrowed_str(text),
            Token::List(count) => {
                let mut elements = Elements {
                    deserializer: self,
                    left: count,
                };
                let value = visitor.visit_seq(&mut elements)?;
                elements.finish(count)?;
                Ok(value)
            }
            Token::Dict(count) => {
                let mut elements = Elements {
                    deserializer: self,
                    left: count,
                };
                let value = visitor.visit_map(&mut elements)?;
                elements.finish(count)?;
                Ok(value)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.next()? {
            Token::Null => visitor.visit_none(),
            token => {
                self.ahead = Some(token);
                visitor.visit_some(self)
            }
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        match self.next()? {
            Token::Str(name) => {
                let name: StrDeserializer<'_, SerdeError> = name.into_deserializer();
                visitor.visit_enum(name)
            }
            Token::Dict(1) => visitor.visit_enum(Variant { deserializer: self }),
            other => Err(de::Error::invalid_type(
                unexpected(other),
                &"a variant's name, or a dict of one pair",
            )),
        }
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// What is left of a list or dict.
struct Elements<'a, 'de> {
    deserializer: &'a mut Deserializer<'de>,
    left: u32,
}

impl Elements<'_, '_> {
    /// A type that takes fewer elements than there are would lose some.
    fn finish(&self, count: u32) -> Result<(), SerdeError> {
        if self.left == 0 {
            return Ok(());
        }
        let taken = count - self.left;
        Err(de::Error::custom(format_args!(
            "{count} elements, of which only {taken} are expected"
        )))
    }
}

impl<'de> de::SeqAccess<'de> for &mut Elements<'_, 'de> {
    type Error = SerdeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, SerdeError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.deserializer).map(Some)
    }

    // No size hint: the count is the input's word only (§3.2).
}

impl<'de> de::MapAccess<'de> for &mut Elements<'_, 'de> {
    type Error = SerdeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, SerdeError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        key(self.deserializer, seed).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, SerdeError> {
        seed.deserialize(&mut *self.deserializer)
    }
}

/// A variant with content: a dict of one pair.
struct Variant<'a, 'de> {
    deserializer: &'a mut Deserializer<'de>,
}

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de> {
    type Error = SerdeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), SerdeError> {
        Ok((key(self.deserializer, seed)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = SerdeError;

    fn unit_variant(self) -> Result<(), SerdeError> {
        Deserialize::deserialize(self.deserializer)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, SerdeError> {
        seed.deserialize(self.deserializer)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, SerdeError> {
        de::Deserializer::deserialize_any(self.deserializer, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        de::Deserializer::deserialize_any(self.deserializer, visitor)
    }
}

fn key<'de, K: DeserializeSeed<'de>>(
    deserializer: &mut Deserializer<'de>,
    seed: K,
) -> Result<K::Value, SerdeError> {
    match deserializer.next()? {
        Token::Key(key) => seed.deserialize(BorrowedStrDeserializer::new(key)),
        other => Err(de::Error::invalid_type(unexpected(other), &"a key")),
    }
}

fn unexpected(token: Token<'_>) -> Unexpected<'_> {
    match token {
        Token::Null => Unexpected::Unit,
        Token::Bool(value) => Unexpected::Bool(value),
        Token::I64(value) => Unexpected::Signed(value),
        Token::U64(value) => Unexpected::Unsigned(value),
        Token::F64(value) => Unexpected::Float(value),
        Token::Bytes(bytes) => Unexpected::Bytes(bytes),
        Token::Str(text) | Token::Key(text) => Unexpected::Str(text),
        Token::List(_) => Unexpected::Seq,
        Token::Dict(_) => Unexpected::Map,
    }
}
