//! JSON values as CBOR and back (`docs/spec/sidecar.md`, section 2).

use std::convert::Infallible;

use minicbor::{Decoder, Encoder, data::Type, decode, encode};
use serde_json::{Map, Number, Value};

/// The deepest nesting that is read: that of an event's payload and a little more.
const MAX_DEPTH: usize = 64;
/// The most values in one payload, as for adapters in process (`docs/spec/adapters.md`, section 6).
const MAX_NODES: usize = 1_000_000;

/// The result of writing to memory.
pub(super) type Written = Result<(), encode::Error<Infallible>>;

/// Writes a JSON value.
pub(super) fn write(out: &mut Encoder<&mut Vec<u8>>, value: &Value) -> Written {
    match value {
        Value::Null => out.null()?.ok(),
        Value::Bool(value) => out.bool(*value)?.ok(),
        Value::String(text) => out.str(text)?.ok(),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(value), _, _) => out.u64(value)?.ok(),
            (None, Some(value), _) => out.i64(value)?.ok(),
            (None, None, value) => out.f64(value.unwrap_or(f64::NAN))?.ok(),
        },
        Value::Array(items) => {
            out.array(items.len() as u64)?;
            items.iter().try_for_each(|item| write(out, item))
        }
        Value::Object(fields) => {
            out.map(fields.len() as u64)?;
            fields.iter().try_for_each(|(key, item)| {
                out.str(key)?;
                write(out, item)
            })
        }
    }
}

/// Reads any CBOR value that has a JSON form: bytes become hex, numbers that are not finite null,
/// integers beyond 64 bits decimal text.
pub(super) fn read(input: &mut Decoder<'_>) -> Result<Value, decode::Error> {
    Reader { nodes: 0 }.value(input, 0)
}

struct Reader {
    nodes: usize,
}

impl Reader {
    fn value(&mut self, input: &mut Decoder<'_>, depth: usize) -> Result<Value, decode::Error> {
        self.nodes += 1;
        if self.nodes > MAX_NODES || depth > MAX_DEPTH {
            return Err(decode::Error::message(
                "a payload holds too many or too deep values",
            ));
        }
        Ok(match input.datatype()? {
            Type::Null | Type::Undefined => {
                input.skip()?;
                Value::Null
            }
            Type::Bool => Value::Bool(input.bool()?),
            Type::String => Value::String(input.str()?.to_owned()),
            Type::Bytes => Value::String(hex(input.bytes()?)),
            Type::F32 => float(f64::from(input.f32()?)),
            Type::F64 => float(input.f64()?),
            Type::Array => {
                let count = counted(input.array()?)?;
                let items = (0..count).map(|_| self.value(input, depth + 1));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Type::Map => {
                let mut fields = Map::new();
                for _ in 0..counted(input.map()?)? {
                    let key = input.str()?.to_owned();
                    fields.insert(key, self.value(input, depth + 1)?);
                }
                Value::Object(fields)
            }
            kind if is_integer(kind) => {
                let number = i128::from(input.int()?);
                if let Ok(number) = u64::try_from(number) {
                    number.into()
                } else if let Ok(number) = i64::try_from(number) {
                    number.into()
                } else {
                    number.to_string().into()
                }
            }
            other => return Err(decode::Error::type_mismatch(other)),
        })
    }
}

/// The length of an array or map; the indefinite form is not part of the protocol.
pub(super) fn counted(count: Option<u64>) -> Result<u64, decode::Error> {
    count.ok_or_else(|| decode::Error::message("indefinite lengths are not part of the protocol"))
}

fn is_integer(kind: Type) -> bool {
    use Type::{I8, I16, I32, I64, Int, U8, U16, U32, U64};
    matches!(kind, U8 | U16 | U32 | U64 | I8 | I16 | I32 | I64 | Int)
}

fn float(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn encoded(value: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut Encoder::new(&mut bytes), value).unwrap();
        bytes
    }

    fn json_values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>()
                .prop_filter("finite", |v| v.is_finite())
                .prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..8)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in json_values()) {
            let bytes = encoded(&value);
            let mut input = Decoder::new(&bytes);
            prop_assert_eq!(read(&mut input).unwrap(), value);
            prop_assert_eq!(input.position(), bytes.len());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut input = Decoder::new(&bytes);
            if read(&mut input).is_ok() {
                prop_assert!(input.position() <= bytes.len());
            }
        }
    }

    #[test]
    fn foreign_values_take_their_json_form() {
        // {"b": h'00ff', "n": NaN (single), "i": -2^64, "u": undefined}
        let bytes = b"\xa4\x61b\x42\x00\xff\x61n\xfa\x7f\xc0\x00\x00\x61i\x3b\xff\xff\xff\xff\xff\xff\xff\xff\x61u\xf7";
        assert_eq!(
            read(&mut Decoder::new(bytes)).unwrap(),
            json!({"b": "00ff", "n": null, "i": "-18446744073709551616", "u": null})
        );
    }

    #[test]
    fn depth_and_counts_are_bounded() {
        assert!(read(&mut Decoder::new(&[0x81; 1000])).is_err());
        // An array that claims 2^60 elements and holds one.
        assert!(read(&mut Decoder::new(b"\x9b\x10\0\0\0\0\0\0\0\x01")).is_err());
        assert!(read(&mut Decoder::new(b"\x9f\xff")).is_err());
    }
}
