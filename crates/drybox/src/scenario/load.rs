//! From a scenario's text to the points to run (`docs/spec/scenario.md`, section 1).

use serde_json::Value;

use super::{
    Mode, Scenario, TextMessage, Warning,
    notice::{Notices, ScenarioError},
    older::{self, Renames},
    schema, sweep, typed,
    yaml::{self, Content, Entry, Node, Number, Scalar},
};

/// A scenario as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What messages call it: the path as the user gave it.
    pub name: String,
    /// The YAML text.
    pub text: String,
}

/// What the command line says; it beats the scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The left adapter's spec.
    pub left: Option<String>,
    /// The right adapter's spec.
    pub right: Option<String>,
    /// The seed.
    pub seed: Option<u64>,
    /// Logical time between ticks in ms.
    pub tick_ms: Option<u64>,
}

/// What to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The points in order: the last axis of a sweep runs fastest. Not a sweep = one point.
    pub points: Vec<Point>,
    /// Remarks that don't stop a run.
    pub warnings: Vec<Warning>,
    /// Whether the outputs go into one folder per point.
    pub is_sweep: bool,
}

/// One run of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The folder below the output folder, such as `snr_5`; `None` when nothing is swept. Made of
    /// ASCII letters, digits, `_`, `-` and `.`, beginning with a letter, unique in the plan.
    pub folder: Option<String>,
    /// The scenario of this point.
    pub scenario: Scenario,
}

/// Reads a scenario: YAML, older form, schema, sweep, types, in this order.
///
/// # Errors
/// Every problem found by the first of these steps that finds any, with file, line and key.
pub fn load(source: &Source, overrides: &Overrides) -> Result<Plan, ScenarioError> {
    let mut notices = Notices::new(&source.name);
    check_overrides(overrides, &mut notices);
    notices.check()?;

    let mut root = match yaml::read(&source.text) {
        Ok(root) => root,
        Err(flaws) => {
            for flaw in flaws {
                notices.problem(flaw.line, &flaw.path, flaw.message);
            }
            return Err(ScenarioError::new(notices.problems));
        }
    };
    normalise(&mut root);
    let renames = older::rewrite(&mut root, &mut notices);
    refuse_numbers(&root, &renames, &mut Vec::new(), &mut notices);
    apply_overrides(&mut root, overrides);
    validate(&root, &root.to_value(), &renames, &mut notices);
    notices.check()?;
    warn_of_near_misses(&root, &renames, &mut notices);

    let points = sweep::expand(root, &mut notices);
    notices.check()?;
    let is_sweep = points.iter().any(|(folder, _)| folder.is_some());
    let mut typed_points = Vec::with_capacity(points.len());
    for (folder, node) in points {
        let value = node.to_value();
        if is_sweep {
            // Values of an explicit sweep have not been seen at their places.
            validate(&node, &value, &renames, &mut notices);
        }
        let scenario = typed::scenario(&value, &node, &source.name);
        cross_check(&scenario, &node, &renames, &mut notices);
        if notices.problems.len() > super::notice::MAX_PROBLEMS {
            break;
        }
        typed_points.push(Point { folder, scenario });
    }
    notices.check()?;
    notices.warnings.sort();
    notices.warnings.dedup();
    Ok(Plan {
        points: typed_points,
        warnings: notices.warnings,
        is_sweep,
    })
}

/// Reads a `messages.yaml`: what stands under `messages` in a scenario (`docs/spec/scenario.md`, 3.7).
///
/// # Errors
/// As for [`load`]; keys are named from `messages` on.
pub fn messages(source: &Source) -> Result<[Vec<TextMessage>; 2], ScenarioError> {
    let mut notices = Notices::new(&source.name);
    let value = match yaml::read(&source.text) {
        Ok(value) => value,
        Err(flaws) => {
            for flaw in flaws {
                notices.problem(flaw.line, &flaw.path, flaw.message);
            }
            return Err(ScenarioError::new(notices.problems));
        }
    };
    let messages = Entry {
        key: "messages".to_owned(),
        line: 1,
        value,
    };
    let root = Node::new(1, Content::Mapping(vec![messages]));
    let renames = Renames::default();
    refuse_numbers(&root, &renames, &mut Vec::new(), &mut notices);
    let value = root.to_value();
    validate(&root, &value, &renames, &mut notices);
    notices.check()?;
    Ok(typed::scenario(&value, &root, &source.name).messages)
}

/// What a fuzzer calls with arbitrary bytes: whatever loads is written back and loads again.
///
/// # Panics
/// When a loaded scenario doesn't read back as itself: our fault, never the input's.
pub fn fuzz(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let named = |text: &str| Source {
        name: "fuzz.yaml".to_owned(),
        text: text.to_owned(),
    };
    let Ok(plan) = load(&named(text), &Overrides::default()) else {
        return;
    };
    for point in plan.points.iter().take(4) {
        let written = point.scenario.resolved_yaml();
        let again = load(&named(&written), &Overrides::default());
        let again = again.map(|mut plan| plan.points.remove(0).scenario.resolved_yaml());
        assert_eq!(
            again,
            Ok(written),
            "a resolved scenario reads back as itself"
        );
    }
}

fn check_overrides(overrides: &Overrides, notices: &mut Notices) {
    if let Some(tick_ms) = overrides.tick_ms
        && !(1..=1000).contains(&tick_ms)
    {
        notices.problem(
            None,
            "--tick-ms",
            format!("{tick_ms} is out of domain; use an integer from 1 to 1000"),
        );
    }
    for (flag, spec) in [("--left", &overrides.left), ("--right", &overrides.right)] {
        if spec.as_deref() == Some("") {
            notices.problem(None, flag, "the adapter is empty; name one");
        }
    }
}

/// Shorthands written out, and private keys made of digits taken as the texts they are.
fn normalise(root: &mut Node) {
    for side in ["left", "right"] {
        if let Some(node) = root.get_mut(side)
            && let Content::Scalar(Scalar::Text(text)) = &node.content
            && !text.is_empty()
        {
            let adapter = Entry {
                key: "adapter".to_owned(),
                line: node.line,
                value: node.clone(),
            };
            node.content = Content::Mapping(vec![adapter]);
        }
    }
    let Some(crypto) = root.get_mut("crypto") else {
        return;
    };
    for key in ["left_priv", "right_priv"] {
        let Some(private) = crypto.get_mut(key) else {
            continue;
        };
        as_text(private);
        for form in ["hex", "b64", "path"] {
            if let Some(text) = private.get_mut(form) {
                as_text(text);
            }
        }
    }
}

fn as_text(node: &mut Node) {
    if let Content::Scalar(Scalar::Number(_, spelling)) = &node.content {
        node.content = Content::Scalar(Scalar::Text(spelling.clone()));
    }
}

/// Refuses, everywhere, the numbers that no setting can mean.
fn refuse_numbers(node: &Node, renames: &Renames, path: &mut Vec<String>, notices: &mut Notices) {
    if notices.problems.len() > super::notice::MAX_PROBLEMS {
        return;
    }
    match &node.content {
        Content::Scalar(Scalar::Number(Number::NotFinite, text)) => {
            let shown: String = text.chars().take(32).collect();
            notices.problem(
                Some(node.line),
                &renames.written(path).join("."),
                format!("{shown} is out of domain; use a finite number"),
            );
        }
        Content::Scalar(Scalar::Number(Number::TooLong, _)) => notices.problem(
            Some(node.line),
            &renames.written(path).join("."),
            "this integer is out of domain: it does not fit 64 bits; quote it if it is a text",
        ),
        Content::Scalar(_) => {}
        Content::Sequence(items) => {
            for (i, item) in items.iter().enumerate() {
                path.push(i.to_string());
                refuse_numbers(item, renames, path, notices);
                path.pop();
            }
        }
        Content::Mapping(entries) => {
            for entry in entries {
                path.push(entry.key.clone());
                refuse_numbers(&entry.value, renames, path, notices);
                path.pop();
            }
        }
    }
}

fn apply_overrides(root: &mut Node, overrides: &Overrides) {
    for (key, value) in [("seed", overrides.seed), ("tick_ms", overrides.tick_ms)] {
        if let Some(value) = value {
            let number = Number::Fits(value.into());
            let scalar = Scalar::Number(number, value.to_string());
            root.insert(key, 1, Node::new(1, Content::Scalar(scalar)));
        }
    }
    for (side, spec) in [("left", &overrides.left), ("right", &overrides.right)] {
        let Some(spec) = spec else { continue };
        if root.get(side).is_none() {
            root.insert(side, 1, Node::new(1, Content::Mapping(Vec::new())));
        }
        if let Some(node) = root.get_mut(side) {
            // What is no mapping is refused by the schema.
            node.insert("adapter", 1, Node::text(1, spec));
        }
    }
}

fn validate(root: &Node, value: &Value, renames: &Renames, notices: &mut Notices) {
    for violation in schema::violations(value) {
        let line = root.line_at(violation.path.iter().map(String::as_str));
        let path = renames.written(&violation.path).join(".");
        // A number that JSON lacks became null and has been refused already.
        let refused = notices.problems.iter().any(|other| other.path == path);
        if !refused {
            notices.problem(Some(line), &path, violation.message);
        }
    }
}

/// Warns of keys in the open blocks that look like misspelt or misplaced known ones.
fn warn_of_near_misses(root: &Node, renames: &Renames, notices: &mut Notices) {
    let modem = schema::place(&["left", "modem"]);
    for side in ["left", "right"] {
        let block = schema::place(&[side]);
        let Some(node) = root.get(side) else { continue };
        for (node, schema, prefix) in [
            (Some(node), block, vec![side]),
            (node.get("modem"), modem, vec![side, "modem"]),
        ] {
            for entry in node.map(Node::entries).unwrap_or_default() {
                if schema::keys(schema).any(|known| known == entry.key) {
                    continue;
                }
                let misplaced =
                    prefix.len() == 1 && schema::keys(modem).any(|known| known == entry.key);
                let hint = if misplaced {
                    format!("did you mean {side}.modem.{}?", entry.key)
                } else if let Some(known) = schema::nearest(schema, &entry.key) {
                    format!("did you mean {known}?")
                } else {
                    continue;
                };
                let mut path: Vec<String> = prefix.iter().map(|&part| part.to_owned()).collect();
                path.push(entry.key.clone());
                notices.warning(
                    Some(entry.line),
                    &renames.written(&path).join("."),
                    format!("unknown key, left to the adapter; {hint}"),
                );
            }
        }
    }
}

/// What no schema can say: settings that can't act in the scenario's mode.
fn cross_check(scenario: &Scenario, root: &Node, renames: &Renames, notices: &mut Notices) {
    if scenario.mode != Mode::Audio {
        return;
    }
    let network = &scenario.network;
    let impairments = &network.impairments;
    let byte_only: [(&[&str], bool); 4] = [
        (
            &["network", "sar"],
            network.sar == crate::bearer::SarPolicy::Force,
        ),
        (
            &["network", "impairments", "rate_limit"],
            impairments.rate_limit.is_some(),
        ),
        (
            &["network", "impairments", "duplicate_rate"],
            impairments.duplicate_rate > 0.0,
        ),
        (
            &["network", "impairments", "corrupt_rate"],
            impairments.corrupt_rate > 0.0,
        ),
    ];
    for (path, given) in byte_only {
        if given {
            let owned: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
            notices.problem(
                Some(root.line_at(path.iter().copied())),
                &renames.written(&owned).join("."),
                "this acts on packets and has no effect in mode audio; remove it",
            );
        }
    }
}
