//! The one serializer of event payloads (`docs/spec/outputs.md`, section 2).

use std::io::Write as _;

use serde_json::Value;

use super::{
    event::{MAX_DEPTH, TOO_DEEP},
    scrub::{REMOVED, Scrubber},
};

/// Appends `value`, without private keys and no deeper than [`MAX_DEPTH`] levels.
pub(super) fn push_value(out: &mut Vec<u8>, value: &Value, scrubber: &Scrubber) {
    Writer { out, scrubber }.value(value, 1);
}

/// Appends `text` as a JSON string, without private keys.
pub(super) fn push_string(out: &mut Vec<u8>, text: &str, scrubber: &Scrubber) {
    push_plain_string(out, &scrubber.text(text));
}

/// The value without private keys, for what is formatted elsewhere.
pub(super) fn scrubbed(value: Value, scrubber: &Scrubber) -> Value {
    let text = |text: String| scrubber.text(&text).into_owned();
    match value {
        Value::String(string) => Value::String(text(string)),
        Value::Array(mut list) => {
            while let Some(at) = (0..list.len()).find(|&at| scrubber.key_in_list(&list[at..]) > 0) {
                list.splice(at..at + 32, [REMOVED.into()]);
            }
            list.into_iter().map(|v| scrubbed(v, scrubber)).collect()
        }
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (text(key), scrubbed(value, scrubber)))
            .collect(),
        plain => plain,
    }
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    scrubber: &'a Scrubber,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, level: usize) {
        match value {
            Value::Null => self.out.extend_from_slice(b"null"),
            Value::Bool(true) => self.out.extend_from_slice(b"true"),
            Value::Bool(false) => self.out.extend_from_slice(b"false"),
            // There is no −0 in outputs.
            Value::Number(n) if n.is_f64() && n.as_f64() == Some(0.0) => {
                self.out.extend_from_slice(b"0.0");
            }
            Value::Number(n) => {
                // Integers as they are, others as the shortest decimal that reads back.
                write!(self.out, "{n}").expect("writing to a Vec cannot fail");
            }
            Value::String(text) => push_string(self.out, text, self.scrubber),
            Value::Array(_) | Value::Object(_) if level > MAX_DEPTH => {
                push_plain_string(self.out, TOO_DEEP);
            }
            Value::Array(list) => self.list(list, level),
            Value::Object(map) => {
                self.out.push(b'{');
                for (i, (key, value)) in map.iter().enumerate() {
                    if i > 0 {
                        self.out.push(b',');
                    }
                    push_string(self.out, key, self.scrubber);
                    self.out.push(b':');
                    self.value(value, level + 1);
                }
                self.out.push(b'}');
            }
        }
    }

    fn list(&mut self, mut list: &[Value], level: usize) {
        self.out.push(b'[');
        let mut first = true;
        while let Some(head) = list.first() {
            if !first {
                self.out.push(b',');
            }
            first = false;
            match self.scrubber.key_in_list(list) {
                0 => {
                    self.value(head, level + 1);
                    list = &list[1..];
                }
                numbers => {
                    push_plain_string(self.out, REMOVED);
                    list = &list[numbers..];
                }
            }
        }
        self.out.push(b']');
    }
}

fn push_plain_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string into a Vec cannot fail");
}
