//! From the events of a YAML parser to a tree, within bounds.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::{Content, Entry, Node, Scalar, scalar};

/// The largest scenario in bytes.
pub(in crate::scenario) const MAX_BYTES: usize = 1 << 20;
/// How deep collections may nest, aliases expanded.
pub(in crate::scenario) const MAX_DEPTH: usize = 64;
/// How many nodes a scenario may have, aliases expanded.
pub(in crate::scenario) const MAX_NODES: usize = 100_000;
/// The longest key in bytes.
pub(in crate::scenario) const MAX_KEY_BYTES: usize = 256;

/// Something that the YAML itself gets wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scenario) struct Flaw {
    pub(in crate::scenario) line: Option<usize>,
    /// The dotted path of the collection around it.
    pub(in crate::scenario) path: String,
    pub(in crate::scenario) message: String,
}

/// Reads one document. An empty one is an empty mapping.
pub(in crate::scenario) fn read(text: &str) -> Result<Node, Vec<Flaw>> {
    if text.len() > MAX_BYTES {
        return Err(vec![Flaw {
            line: None,
            path: String::new(),
            message: format!(
                "the scenario has {} bytes; at most {MAX_BYTES} are read",
                text.len()
            ),
        }]);
    }
    let mut builder = Builder::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for item in Parser::new_from_str(text) {
        let (event, span) = match item {
            Ok(item) => item,
            Err(error) => {
                let line = error.marker().line();
                builder.flaw(line, format!("this is not YAML: {}", error.info()));
                return Err(builder.flaws);
            }
        };
        if builder.take(event, span.start.line()).is_err() {
            return Err(builder.flaws);
        }
    }
    if !builder.flaws.is_empty() {
        return Err(builder.flaws);
    }
    Ok(match builder.root {
        Some(root) if !root.is_null() => root,
        _ => Node::new(1, Content::Mapping(Vec::new())),
    })
}

/// Reading can't go on: the reason is among the flaws.
struct Stop;

/// A finished value with the size of its tree.
#[derive(Clone)]
struct Built {
    node: Node,
    nodes: usize,
    height: usize,
}

/// A collection whose end has not been seen.
struct Open {
    anchor: usize,
    line: usize,
    nodes: usize,
    height: usize,
    kind: OpenKind,
}

enum OpenKind {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        /// Where each key was first given.
        seen: BTreeMap<String, usize>,
        /// The key whose value comes next.
        key: Option<(String, usize)>,
    },
}

#[derive(Default)]
struct Builder {
    documents: usize,
    stack: Vec<Open>,
    anchors: BTreeMap<usize, Built>,
    nodes: usize,
    root: Option<Node>,
    flaws: Vec<Flaw>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return self.stop(
                        line,
                        "a second document begins here; a scenario is one document: remove the \"---\"",
                    );
                }
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, line),
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), line)
            }
            Event::SequenceStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", line);
                self.open(anchor, line, OpenKind::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", line);
                self.open(
                    anchor,
                    line,
                    OpenKind::Mapping {
                        entries: Vec::new(),
                        seen: BTreeMap::new(),
                        key: None,
                    },
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Result<(), Stop> {
        if self.expects_key() {
            return self.stop(line, "an alias can't be a key; write the key out");
        }
        let Some(built) = self.anchors.get(&anchor) else {
            return self.stop(
                line,
                "this alias refers to a value that contains it; a scenario can't be cyclic",
            );
        };
        if self.nodes + built.nodes > MAX_NODES {
            return self.stop(
                line,
                format!("aliases expand this scenario beyond {MAX_NODES} values"),
            );
        }
        if self.stack.len() + built.height > MAX_DEPTH {
            return self.too_deep(line);
        }
        let built = built.clone();
        self.add(0, built)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        line: usize,
    ) -> Result<(), Stop> {
        let plain = style == ScalarStyle::Plain;
        let value = match tag {
            Some(tag) if tag.is_yaml_core_schema() => match scalar::tagged(&tag.suffix, text) {
                Some(value) => value,
                None => {
                    self.flaw(
                        line,
                        format!("this value does not fit its tag !!{}", tag.suffix),
                    );
                    Scalar::Null
                }
            },
            // The non-specific tag "!" makes a string.
            Some(tag) if tag.suffix.is_empty() && tag.handle.is_empty() => {
                Scalar::Text(text.to_owned())
            }
            Some(tag) => {
                self.unknown_tag(tag, line);
                Scalar::Null
            }
            None if plain => scalar::resolve(text),
            None => Scalar::Text(text.to_owned()),
        };
        if self.expects_key() {
            return self.key(value, plain, line);
        }
        let built = Built {
            node: Node::new(line, Content::Scalar(value)),
            nodes: 1,
            height: 0,
        };
        self.add(anchor, built)
    }

    fn key(&mut self, value: Scalar, plain: bool, line: usize) -> Result<(), Stop> {
        let key = match value {
            Scalar::Text(text) if text == "<<" && plain => {
                self.flaw(
                    line,
                    "merge keys (<<) are not part of YAML 1.2 and not read; write the keys out, or \
                     alias a whole block",
                );
                text
            }
            Scalar::Text(text) => text,
            Scalar::Null => {
                self.flaw(line, "an empty key; every key is a string");
                String::new()
            }
            Scalar::Bool(flag) => {
                self.flaw(line, format!("the key {flag} is not a string; quote it"));
                flag.to_string()
            }
            Scalar::Number(_, text) => {
                let shown: String = text.chars().take(32).collect();
                self.flaw(line, format!("the key {shown} is not a string; quote it"));
                text
            }
        };
        if key.len() > MAX_KEY_BYTES {
            return self.stop(
                line,
                format!("a key of {} bytes; at most {MAX_KEY_BYTES}", key.len()),
            );
        }
        if key.chars().any(|c| c.is_ascii_control()) {
            self.flaw(line, "a key with control characters; remove them");
        }
        let Some(Open {
            kind: OpenKind::Mapping { key: slot, .. },
            ..
        }) = self.stack.last_mut()
        else {
            return Ok(());
        };
        *slot = Some((key, line));
        Ok(())
    }

    fn open(&mut self, anchor: usize, line: usize, kind: OpenKind) -> Result<(), Stop> {
        if self.expects_key() {
            return self.stop(line, "a collection can't be a key; every key is a string");
        }
        if self.stack.len() >= MAX_DEPTH {
            return self.too_deep(line);
        }
        self.stack.push(Open {
            anchor,
            line,
            nodes: 1,
            height: 1,
            kind,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(open) = self.stack.pop() else {
            return Ok(());
        };
        let content = match open.kind {
            OpenKind::Sequence(items) => Content::Sequence(items),
            OpenKind::Mapping { entries, .. } => Content::Mapping(entries),
        };
        // The contents were counted when they were added.
        self.nodes -= open.nodes - 1;
        let built = Built {
            node: Node::new(open.line, content),
            nodes: open.nodes,
            height: open.height,
        };
        self.add(open.anchor, built)
    }

    fn add(&mut self, anchor: usize, built: Built) -> Result<(), Stop> {
        self.nodes += built.nodes;
        if self.nodes > MAX_NODES {
            let line = built.node.line;
            return self.stop(line, format!("a scenario has at most {MAX_NODES} values"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, built.clone());
        }
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(built.node);
            return Ok(());
        };
        open.nodes += built.nodes;
        open.height = open.height.max(built.height + 1);
        let duplicate = match &mut open.kind {
            OpenKind::Sequence(items) => {
                items.push(built.node);
                None
            }
            OpenKind::Mapping { entries, seen, key } => {
                let Some((key, line)) = key.take() else {
                    return Ok(());
                };
                let first = *seen.entry(key.clone()).or_insert(line);
                let duplicate = (seen.len() <= entries.len()).then(|| (key.clone(), line, first));
                entries.push(Entry {
                    key,
                    line,
                    value: built.node,
                });
                duplicate
            }
        };
        if let Some((key, line, first)) = duplicate {
            let message = format!("this key is already given in line {first}; keep one of them");
            self.flaw_at(line, &key, message);
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(
            self.stack.last(),
            Some(Open {
                kind: OpenKind::Mapping { key: None, .. },
                ..
            })
        )
    }

    fn collection_tag(&mut self, tag: Option<&Tag>, expected: &str, line: usize) {
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == expected) => {
                self.unknown_tag(tag, line);
            }
            _ => {}
        }
    }

    fn unknown_tag(&mut self, tag: &Tag, line: usize) {
        let shown: String = format!("{}{}", tag.handle, tag.suffix)
            .chars()
            .take(40)
            .collect();
        self.flaw(
            line,
            format!("the tag {shown} has no meaning here; remove it"),
        );
    }

    fn too_deep(&mut self, line: usize) -> Result<(), Stop> {
        self.stop(
            line,
            format!("collections nest deeper than {MAX_DEPTH} levels"),
        )
    }

    fn stop(&mut self, line: usize, message: impl Into<String>) -> Result<(), Stop> {
        self.flaw(line, message);
        Err(Stop)
    }

    fn flaw(&mut self, line: usize, message: impl Into<String>) {
        self.flaw_at(line, "", message);
    }

    /// A flaw at a key of the collection that is being read. Beyond the number that is shown, one
    /// is as good as many.
    fn flaw_at(&mut self, line: usize, key: &str, message: impl Into<String>) {
        if self.flaws.len() > crate::scenario::notice::MAX_PROBLEMS {
            return;
        }
        let path = join(&self.path(), key);
        self.flaws.push(Flaw {
            line: Some(line),
            path,
            message: message.into(),
        });
    }

    /// Where reading stands, as a dotted path.
    fn path(&self) -> String {
        let mut path = String::new();
        for open in &self.stack {
            match &open.kind {
                OpenKind::Sequence(items) => path = join(&path, &items.len().to_string()),
                OpenKind::Mapping { key, .. } => {
                    if let Some((key, _)) = key {
                        path = join(&path, key);
                    }
                }
            }
        }
        path
    }
}

fn join(path: &str, part: &str) -> String {
    match (path, part) {
        ("", part) => part.to_owned(),
        (path, "") => path.to_owned(),
        (path, part) => format!("{path}.{part}"),
    }
}
