//! The layering rules of `docs/architecture.md`, section 2.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{cargo, project::Project};

/// How far from the outside world a crate stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// No time, no I/O, no environment.
    Core,
    /// Sans-I/O systems; files are touched in [`MAY_TOUCH_FILES`] only.
    System,
    /// Programs, bindings and tools.
    Edge,
}

/// One crate of the workspace: its level and the members it may use.
struct Rule {
    name: &'static str,
    level: Level,
    may_use: &'static [&'static str],
}

/// Every member of the workspace. A new crate takes its place here first.
const RULES: [Rule; 9] = [
    Rule {
        name: "st-protocol",
        level: Level::Core,
        may_use: &[],
    },
    Rule {
        name: "stt-crypto",
        level: Level::Core,
        may_use: &[],
    },
    Rule {
        name: "stt-core",
        level: Level::System,
        may_use: &["stt-crypto"],
    },
    Rule {
        name: "stt-store",
        level: Level::System,
        may_use: &["stt-crypto"],
    },
    Rule {
        name: "stt",
        level: Level::Edge,
        may_use: &["stt-core", "stt-crypto", "stt-store"],
    },
    Rule {
        name: "drybox",
        level: Level::System,
        may_use: &[],
    },
    Rule {
        name: "drywire",
        level: Level::Edge,
        may_use: &[
            "drybox",
            "st-protocol",
            "stt",
            "stt-core",
            "stt-crypto",
            "stt-store",
        ],
    },
    Rule {
        name: "drywire-python",
        level: Level::Edge,
        may_use: &[
            "drybox",
            "drywire",
            "st-protocol",
            "stt",
            "stt-core",
            "stt-crypto",
            "stt-store",
        ],
    },
    Rule {
        name: "xtask",
        level: Level::Edge,
        may_use: &[],
    },
];

/// Crates that only the named members may bring in, directly or through another crate; `stt-store`
/// does behind its features, for who asks for its backends.
const FENCED: [(&str, &[&str]); 7] = [
    ("anyhow", &["drywire", "drywire-python", "xtask"]),
    ("clap", &["drywire", "drywire-python", "xtask"]),
    ("mio", &["drywire", "drywire-python", "stt", "stt-store"]),
    ("numpy", &["drywire-python"]),
    ("pyo3", &["drywire-python"]),
    (
        "socket2",
        &["drywire", "drywire-python", "stt", "stt-store"],
    ),
    ("tokio", &["drywire", "drywire-python", "stt", "stt-store"]),
];

/// What source code below the edge never names, and what stands in its place.
const FORBIDDEN_IN_SOURCE: [(&str, &str); 5] = [
    ("std::env", "take the value as an argument"),
    ("std::net", "bytes enter and leave through an adapter"),
    ("process::Command", "processes belong to the edge crates"),
    ("Instant::now", "take `now` as an argument"),
    ("SystemTime", "take the time as an argument"),
];

/// Where files may be touched below the edge.
const MAY_TOUCH_FILES: [&str; 3] = [
    "crates/drybox/src/output",
    "crates/stt-store/src/backend",
    "crates/stt-store/src/chamber/file.rs",
];

/// Every breach of the rules.
pub(super) fn check(project: &Project) -> Result<Vec<String>> {
    let graph = Graph::read(&cargo::metadata(project)?)?;
    let mut findings = arrows(&graph);
    findings.extend(fences(&graph));
    findings.extend(sources(project)?);
    Ok(findings)
}

/// Dependencies between members point down.
fn arrows(graph: &Graph) -> Vec<String> {
    let mut findings = Vec::new();
    for (member, direct) in &graph.members {
        let Some(rule) = RULES.iter().find(|rule| rule.name == member) else {
            findings.push(format!(
                "{member}: not in the table of xtask/src/lint/layering.rs; give it a level there"
            ));
            continue;
        };
        for used in direct {
            let is_member = graph.members.contains_key(used);
            if is_member && used != member && !rule.may_use.contains(&used.as_str()) {
                findings.push(format!(
                    "{member} depends on {used}, which the layering does not allow"
                ));
            }
        }
    }
    findings
}

/// Fenced crates are reached from where they may be only.
fn fences(graph: &Graph) -> Vec<String> {
    let mut findings = Vec::new();
    for member in graph.members.keys() {
        let reached = graph.closure(member);
        for (fenced, allowed) in FENCED {
            if reached.contains(fenced) && !allowed.contains(&member.as_str()) {
                findings.push(format!(
                    "{member} brings in {fenced}; see `cargo tree -p {member} -i {fenced}`"
                ));
            }
        }
    }
    findings
}

/// Sources below the edge name nothing of the outside world.
fn sources(project: &Project) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    let below_edge: Vec<String> = RULES
        .iter()
        .filter(|rule| rule.level < Level::Edge)
        .map(|rule| format!("crates/{}/src", rule.name))
        .collect();
    for file in project.files()? {
        let is_rust = file.extension().is_some_and(|extension| extension == "rs");
        let is_test = file.file_stem().is_some_and(|stem| stem == "tests")
            || file.components().any(|part| part.as_os_str() == "tests");
        let counts = below_edge.iter().any(|folder| file.starts_with(folder));
        if !is_rust || is_test || !counts {
            continue;
        }
        let text = std::fs::read_to_string(project.root().join(&file))
            .with_context(|| format!("reading {}", file.display()))?;
        let may_touch_files = MAY_TOUCH_FILES.iter().any(|place| file.starts_with(place));
        for (number, line) in code_lines(&text) {
            for (name, instead) in FORBIDDEN_IN_SOURCE {
                if line.contains(name) {
                    findings.push(format!("{}:{number}: {name}: {instead}", file.display()));
                }
            }
            if line.contains("std::fs") && !may_touch_files {
                findings.push(format!(
                    "{}:{number}: std::fs: files are touched in {} and the edge crates",
                    file.display(),
                    MAY_TOUCH_FILES.join(", ")
                ));
            }
        }
    }
    Ok(findings)
}

/// The lines of code, numbered from 1: without comments and without the tests at the foot.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..)
        .zip(text.lines())
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Who depends on whom, leaving out what only tests use.
struct Graph {
    members: BTreeMap<String, BTreeSet<String>>,
    /// By package id: the name and the ids of its dependencies.
    nodes: BTreeMap<String, (String, Vec<String>)>,
}

impl Graph {
    fn read(metadata: &Value) -> Result<Self> {
        let list = |value: &'_ Value, what: &str| -> Result<Vec<Value>> {
            value
                .as_array()
                .cloned()
                .with_context(|| format!("cargo metadata has no list of {what}"))
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();

        let mut names = BTreeMap::new();
        for package in list(&metadata["packages"], "packages")? {
            names.insert(text(&package["id"]), text(&package["name"]));
        }
        let name_of = |id: &str| names.get(id).cloned().unwrap_or_default();

        let mut nodes = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"], "resolved packages")? {
            let mut used = Vec::new();
            for dependency in list(&node["deps"], "dependencies")? {
                let kinds = list(&dependency["dep_kinds"], "dependency kinds")?;
                // A kind of null is a normal dependency.
                if kinds.iter().any(|kind| kind["kind"] != "dev") {
                    used.push(text(&dependency["pkg"]));
                }
            }
            let id = text(&node["id"]);
            nodes.insert(id.clone(), (name_of(&id), used));
        }

        let mut members = BTreeMap::new();
        for id in list(&metadata["workspace_members"], "members")? {
            let id = text(&id);
            let (name, used) = nodes
                .get(&id)
                .with_context(|| format!("{id} is a member but not resolved"))?;
            members.insert(name.clone(), used.iter().map(|id| name_of(id)).collect());
        }
        Ok(Self { members, nodes })
    }

    /// The names of everything that a member brings in.
    fn closure(&self, member: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<&String> = self
            .nodes
            .iter()
            .filter(|(_, (name, _))| name == member)
            .map(|(id, _)| id)
            .collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if let (true, Some((_, used))) = (seen.insert(id), self.nodes.get(id)) {
                for next in used {
                    if let Some((name, _)) = self.nodes.get(next) {
                        reached.insert(name.clone());
                    }
                    waiting.push(next);
                }
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A package and what it depends on, each with its kind.
    type Edges<'a> = (&'a str, &'a [(&'a str, Option<&'a str>)]);

    fn graph(edges: &[Edges<'_>], members: &[&str]) -> Graph {
        let packages: Vec<Value> = edges
            .iter()
            .map(|(name, _)| serde_json::json!({"id": name, "name": name}))
            .collect();
        let nodes: Vec<Value> = edges
            .iter()
            .map(|(name, used)| {
                let deps: Vec<Value> = used
                    .iter()
                    .map(|(pkg, kind)| {
                        serde_json::json!({"pkg": pkg, "dep_kinds": [{"kind": kind}]})
                    })
                    .collect();
                serde_json::json!({"id": name, "deps": deps})
            })
            .collect();
        Graph::read(&serde_json::json!({
            "packages": packages,
            "resolve": {"nodes": nodes},
            "workspace_members": members,
        }))
        .unwrap()
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let graph = graph(
            &[("drybox", &[("drywire", None)]), ("drywire", &[])],
            &["drybox", "drywire"],
        );
        let findings = arrows(&graph);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].starts_with("drybox depends on drywire"));
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_found() {
        let findings = arrows(&graph(&[("newcomer", &[])], &["newcomer"]));
        assert!(findings[0].contains("not in the table"), "{findings:?}");
    }

    #[test]
    fn a_fenced_crate_is_found_through_another_but_not_in_tests() {
        let edges: &[Edges<'_>] = &[
            ("drybox", &[("helper", None), ("anyhow", Some("dev"))]),
            ("helper", &[("tokio", None)]),
            ("tokio", &[]),
            ("anyhow", &[]),
        ];
        let findings = fences(&graph(edges, &["drybox"]));
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].starts_with("drybox brings in tokio"));
    }

    #[test]
    fn comments_and_tests_are_not_code() {
        let text = "use a;\n// use b;\nuse c;\n#[cfg(test)]\nmod tests { use d; }\n";
        let lines: Vec<_> = code_lines(text).collect();
        assert_eq!(lines, [(1, "use a;"), (3, "use c;")]);
    }
}
