use core::ops::Range;

use serde::ser::{self, Serialize};

use super::{
    MAX_DEPTH, SerdeError, ValueError,
    ValueErrorKind::{Depth, DuplicateKey, TooLong},
    encode::{put_bool, put_bytes, put_f64, put_i64, put_len, put_str, put_u64},
    tag,
};

/// Writes a Rust value (`docs/spec/stt-value.md` §5): equal values have equal bytes.
///
/// # Errors
/// [`SerdeError`].
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, SerdeError> {
    let mut serializer = Serializer::default();
    value.serialize(&mut serializer)?;
    Ok(serializer.out)
}

/// Writes what serde gives it. Made by [`to_vec`].
#[derive(Debug, Default)]
pub struct Serializer {
    out: Vec<u8>,
    depth: usize,
    /// The pairs of all dicts that are being written, those of the innermost last: to be sorted
    /// once the dict is whole.
    pairs: Vec<Pair>,
}

/// Where a pair stands in the bytes written.
#[derive(Clone, Debug)]
struct Pair {
    /// Of the text of its key.
    key: Range<usize>,
    /// Where the pair ends.
    end: usize,
}

/// A list or dict that is being written. Made by [`Serializer`].
#[derive(Debug)]
pub struct Compound<'a> {
    serializer: &'a mut Serializer,
    /// Where its tag stands.
    begin: usize,
    count: usize,
    /// For a dict, how many pairs of outer ones there are.
    outer: usize,
    /// Whether it is the content of a variant, so that the dict of one pair around it ends, too.
    variant: bool,
}

impl Serializer {
    fn open(&mut self, tag: u8, variant: bool) -> Result<Compound<'_>, SerdeError> {
        self.deeper()?;
        let begin = self.out.len();
        put_len(&mut self.out, tag, 0)?;
        let outer = self.pairs.len();
        Ok(Compound {
            serializer: self,
            begin,
            count: 0,
            outer,
            variant,
        })
    }

    /// The dict of one pair around the content of a variant.
    fn open_variant(&mut self, name: &str) -> Result<(), SerdeError> {
        self.deeper()?;
        put_len(&mut self.out, tag::DICT, 1)?;
        Ok(put_str(&mut self.out, name)?)
    }

    fn deeper(&mut self) -> Result<(), ValueError> {
        if self.depth == MAX_DEPTH {
            return Err(ValueError {
                offset: self.out.len(),
                kind: Depth,
            });
        }
        self.depth += 1;
        Ok(())
    }
}

impl Compound<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerdeError> {
        self.count += 1;
        value.serialize(&mut *self.serializer)
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerdeError> {
        self.count += 1;
        let begin = self.serializer.out.len();
        key.serialize(&mut *self.serializer)?;
        let out = &self.serializer.out;
        if out.get(begin) != Some(&tag::STR) {
            return Err(SerdeError::KeyNotText);
        }
        self.serializer.pairs.push(Pair {
            key: begin + 5..out.len(),
            end: out.len(),
        });
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerdeError> {
        value.serialize(&mut *self.serializer)?;
        let end = self.serializer.out.len();
        if let Some(pair) = self.serializer.pairs.last_mut() {
            pair.end = end;
        }
        Ok(())
    }

    /// Now that all elements are written: their count, and how deep we are without them.
    fn finish(self) -> Result<(), SerdeError> {
        let Serializer { out, depth, .. } = self.serializer;
        let count = u32::try_from(self.count).map_err(|_| ValueError {
            offset: self.begin,
            kind: TooLong,
        })?;
        out[self.begin + 1..self.begin + 5].copy_from_slice(&count.to_be_bytes());
        *depth -= 1 + usize::from(self.variant);
        Ok(())
    }

    /// The same for a dict, whose pairs come in the order in which the type gave them.
    fn finish_dict(self) -> Result<(), SerdeError> {
        let Serializer { out, pairs, .. } = &mut *self.serializer;
        let own = &mut pairs[self.outer..];
        let text = |pair: &Pair| &out[pair.key.clone()];
        if !own.is_sorted_by(|a, b| text(a) < text(b)) {
            own.sort_by(|a, b| text(a).cmp(text(b)));
            if let Some(two) = own.windows(2).find(|two| text(&two[0]) == text(&two[1])) {
                return Err(SerdeError::Value(ValueError {
                    offset: two[1].key.start - 5,
                    kind: DuplicateKey,
                }));
            }
            let first = self.begin + 5;
            let mut sorted = Vec::with_capacity(out.len() - first);
            for pair in own {
                sorted.extend_from_slice(&out[pair.key.start - 5..pair.end]);
            }
            out[first..].copy_from_slice(&sorted);
        }
        pairs.truncate(self.outer);
        self.finish()
    }
}

impl<'a> ser::Serializer for &'a mut Serializer {
    type Ok = ();
    type Error = SerdeError;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), SerdeError> {
        put_bool(&mut self.out, value);
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), SerdeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), SerdeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), SerdeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), SerdeError> {
        put_i64(&mut self.out, value);
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result<(), SerdeError> {
        if let Ok(value) = i64::try_from(value) {
            return self.serialize_i64(value);
        }
        let value = u64::try_from(value).map_err(|_| SerdeError::IntegerRange)?;
        self.serialize_u64(value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), SerdeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), SerdeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), SerdeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), SerdeError> {
        put_u64(&mut self.out, value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), SerdeError> {
        let value = u64::try_from(value).map_err(|_| SerdeError::IntegerRange)?;
        self.serialize_u64(value)
    }

    fn serialize_f32(self, value: f32) -> Result<(), SerdeError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), SerdeError> {
        put_f64(&mut self.out, value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), SerdeError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), SerdeError> {
        Ok(put_str(&mut self.out, value)?)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), SerdeError> {
        Ok(put_bytes(&mut self.out, value)?)
    }

    fn serialize_none(self) -> Result<(), SerdeError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), SerdeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), SerdeError> {
        self.out.push(tag::NULL);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), SerdeError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), SerdeError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), SerdeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), SerdeError> {
        self.open_variant(variant)?;
        value.serialize(&mut *self)?;
        self.depth -= 1;
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a>, SerdeError> {
        self.open(tag::LIST, false)
    }

    fn serialize_tuple(self, _: usize) -> Result<Compound<'a>, SerdeError> {
        self.open(tag::LIST, false)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Compound<'a>, SerdeError> {
        self.open(tag::LIST, false)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, SerdeError> {
        self.open_variant(variant)?;
        self.open(tag::LIST, true)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'a>, SerdeError> {
        self.open(tag::DICT, false)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Compound<'a>, SerdeError> {
        self.open(tag::DICT, false)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, SerdeError> {
        self.open_variant(variant)?;
        self.open(tag::DICT, true)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The kinds of list differ in the name of their method only.
macro_rules! list {
    ($($kind:ident $method:ident)*) => {$(
        impl ser::$kind for Compound<'_> {
            type Ok = ();
            type Error = SerdeError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerdeError> {
                self.element(value)
            }

            fn end(self) -> Result<(), SerdeError> {
                self.finish()
            }
        }
    )*};
}

list! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

impl ser::SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = SerdeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerdeError> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerdeError> {
        self.value(value)
    }

    fn end(self) -> Result<(), SerdeError> {
        self.finish_dict()
    }
}

/// As are the kinds of struct.
macro_rules! fields {
    ($($kind:ident)*) => {$(
        impl ser::$kind for Compound<'_> {
            type Ok = ();
            type Error = SerdeError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), SerdeError> {
                self.key(name)?;
                self.value(value)
            }

            fn end(self) -> Result<(), SerdeError> {
                self.finish_dict()
            }
        }
    )*};
}

fields! { SerializeStruct SerializeStructVariant }
