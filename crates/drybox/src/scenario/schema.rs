//! The published schema and what its violations mean in words (`docs/spec/scenario.md`, section 3).

use std::sync::LazyLock;

use jsonschema::{Validator, error::ValidationErrorKind};
use serde_json::Value;

/// The JSON Schema of a scenario in its current form, as published.
pub const SCHEMA: &str = include_str!("../../schema/scenario.schema.json");

/// The schema as a document.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    // The text is part of the program and parsed by every test.
    serde_json::from_str(SCHEMA).expect("the published schema is JSON")
});

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    // As above.
    jsonschema::draft202012::new(&DOCUMENT).expect("the published schema is a schema")
});

/// One violation.
pub(super) struct Violation {
    /// Keys and indices down to the value, or to the key that should not be there.
    pub(super) path: Vec<String>,
    pub(super) message: String,
}

/// Everything in which a document violates the schema.
pub(super) fn violations(document: &Value) -> Vec<Violation> {
    let mut found = Vec::new();
    for error in VALIDATOR.iter_errors(document) {
        let path = parts(error.instance_path().as_str());
        let schema = place(&path);
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for key in unexpected {
                    let mut path = path.clone();
                    path.push(key.clone());
                    found.push(Violation {
                        path,
                        message: unknown_key(schema, key),
                    });
                }
            }
            ValidationErrorKind::Required { property } => found.push(Violation {
                message: format!("the key {} is missing", property.as_str().unwrap_or("?")),
                path,
            }),
            kind => {
                let secret = path.first().is_some_and(|key| key == "crypto");
                let value = document.pointer(error.instance_path().as_str());
                found.push(Violation {
                    message: wrong_value(kind, value.unwrap_or(&Value::Null), schema, secret),
                    path,
                });
            }
        }
        if found.len() > super::notice::MAX_PROBLEMS {
            break;
        }
    }
    found
}

/// The part of the schema that rules the value at a path of keys and indices; `Null` if none does.
pub(super) fn place<S: AsRef<str>>(path: &[S]) -> &'static Value {
    let mut schema: &'static Value = &DOCUMENT;
    for part in path {
        schema = child(schema, part.as_ref());
    }
    schema
}

/// The part of the schema that rules one key or item of what `schema` rules.
pub(super) fn child(schema: &'static Value, key: &str) -> &'static Value {
    let next = match &schema["properties"][key] {
        Value::Null if key.parse::<usize>().is_ok() && !schema["items"].is_null() => {
            &schema["items"]
        }
        Value::Null => match &schema["additionalProperties"] {
            rest @ Value::Object(_) => rest,
            _ => &Value::Null,
        },
        found => found,
    };
    match next["$ref"].as_str() {
        Some(reference) => DOCUMENT
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or(&Value::Null),
        None => next,
    }
}

/// The keys that the schema names at a place.
pub(super) fn keys(schema: &'static Value) -> impl Iterator<Item = &'static str> {
    schema["properties"]
        .as_object()
        .into_iter()
        .flat_map(|properties| properties.keys().map(String::as_str))
}

/// Whether a list here is a sweep: the schema wants a number, or a list of numbers.
pub(super) fn sweeps(schema: &Value) -> bool {
    let mut types = types(schema);
    types.any(|kind| kind == "array")
        && matches!(schema["items"]["type"].as_str(), Some("number" | "integer"))
}

fn types(schema: &Value) -> impl Iterator<Item = &str> {
    let kind = &schema["type"];
    kind.as_str().into_iter().chain(
        kind.as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str),
    )
}

/// The known key that was probably meant.
pub(super) fn nearest(schema: &'static Value, key: &str) -> Option<&'static str> {
    let limit = match key.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    let folded = key.to_lowercase().replace('-', "_");
    keys(schema)
        .filter(|known| *known != key)
        .map(|known| (distance(&folded, known), known))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, known)| known)
}

/// Edit distance with neighbours swapped counting once (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let change = last[j] + usize::from(a[i] != b[j]);
            let mut best = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

fn unknown_key(schema: &'static Value, key: &str) -> String {
    match nearest(schema, key) {
        Some(known) => format!("unknown key; did you mean {known}?"),
        None => {
            let known: Vec<&str> = keys(schema).collect();
            format!("unknown key; known here: {}", known.join(", "))
        }
    }
}

fn wrong_value(kind: &ValidationErrorKind, value: &Value, schema: &Value, secret: bool) -> String {
    let wanted = describe(schema);
    let shown = if secret {
        kind_of(value).to_owned()
    } else {
        show(value)
    };
    match kind {
        ValidationErrorKind::Type { .. } => {
            format!("{shown} is of the wrong type; use {wanted}")
        }
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Pattern { .. } => {
            format!("{shown} is not known here; use {wanted}")
        }
        ValidationErrorKind::Minimum { .. }
        | ValidationErrorKind::Maximum { .. }
        | ValidationErrorKind::ExclusiveMinimum { .. }
        | ValidationErrorKind::ExclusiveMaximum { .. } => {
            format!("{shown} is out of domain; use {wanted}")
        }
        ValidationErrorKind::MinItems { .. } => "this list is empty; give a value".to_owned(),
        ValidationErrorKind::MaxItems { limit } => {
            format!("this list has too many items; at most {limit}")
        }
        ValidationErrorKind::MinProperties { .. } => "this block is empty; give a key".to_owned(),
        ValidationErrorKind::MaxProperties { limit } => {
            format!("this block has too many keys; at most {limit}")
        }
        ValidationErrorKind::MinLength { .. } => "this text is empty; give one".to_owned(),
        ValidationErrorKind::MaxLength { limit } => {
            format!("this text is too long; at most {limit} characters")
        }
        _ => format!("{shown} does not fit; use {wanted}"),
    }
}

/// What a place in the schema takes, in words.
fn describe(schema: &Value) -> String {
    if let Some(options) = schema["enum"].as_array() {
        let options: Vec<&str> = options.iter().filter_map(Value::as_str).collect();
        return options.join(", ");
    }
    let mut wanted: Vec<String> = Vec::new();
    for kind in types(schema) {
        wanted.push(match kind {
            "number" => format!("a number{}", range(schema)),
            "integer" => format!("an integer{}", range(schema)),
            "boolean" => "true or false".to_owned(),
            "object" => "a block of keys".to_owned(),
            "null" => "null".to_owned(),
            "array" if sweeps(schema) => "a list of such numbers to sweep".to_owned(),
            "array" => "a list".to_owned(),
            _ => match schema["pattern"].as_str() {
                Some(pattern) => pattern.trim_matches(['^', '$']).to_owned(),
                None => "a text".to_owned(),
            },
        });
    }
    match wanted.len() {
        0 => "another value".to_owned(),
        _ => wanted.join(" or "),
    }
}

fn range(schema: &Value) -> String {
    let bound = |key: &str| (!schema[key].is_null()).then(|| schema[key].to_string());
    let low = bound("minimum");
    let above = bound("exclusiveMinimum");
    let high = bound("maximum");
    match (low, above, high) {
        (Some(low), _, Some(high)) => format!(" from {low} to {high}"),
        (Some(low), _, None) => format!(" from {low}"),
        (None, Some(above), Some(high)) => format!(" above {above}, up to {high}"),
        (None, Some(above), None) => format!(" above {above}"),
        (None, None, Some(high)) => format!(" up to {high}"),
        (None, None, None) => String::new(),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "an empty value",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a block of keys",
    }
}

/// A value as a message shows it.
fn show(value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) if text.chars().count() <= 40 => format!("{text:?}"),
        Value::String(text) => {
            let head: String = text.chars().take(40).collect();
            format!("{:?}", format!("{head}…"))
        }
        _ => kind_of(value).to_owned(),
    }
}

/// Dotted or slashed parts of a JSON pointer.
fn parts(pointer: &str) -> Vec<String> {
    pointer
        .split('/')
        .skip(1)
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect()
}
