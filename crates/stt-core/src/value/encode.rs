use super::{
    Dict, MAX_DEPTH, Value, ValueError,
    ValueErrorKind::{Depth, TooLong},
    tag,
};

/// The bytes of `value`: always the same for equal values.
///
/// # Errors
/// [`ValueError`] if it nests deeper than [`MAX_DEPTH`], or something in it is longer than
/// 4,294,967,295.
pub fn serialize(value: &Value) -> Result<Vec<u8>, ValueError> {
    let mut out = Vec::with_capacity(encoded_len(value)?);
    put(&mut out, value)?;
    Ok(out)
}

/// How many bytes [`serialize`] gives.
///
/// # Errors
/// As of [`serialize`].
pub fn encoded_len(value: &Value) -> Result<usize, ValueError> {
    let mut offset = 0;
    measure(value, MAX_DEPTH, &mut offset)?;
    Ok(offset)
}

/// Moves `offset`, where `value` begins, to where it ends. `room`: how deep it may nest.
fn measure(value: &Value, room: usize, offset: &mut usize) -> Result<(), ValueError> {
    let begin = *offset;
    let error = |kind| ValueError {
        offset: begin,
        kind,
    };
    let counted = |len: usize| match u32::try_from(len) {
        Ok(_) => Ok(5),
        Err(_) => Err(error(TooLong)),
    };
    let inside = || room.checked_sub(1).ok_or(error(Depth));
    match value {
        Value::Null | Value::Bool(_) => *offset += 1,
        Value::I64(value) => *offset += integer(*value).1,
        Value::U64(value) => *offset += unsigned(*value).1,
        Value::F64(_) => *offset += 9,
        Value::Bytes(bytes) => *offset += counted(bytes.len())? + bytes.len(),
        Value::Str(text) => *offset += counted(text.len())? + text.len(),
        Value::List(values) => {
            let room = inside()?;
            *offset += counted(values.len())?;
            for value in values {
                measure(value, room, offset)?;
            }
        }
        Value::Dict(dict) => {
            let room = inside()?;
            *offset += counted(dict.len())?;
            for (key, value) in dict.iter() {
                *offset += counted(key.len())? + key.len();
                measure(value, room, offset)?;
            }
        }
    }
    Ok(())
}

fn put(out: &mut Vec<u8>, value: &Value) -> Result<(), ValueError> {
    match value {
        Value::Null => out.push(tag::NULL),
        Value::Bool(value) => put_bool(out, *value),
        Value::I64(value) => put_i64(out, *value),
        Value::U64(value) => put_u64(out, *value),
        Value::F64(value) => put_f64(out, *value),
        Value::Bytes(bytes) => put_bytes(out, bytes)?,
        Value::Str(text) => put_str(out, text)?,
        Value::List(values) => {
            put_len(out, tag::LIST, values.len())?;
            for value in values {
                put(out, value)?;
            }
        }
        Value::Dict(dict) => put_dict(out, dict)?,
    }
    Ok(())
}

fn put_dict(out: &mut Vec<u8>, dict: &Dict) -> Result<(), ValueError> {
    put_len(out, tag::DICT, dict.len())?;
    for (key, value) in dict.iter() {
        put_str(out, key)?;
        put(out, value)?;
    }
    Ok(())
}

pub(super) fn put_bool(out: &mut Vec<u8>, value: bool) {
    out.push(if value { tag::TRUE } else { tag::FALSE });
}

#[inline]
pub(super) fn put_i64(out: &mut Vec<u8>, value: i64) {
    let (bytes, len) = integer(value);
    out.extend_from_slice(&bytes[..len]);
}

#[inline]
pub(super) fn put_u64(out: &mut Vec<u8>, value: u64) {
    let (bytes, len) = unsigned(value);
    out.extend_from_slice(&bytes[..len]);
}

/// Tag and shortest form (§2.1), and how many of the bytes that is.
#[inline]
fn integer(value: i64) -> ([u8; 9], usize) {
    let mut bytes = [0; 9];
    let (tag, len) = if i8::try_from(value).is_ok() {
        (tag::I8, 1)
    } else if i16::try_from(value).is_ok() {
        (tag::I16, 2)
    } else if i32::try_from(value).is_ok() {
        (tag::I32, 4)
    } else {
        (tag::I64, 8)
    };
    bytes[0] = tag;
    // The low bytes, moved to the front.
    bytes[1..].copy_from_slice(&(value << (64 - 8 * len)).to_be_bytes());
    (bytes, 1 + len)
}

/// The same for a number without a sign.
#[inline]
pub(crate) fn unsigned(value: u64) -> ([u8; 9], usize) {
    if let Ok(value) = i64::try_from(value) {
        return integer(value);
    }
    let mut bytes = [tag::U64; 9];
    bytes[1..].copy_from_slice(&value.to_be_bytes());
    (bytes, 9)
}

#[inline]
pub(super) fn put_f64(out: &mut Vec<u8>, value: f64) {
    let bits = if value.is_nan() {
        tag::NAN
    } else {
        value.to_bits()
    };
    put_fixed(out, tag::F64, bits.to_be_bytes());
}

#[inline]
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), ValueError> {
    put_len(out, tag::BYTES, bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(())
}

#[inline]
pub(super) fn put_str(out: &mut Vec<u8>, text: &str) -> Result<(), ValueError> {
    put_len(out, tag::STR, text.len())?;
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// A tag and a length or count.
#[inline]
pub(super) fn put_len(out: &mut Vec<u8>, tag: u8, len: usize) -> Result<(), ValueError> {
    let len = u32::try_from(len).map_err(|_| ValueError {
        offset: out.len(),
        kind: TooLong,
    })?;
    put_fixed(out, tag, len.to_be_bytes());
    Ok(())
}

#[inline]
fn put_fixed<const N: usize>(out: &mut Vec<u8>, tag: u8, bytes: [u8; N]) {
    out.push(tag);
    out.extend_from_slice(&bytes);
}
