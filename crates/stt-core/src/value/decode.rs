use super::{Dict, Reader, Token, Value, ValueError, ValueErrorKind::Truncated};

/// Reads a document, the whole of `bytes`.
///
/// # Errors
/// [`ValueError`]: what is wrong, and at which byte.
pub fn deserialize(bytes: &[u8]) -> Result<Value, ValueError> {
    let mut reader = Reader::new(bytes);
    let first = next(&mut reader)?;
    value(&mut reader, first)
}

/// The value that `token` begins. Calls itself, as deep as the reader lets values nest.
fn value(reader: &mut Reader<'_>, token: Token<'_>) -> Result<Value, ValueError> {
    Ok(match token {
        Token::Null => Value::Null,
        Token::Bool(value) => Value::Bool(value),
        Token::I64(value) => Value::I64(value),
        Token::U64(value) => Value::U64(value),
        Token::F64(value) => Value::F64(value),
        Token::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        Token::Str(text) | Token::Key(text) => Value::Str(text.to_owned()),
        Token::List(count) => {
            let mut values = Vec::with_capacity(ahead(count));
            for _ in 0..count {
                let token = next(reader)?;
                values.push(value(reader, token)?);
            }
            Value::List(values)
        }
        Token::Dict(count) => {
            let mut dict = Dict::with_capacity(ahead(count));
            for _ in 0..count {
                // A dict's tokens are a key and a value, in turn.
                if let Token::Key(key) = next(reader)? {
                    let token = next(reader)?;
                    dict.push(key.to_owned(), value(reader, token)?);
                }
            }
            Value::Dict(dict)
        }
    })
}

/// The next token of a value that is not whole yet.
fn next<'a>(reader: &mut Reader<'a>) -> Result<Token<'a>, ValueError> {
    reader.next_token()?.ok_or(ValueError {
        offset: reader.position(),
        kind: Truncated,
    })
}

/// Elements to allocate for before they are read: a few, whatever the count says (§3.2).
fn ahead(count: u32) -> usize {
    count.min(8) as usize
}
