//! Sweeps: lists where numbers belong, expanded into points (`docs/spec/scenario.md`, section 7).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    notice::Notices,
    schema,
    yaml::{Content, Node},
};

/// The most points of a sweep.
pub(super) const MAX_POINTS: usize = 4096;
/// The longest folder name in bytes.
const MAX_FOLDER_BYTES: usize = 200;

/// One dimension of a sweep.
#[derive(Debug)]
struct Axis {
    /// Every path that takes this axis's value: one, or those of both sides.
    paths: Vec<Vec<String>>,
    values: Vec<Node>,
    line: usize,
}

/// The document's points with their folders; one without a folder when nothing is swept.
pub(super) fn expand(mut root: Node, notices: &mut Notices) -> Vec<(Option<String>, Node)> {
    let explicit = root.remove("sweep");
    let mut axes = Vec::new();
    collect(
        &root,
        schema::place::<&str>(&[]),
        &mut Vec::new(),
        &mut axes,
    );
    if let Some(entry) = &explicit {
        for axis in entry.value.entries() {
            add_explicit(&root, &axis.key, axis.line, &axis.value, &mut axes, notices);
        }
    }
    if axes.is_empty() {
        return vec![(None, root)];
    }
    let mut count = 1_usize;
    for axis in &axes {
        let path = axis.paths[0].join(".");
        for (i, value) in axis.values.iter().enumerate() {
            let same = |other: &Node| other.to_value() == value.to_value();
            if axis.values[..i].iter().any(same) {
                let shown = value.to_value();
                notices.problem(
                    Some(value.line),
                    &path,
                    format!("the sweep takes {shown} twice; keep one of them"),
                );
                return Vec::new();
            }
        }
        count = count.saturating_mul(axis.values.len());
        if count > MAX_POINTS {
            notices.problem(
                Some(axis.line),
                &path,
                format!("the sweep has more than {MAX_POINTS} points; shorten its lists"),
            );
            return Vec::new();
        }
    }
    let names = names(&axes);
    let mut folders = BTreeSet::new();
    (0..count)
        .map(|index| {
            let mut node = root.clone();
            let mut folder = String::new();
            // The last axis runs fastest.
            let mut rest = index;
            let mut block = count;
            for (axis, name) in axes.iter().zip(&names) {
                block /= axis.values.len();
                let value = &axis.values[rest / block];
                rest %= block;
                for path in &axis.paths {
                    set(&mut node, path, axis.line, value.clone());
                }
                if !folder.is_empty() {
                    folder.push('_');
                }
                folder.push_str(name);
                folder.push('_');
                folder.push_str(&value_name(&value.to_value()));
            }
            if folder.len() > MAX_FOLDER_BYTES || !folders.insert(folder.clone()) {
                folder = format!("point_{index:04}");
                folders.insert(folder.clone());
            }
            (Some(folder), node)
        })
        .collect()
}

/// Finds the lists that stand where the schema wants a number.
fn collect(node: &Node, schema: &'static Value, path: &mut Vec<String>, axes: &mut Vec<Axis>) {
    match &node.content {
        Content::Mapping(entries) => {
            for entry in entries {
                path.push(entry.key.clone());
                collect(&entry.value, schema::child(schema, &entry.key), path, axes);
                path.pop();
            }
        }
        Content::Sequence(values) if schema::sweeps(schema) => {
            let axis = Axis {
                paths: vec![path.clone()],
                values: values.clone(),
                line: node.line,
            };
            add(axis, axes);
        }
        Content::Sequence(_) | Content::Scalar(_) => {}
    }
}

/// Equal lists under the same key of left and right are one axis.
fn add(axis: Axis, axes: &mut Vec<Axis>) {
    let values = |axis: &Axis| axis.values.iter().map(Node::to_value).collect::<Vec<_>>();
    let path = &axis.paths[0];
    if matches!(path[0].as_str(), "left" | "right") {
        let twin = axes.iter_mut().find(|other| {
            let theirs = &other.paths[0];
            matches!(theirs[0].as_str(), "left" | "right")
                && theirs[0] != path[0]
                && theirs[1..] == path[1..]
                && values(other) == values(&axis)
        });
        if let Some(twin) = twin {
            twin.paths.extend(axis.paths);
            return;
        }
    }
    axes.push(axis);
}

fn add_explicit(
    root: &Node,
    key: &str,
    line: usize,
    values: &Node,
    axes: &mut Vec<Axis>,
    notices: &mut Notices,
) {
    let shown = format!("sweep.{key}");
    let path: Vec<String> = key.split('.').map(str::to_owned).collect();
    let first = path[0].as_str();
    let problem = if path.iter().any(String::is_empty) {
        Some("this is no dotted path such as left.modem.snr_db".to_owned())
    } else if matches!(first, "seed" | "sweep" | "crypto") {
        Some(format!(
            "{first} can't be swept: it is the same for every point"
        ))
    } else if !schema::keys(schema::place::<&str>(&[])).any(|known| known == first) {
        Some(format!("{first} is not a key of a scenario"))
    } else if axes.iter().any(|axis| axis.paths.contains(&path)) {
        Some("this path is swept twice; keep one of them".to_owned())
    } else if !set(&mut root.clone(), &path, line, Node::text(line, "")) {
        Some("this path leads into a value that has no keys".to_owned())
    } else {
        None
    };
    if let Some(problem) = problem {
        notices.problem(Some(line), &shown, problem);
        return;
    }
    let Content::Sequence(values) = &values.content else {
        return;
    };
    let axis = Axis {
        paths: vec![path],
        values: values.clone(),
        line,
    };
    add(axis, axes);
}

/// Puts a value at a path, making the mappings on the way. False where something else is in the way.
fn set(node: &mut Node, path: &[String], line: usize, value: Node) -> bool {
    let Some((key, rest)) = path.split_first() else {
        return false;
    };
    if rest.is_empty() {
        return node.insert(key, line, value);
    }
    if node.get(key).is_none()
        && !node.insert(key, line, Node::new(line, Content::Mapping(Vec::new())))
    {
        return false;
    }
    node.get_mut(key)
        .is_some_and(|inner| set(inner, rest, line, value))
}

/// A short name for each axis: its last key without the unit, with as many keys before it as tell
/// it from the others.
fn names(axes: &[Axis]) -> Vec<String> {
    let long = |axis: &Axis, parts: usize| {
        let path = &axis.paths[0];
        let from = path.len().saturating_sub(parts);
        let name = path[from..].join("_");
        let name: String = name.chars().map(safe).collect();
        // An axis of both sides belongs to neither.
        match ["_db", "_ms", "_hz", "_bytes", "_bps"]
            .into_iter()
            .find_map(|unit| name.strip_suffix(unit))
        {
            Some(short) if !short.is_empty() => short.to_owned(),
            _ => name,
        }
    };
    axes.iter()
        .enumerate()
        .map(|(i, axis)| {
            let depth = axis.paths[0].len();
            let unique = |parts: usize| {
                axes.iter()
                    .enumerate()
                    .all(|(j, other)| i == j || long(other, parts) != long(axis, parts))
            };
            let short = long(axis, 1);
            if unique(1) {
                return short;
            }
            // Between the two sides, the side's name is enough.
            let sided = format!("{}_{short}", axis.paths[0][0]);
            let taken = axes.iter().enumerate().any(|(j, other)| {
                i != j && format!("{}_{}", other.paths[0][0], long(other, 1)) == sided
            });
            if taken { long(axis, depth) } else { sided }
        })
        .collect()
}

fn value_name(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Number(number) => match (number.as_f64(), number.is_f64()) {
            // Without an exponent; 5.0 and 5 alike.
            (Some(float), true) => float.to_string(),
            _ => number.to_string(),
        },
        Value::String(text) => text.chars().map(safe).take(64).collect(),
        other => other.to_string(),
    }
}

/// What every file system takes in a name.
fn safe(c: char) -> char {
    if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') {
        c
    } else {
        '_'
    }
}
