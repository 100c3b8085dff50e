//! The older form of a scenario, rewritten into the current one (`docs/spec/scenario.md`, section 6).

use super::{
    notice::Notices,
    yaml::{Content, Entry, Node, Scalar},
};

/// Where the values of a rewritten scenario stood before, so that messages name what was written.
#[derive(Debug, Default)]
pub(super) struct Renames {
    /// Path in the current form, path as written; the longest match counts.
    moved: Vec<(Vec<String>, Vec<String>)>,
}

impl Renames {
    fn add(&mut self, current: &[&str], written: &[&str]) {
        let own = |path: &[&str]| path.iter().map(|&part| part.to_owned()).collect();
        self.moved.push((own(current), own(written)));
    }

    /// A path of the current form as the file has it.
    pub(super) fn written(&self, path: &[String]) -> Vec<String> {
        let best = self
            .moved
            .iter()
            .filter(|(current, _)| path.starts_with(current))
            .max_by_key(|(current, _)| current.len());
        match best {
            Some((current, written)) => {
                let mut result = written.clone();
                result.extend_from_slice(&path[current.len()..]);
                result
            }
            None => path.to_vec(),
        }
    }
}

/// A key of an older block and its name in the current form.
type Names = &'static [(&'static str, &'static str)];

const CHANNEL: Names = &[
    ("type", "channel_type"),
    ("snr_db", "snr_db"),
    ("noise_ref", "noise_ref"),
    ("doppler_hz", "doppler_hz"),
    ("fd_hz", "doppler_hz"),
    ("num_paths", "num_paths"),
    ("L", "num_paths"),
    ("delay_spread_ms", "delay_spread_ms"),
];

const VOCODER: Names = &[("type", "vocoder"), ("vad_dtx", "vad_dtx")];

/// Rewrites `bearer`, `channel` and `vocoder` at the top into `network` and both sides' `modem`.
pub(super) fn rewrite(root: &mut Node, notices: &mut Notices) -> Renames {
    let mut renames = Renames::default();
    let older: Vec<&str> = ["bearer", "channel", "vocoder"]
        .into_iter()
        .filter(|key| root.get(key).is_some())
        .collect();
    let Some(&first) = older.first() else {
        return renames;
    };
    if let Some(current) = current_form(root) {
        for key in &older {
            let line = root.entry(key).map(|entry| entry.line);
            notices.problem(
                line,
                key,
                format!(
                    "{key} belongs to the older form and {current} to the current one; use one form \
                     ({first} and {current} can't be mixed)"
                ),
            );
        }
        return renames;
    }
    if let Some(entry) = root.remove("bearer") {
        let line = entry.line;
        let network = bearer(entry, &mut renames);
        root.insert("network", line, network);
    }
    let mut modem: Vec<Entry> = Vec::new();
    for (key, names) in [("channel", CHANNEL), ("vocoder", VOCODER)] {
        if let Some(entry) = root.remove(key) {
            block(key, names, entry, &mut modem, &mut renames, notices);
        }
    }
    if let Some(line) = modem.first().map(|entry| entry.line) {
        for side in ["left", "right"] {
            let modem = Node::new(line, Content::Mapping(modem.clone()));
            match root.get_mut(side) {
                Some(block) => {
                    // What is neither a mapping nor empty is refused by the schema.
                    block.insert("modem", line, modem);
                }
                None => {
                    let entry = Entry {
                        key: "modem".to_owned(),
                        line,
                        value: modem,
                    };
                    root.insert(side, line, Node::new(line, Content::Mapping(vec![entry])));
                }
            }
        }
    }
    renames
}

/// The first key that only the current form has.
fn current_form(root: &Node) -> Option<&'static str> {
    let modem = |side: &str| root.get(side).and_then(|side| side.get("modem"));
    [
        ("network", root.get("network")),
        ("left.modem", modem("left")),
        ("right.modem", modem("right")),
    ]
    .into_iter()
    .find_map(|(name, found)| found.map(|_| name))
}

fn bearer(entry: Entry, renames: &mut Renames) -> Node {
    renames.add(&["network"], &["bearer"]);
    let mut value = entry.value;
    if let Content::Scalar(Scalar::Text(_)) = &value.content {
        renames.add(&["network", "bearer"], &["bearer"]);
        strip_prefix(&mut value);
        let kind = Entry {
            key: "bearer".to_owned(),
            line: entry.line,
            value,
        };
        return Node::new(entry.line, Content::Mapping(vec![kind]));
    }
    if let Content::Mapping(entries) = &mut value.content {
        for entry in entries.iter_mut().filter(|entry| entry.key == "type") {
            renames.add(&["network", "bearer"], &["bearer", "type"]);
            "bearer".clone_into(&mut entry.key);
            strip_prefix(&mut entry.value);
        }
    }
    value
}

/// Older files name the bearers `telco_volte_evs` and so on.
fn strip_prefix(kind: &mut Node) {
    if let Content::Scalar(Scalar::Text(text)) = &mut kind.content
        && let Some(rest) = text.strip_prefix("telco_")
    {
        *text = rest.to_owned();
    }
}

/// Moves the keys of an older block into the modem. `modem` is open, so unknown keys are refused
/// here.
fn block(
    block: &'static str,
    names: Names,
    entry: Entry,
    modem: &mut Vec<Entry>,
    renames: &mut Renames,
    notices: &mut Notices,
) {
    let entries = match entry.value.content {
        Content::Scalar(Scalar::Null) => return,
        Content::Mapping(entries) => entries,
        // A bare kind, such as `channel: awgn`.
        content => {
            let current = names[0].1;
            for side in ["left", "right"] {
                renames.add(&[side, "modem", current], &[block]);
            }
            modem.push(Entry {
                key: current.to_owned(),
                line: entry.line,
                value: Node::new(entry.value.line, content),
            });
            return;
        }
    };
    for mut entry in entries {
        let path = format!("{block}.{}", entry.key);
        let Some((written, current)) = names.iter().find(|(written, _)| *written == entry.key)
        else {
            let known: Vec<&str> = names.iter().map(|(written, _)| *written).collect();
            notices.problem(
                Some(entry.line),
                &path,
                format!("unknown key; known here: {}", known.join(", ")),
            );
            continue;
        };
        if modem.iter().any(|other| other.key == *current) {
            notices.problem(
                Some(entry.line),
                &path,
                format!("{current} is given twice under two names; keep one of them"),
            );
            continue;
        }
        for side in ["left", "right"] {
            renames.add(&[side, "modem", current], &[block, written]);
        }
        (*current).clone_into(&mut entry.key);
        modem.push(entry);
    }
}
