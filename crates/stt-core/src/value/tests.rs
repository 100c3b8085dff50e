use std::collections::BTreeMap;

use proptest::{prelude::*, sample::Index};
use serde::{Deserialize, Serialize};

use super::{ValueErrorKind::*, *};

fn error(bytes: &[u8]) -> (ValueErrorKind, usize) {
    let error = deserialize(bytes).expect_err("no value");
    (error.kind, error.offset)
}

/// The values of `docs/spec/stt-value.md`, one for each written tag and each border.
#[test]
fn annotated() {
    for (value, bytes) in [
        (Value::Null, &[0x00][..]),
        (false.into(), &[0x01]),
        (true.into(), &[0x02]),
        (0.into(), &[0x10, 0x00]),
        ((-128).into(), &[0x10, 0x80]),
        (127.into(), &[0x10, 0x7f]),
        (128.into(), &[0x11, 0x00, 0x80]),
        ((-129).into(), &[0x11, 0xff, 0x7f]),
        (32_768.into(), &[0x12, 0x00, 0x00, 0x80, 0x00]),
        (
            Value::I64(1 << 31),
            &[0x13, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00],
        ),
        (
            Value::I64(i64::MIN),
            &[0x13, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
        ),
        (
            Value::U64(1 << 63),
            &[0x17, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
        ),
        (
            1.5.into(),
            &[0x21, 0x3f, 0xf8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
        ),
        (
            (-0.0).into(),
            &[0x21, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
        ),
        ([0xde, 0xad].into(), &[0x30, 0, 0, 0, 2, 0xde, 0xad]),
        ("é".into(), &[0x31, 0, 0, 0, 2, 0xc3, 0xa9]),
        (
            Value::list([Value::Null, true.into()]),
            &[0x40, 0, 0, 0, 2, 0x00, 0x02],
        ),
        (
            Value::dict([("b", Value::list::<Value>([])), ("a", 1.into())]),
            &[
                0x41, 0, 0, 0, 2, // two pairs
                0x31, 0, 0, 0, 1, b'a', 0x10, 0x01, // "a": 1
                0x31, 0, 0, 0, 1, b'b', 0x40, 0, 0, 0, 0, // "b": []
            ],
        ),
    ] {
        assert_eq!(serialize(&value).unwrap(), bytes, "{value:?}");
        assert_eq!(encoded_len(&value), Ok(bytes.len()));
        assert_eq!(deserialize(bytes), Ok(value));
    }
}

#[test]
fn every_nan_is_written_alike() {
    let canonical = [0x21, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0];
    for nan in [f64::NAN, -f64::NAN, f64::from_bits(0x7ff0_0000_0000_0001)] {
        assert_eq!(serialize(&nan.into()).unwrap(), canonical);
    }
    assert!(matches!(deserialize(&canonical), Ok(Value::F64(value)) if value.is_nan()));
}

#[test]
fn unsigned_and_short_floats_are_read_only() {
    for (bytes, value) in [
        (&[0x14, 0xff][..], Value::I64(255)),
        (&[0x15, 0x00, 0x05], Value::I64(5)),
        (&[0x16, 0xff, 0xff, 0xff, 0xff], Value::I64(u32::MAX.into())),
        (&[0x17, 0, 0, 0, 0, 0, 0, 0, 42], Value::I64(42)),
        (&[0x20, 0x3f, 0x00, 0x00, 0x00], Value::F64(0.5)),
    ] {
        assert_eq!(deserialize(bytes), Ok(value.clone()));
        assert_ne!(serialize(&value).unwrap(), bytes);
    }
    assert_eq!(serialize(&Value::U64(5)).unwrap(), [0x10, 5]);
}

#[test]
fn each_error_and_where() {
    for (bytes, kind, offset) in [
        (&[][..], Truncated, 0),
        (&[0x03], UnknownTag(0x03), 0),
        (&[0xff, 0x00], UnknownTag(0xff), 0),
        (&[0x00, 0x00, 0x00], Trailing(2), 1),
        (&[0x11, 0x00], Truncated, 2),
        (&[0x11, 0x00, 0x7f], NotShortest, 0),
        (&[0x12, 0xff, 0xff, 0x80, 0x00], NotShortest, 0),
        (&[0x13, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff], NotShortest, 0),
        (&[0x20, 0x7f, 0xc0, 0x00, 0x01], Nan, 0),
        (&[0x21, 0xff, 0xf8, 0, 0, 0, 0, 0, 0], Nan, 0),
        (&[0x30, 0, 0, 0], Truncated, 4),
        (
            &[0x30, 0, 0, 0, 2, 0],
            Length {
                len: 2,
                remaining: 1,
            },
            1,
        ),
        (&[0x31, 0, 0, 0, 3, b'a', 0xc3, b'b'], Utf8, 6),
        (
            &[0x40, 0xff, 0xff, 0xff, 0xff, 0],
            Count {
                count: u32::MAX,
                remaining: 1,
            },
            1,
        ),
        (&[0x40, 0, 0, 0, 2, 0x10, 0x00], Truncated, 7),
        (
            &[0x41, 0, 0, 0, 1, 0x31, 0, 0, 0, 0],
            Count {
                count: 1,
                remaining: 5,
            },
            1,
        ),
        (&[0x41, 0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0], KeyTag(0x10), 5),
        (
            &[0x41, 0, 0, 0, 2, 0x31, 0, 0, 0, 0, 0, 0x31, 0, 0, 0, 0, 0],
            DuplicateKey,
            11,
        ),
        (
            &[
                0x41, 0, 0, 0, 2, 0x31, 0, 0, 0, 1, b'b', 0, 0x31, 0, 0, 0, 1, b'a', 0,
            ],
            UnsortedKeys,
            12,
        ),
    ] {
        assert_eq!(error(bytes), (kind, offset), "{bytes:02x?}");
    }
    let text = deserialize(&[0x30, 0, 0, 0, 9]).unwrap_err().to_string();
    assert_eq!(text, "a length of 9 with 0 bytes left at byte 1");
}

#[test]
fn sixty_four_deep_and_no_deeper() {
    let list = |depth: usize| {
        let mut bytes = [0x40, 0, 0, 0, 1].repeat(depth - 1);
        bytes.extend([0x40, 0, 0, 0, 0]);
        bytes
    };
    let deepest = deserialize(&list(64)).unwrap();
    assert_eq!(serialize(&deepest).unwrap(), list(64));
    assert_eq!(error(&list(65)), (Depth, 64 * 5));
    let deeper = Value::List(vec![deepest]);
    let error = serialize(&deeper).unwrap_err();
    assert_eq!((error.kind, error.offset), (Depth, 64 * 5));

    // Far deeper, as an attacker would: refused at the same place.
    let mut bytes = [0x40, 0, 0, 0, 1].repeat(100_000);
    bytes.push(0);
    assert_eq!(deserialize(&bytes).unwrap_err().offset, 64 * 5);
}

#[test]
fn the_reader_borrows_and_ends() {
    let bytes = serialize(&Value::dict([("k", Value::list([1, 2]))])).unwrap();
    let mut reader = Reader::new(&bytes);
    let mut tokens = Vec::new();
    while let Some(token) = reader.next_token().unwrap() {
        tokens.push(token);
    }
    let expected = [
        Token::Dict(1),
        Token::Key("k"),
        Token::List(2),
        Token::I64(1),
        Token::I64(2),
    ];
    assert_eq!(tokens, expected);
    assert_eq!(reader.position(), bytes.len());
    let mut reader = Reader::new(&[0xff]);
    assert!(reader.next_token().is_err());
    assert_eq!(reader.next_token(), Ok(None));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Everything<'a> {
    zeta: u8,
    alpha: Option<i64>,
    text: &'a str,
    tuple: (bool, char, f32),
    list: Vec<Kind>,
    map: BTreeMap<String, u64>,
    nothing: (),
    wide: i128,
    inner: Wrapper,
    any: Value,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wrapper(u16);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Unit,
    New(i8),
    Tuple(u8, String),
    Struct { b: Option<bool>, a: Vec<()> },
}

#[test]
fn serde_types_come_back_and_fields_are_sorted() {
    let value = Everything {
        zeta: 200,
        alpha: None,
        text: "borrowed",
        tuple: (true, 'é', 0.5),
        list: vec![
            Kind::Unit,
            Kind::New(-1),
            Kind::Tuple(1, "x".to_owned()),
            Kind::Struct {
                b: Some(true),
                a: vec![(), ()],
            },
        ],
        map: BTreeMap::from([("a".to_owned(), u64::MAX)]),
        nothing: (),
        wide: i128::from(i64::MIN),
        inner: Wrapper(7),
        any: Value::dict([("x", Value::Bytes(vec![1]))]),
    };
    let bytes = to_vec(&value).unwrap();
    assert_eq!(from_slice::<Everything<'_>>(&bytes).unwrap(), value);

    // The same document as by hand, and canonical.
    let Ok(Value::Dict(dict)) = deserialize(&bytes) else {
        panic!("no dict");
    };
    let keys: Vec<&str> = dict.iter().map(|(key, _)| key).collect();
    assert!(keys.is_sorted() && keys.len() == 10);
    assert_eq!(dict.get("zeta"), Some(&Value::I64(200)));
    let kinds = Value::list([
        Value::from("Unit"),
        Value::dict([("New", -1)]),
        Value::dict([("Tuple", Value::list([Value::from(1), "x".into()]))]),
        Value::dict([(
            "Struct",
            Value::dict([
                ("a", Value::list([Value::Null, Value::Null])),
                ("b", true.into()),
            ]),
        )]),
    ]);
    assert_eq!(dict.get("list"), Some(&kinds));
    assert_eq!(serialize(&Value::Dict(dict)).unwrap(), bytes);
}

#[test]
fn serde_refuses_what_has_no_form() {
    assert_eq!(to_vec(&(1_i128 << 64)), Err(SerdeError::IntegerRange));
    assert_eq!(
        to_vec(&BTreeMap::from([(1, 2)])),
        Err(SerdeError::KeyNotText)
    );

    struct Twice;
    impl Serialize for Twice {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([("b", 1), ("a", 2), ("b", 3)])
        }
    }
    let duplicate = ValueError {
        offset: 21,
        kind: DuplicateKey,
    };
    assert_eq!(to_vec(&Twice), Err(duplicate.into()));

    let mut deep = Value::Null;
    for _ in 0..65 {
        deep = Value::List(vec![deep]);
    }
    let Err(SerdeError::Value(error)) = to_vec(&deep) else {
        panic!("too deep");
    };
    assert_eq!(error.kind, Depth);
}

#[test]
fn serde_loses_no_elements() {
    let three = serialize(&Value::list([1, 2, 3])).unwrap();
    let error = from_slice::<(u8, u8)>(&three).unwrap_err();
    assert_eq!(
        error.to_string(),
        "3 elements, of which only 2 are expected"
    );
    assert!(from_slice::<u8>(&[0x10, 0x01, 0x00]).is_err(), "trailing");
    assert!(from_slice::<u8>(&[0x11, 0x01, 0x00]).is_err(), "256");
    assert!(from_slice::<Kind>(&[0x10, 0x01]).is_err());
    assert_eq!(from_slice::<f64>(&[0x10, 0x01]), Ok(1.0));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        // Every length is as likely as every other.
        (any::<i64>(), 0_u32..64).prop_map(|(value, shift)| Value::I64(value >> shift)),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            proptest::collection::vec((any::<String>(), inner), 0..6).prop_map(Value::dict),
        ]
    })
}

proptest! {
    #[test]
    fn round_trip(value in value()) {
        let bytes = serialize(&value).unwrap();
        prop_assert_eq!(encoded_len(&value), Ok(bytes.len()));
        prop_assert_eq!(&deserialize(&bytes).unwrap(), &value);
        prop_assert_eq!(&to_vec(&value).unwrap(), &bytes, "serde writes the same");
        prop_assert_eq!(from_slice::<Value>(&bytes).unwrap(), value);
    }

    #[test]
    fn every_truncation_is_an_error(value in value(), end: Index) {
        let bytes = serialize(&value).unwrap();
        prop_assert!(deserialize(&bytes[..end.index(bytes.len())]).is_err());
    }

    #[test]
    fn flipped(value in value(), bit: Index) {
        let mut bytes = serialize(&value).unwrap();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        crate::__fuzz::value(&bytes);
    }

    #[test]
    fn any_bytes(bytes: Vec<u8>) {
        crate::__fuzz::value(&bytes);
    }

    /// Tags and small counts, so that more than the first byte is looked at.
    #[test]
    fn likely_bytes(bytes in proptest::collection::vec(
        prop_oneof![Just(0_u8), 0_u8..4, Just(0x10), Just(0x31), Just(0x40), Just(0x41)],
        0..60,
    )) {
        crate::__fuzz::value(&bytes);
    }
}
