//! Values as YAML that reads back as the same values.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Content, Scalar, scalar};

/// A mapping in block style, its keys in their order; lists hold one item a line.
pub(in crate::scenario) fn write(mapping: &Map<String, Value>) -> String {
    let mut out = String::new();
    block(&mut out, mapping, 0);
    out
}

fn block(out: &mut String, mapping: &Map<String, Value>, depth: usize) {
    for (key, value) in mapping {
        indent(out, depth);
        text(out, key);
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push_str(":\n");
                block(out, inner, depth + 1);
            }
            Value::Array(items) if items.iter().any(|v| v.is_object() || v.is_array()) => {
                out.push_str(":\n");
                for item in items {
                    indent(out, depth + 1);
                    out.push_str("- ");
                    flow(out, item);
                    out.push('\n');
                }
            }
            _ => {
                out.push_str(": ");
                flow(out, value);
                out.push('\n');
            }
        }
    }
}

fn flow(out: &mut String, value: &Value) {
    match value {
        Value::String(string) => text(out, string),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                flow(out, item);
            }
            out.push(']');
        }
        Value::Object(mapping) => {
            out.push('{');
            for (i, (key, value)) in mapping.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                text(out, key);
                out.push_str(": ");
                flow(out, value);
            }
            out.push('}');
        }
        // JSON's null, booleans and numbers are YAML's.
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// A string: plain where that can't be mistaken, else in double quotes.
fn text(out: &mut String, string: &str) {
    if is_plain(string) {
        out.push_str(string);
        return;
    }
    out.push('"');
    for c in string.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // Line separators, the byte order mark and what YAML calls not printable.
            c if c.is_control()
                || matches!(
                    c,
                    '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
                ) =>
            {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn is_plain(string: &str) -> bool {
    string.len() <= 128
        && string.starts_with(|c: char| c.is_ascii_alphabetic())
        && string
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'))
        && matches!(scalar::resolve(string), Scalar::Text(_))
}

impl From<Scalar> for Content {
    fn from(scalar: Scalar) -> Self {
        Self::Scalar(scalar)
    }
}
