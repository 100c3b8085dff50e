//! YAML as a tree that knows its lines (`docs/spec/scenario.md`, section 2).

mod reader;
mod scalar;
mod writer;

pub(super) use reader::read;
pub(super) use writer::write;

use serde_json::{Map, Value};

/// A value with the line where it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) content: Content,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A scalar of the core schema of YAML 1.2.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    /// A number with its spelling.
    Number(Number, String),
    Text(String),
}

/// A number as far as JSON can hold it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    Fits(serde_json::Number),
    /// `.nan`, `.inf`, or beyond the range of a double.
    NotFinite,
    /// An integer beyond 64 bits.
    TooLong,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where the key is written.
    pub(super) line: usize,
    pub(super) value: Node,
}

impl Node {
    pub(super) const fn new(line: usize, content: Content) -> Self {
        Self { line, content }
    }

    pub(super) fn text(line: usize, text: impl Into<String>) -> Self {
        Self::new(line, Content::Scalar(Scalar::Text(text.into())))
    }

    pub(super) const fn is_null(&self) -> bool {
        matches!(self.content, Content::Scalar(Scalar::Null))
    }

    pub(super) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Mapping(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.content {
            Content::Mapping(entries) => entries
                .iter_mut()
                .find(|entry| entry.key == key)
                .map(|entry| &mut entry.value),
            _ => None,
        }
    }

    /// Takes an entry out of a mapping.
    pub(super) fn remove(&mut self, key: &str) -> Option<Entry> {
        let Content::Mapping(entries) = &mut self.content else {
            return None;
        };
        let at = entries.iter().position(|entry| entry.key == key)?;
        Some(entries.remove(at))
    }

    /// Replaces or appends an entry; a null becomes a mapping. False when this is no mapping.
    pub(super) fn insert(&mut self, key: &str, line: usize, value: Self) -> bool {
        if self.is_null() {
            self.content = Content::Mapping(Vec::new());
        }
        if let Some(old) = self.get_mut(key) {
            *old = value;
            return true;
        }
        let Content::Mapping(entries) = &mut self.content else {
            return false;
        };
        entries.push(Entry {
            key: key.to_owned(),
            line,
            value,
        });
        true
    }

    /// The line of the value at a path of keys and indices: of the key where there is one. Ends at
    /// the deepest part that exists.
    pub(super) fn line_at<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> usize {
        let mut node = self;
        let mut line = self.line;
        for part in path {
            match &node.content {
                Content::Mapping(entries) => match entries.iter().find(|e| e.key == part) {
                    Some(entry) => {
                        line = entry.line;
                        node = &entry.value;
                    }
                    None => break,
                },
                Content::Sequence(items) => {
                    match part.parse::<usize>().ok().and_then(|i| items.get(i)) {
                        Some(item) => {
                            line = item.line;
                            node = item;
                        }
                        None => break,
                    }
                }
                Content::Scalar(_) => break,
            }
        }
        line
    }

    /// As JSON; a number that JSON lacks is null and must have been refused before.
    pub(super) fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(scalar) => scalar.to_value(),
            Content::Sequence(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Content::Mapping(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.value.to_value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }
}

impl Scalar {
    fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Number(Number::Fits(number), _) => Value::Number(number.clone()),
            Self::Number(..) => Value::Null,
            Self::Text(text) => Value::String(text.clone()),
        }
    }
}
