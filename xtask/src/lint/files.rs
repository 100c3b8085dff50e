//! What every committed file must be: not too long, finished, and right about where others lie.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::project::Project;

/// Beyond this many lines a reviewer asks whether a file is still one thing.
const QUESTION: usize = 500;
/// Beyond this many lines it is not accepted.
const LIMIT: usize = 1000;

/// Marks of unfinished work, written so that this file does not hold them.
const MARKS: [&str; 4] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];

/// Every breach; questions are only printed.
pub(super) fn check(project: &Project) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for file in project.files()? {
        let bytes = fs::read(project.root().join(&file))
            .with_context(|| format!("reading {}", file.display()))?;
        // Not text, so neither long nor marked.
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        let name = file.display().to_string();
        // A fuzz corpus is data, whatever it spells.
        if !file.starts_with("fuzz/corpus") {
            findings.extend(marks(&name, &text));
        }
        if file.extension().is_some_and(|extension| extension == "md") {
            let folder = project.root().join(file.parent().unwrap_or(Path::new("")));
            findings.extend(dead_links(&name, &text, &folder));
        }
        let is_source = file.extension().is_some_and(|extension| {
            ["rs", "py", "pyi", "js", "ts"]
                .iter()
                .any(|e| *e == extension)
        });
        if is_source {
            match text.lines().count() {
                lines if lines > LIMIT => {
                    findings.push(format!(
                        "{name}: {lines} lines, more than {LIMIT}; split it"
                    ));
                }
                lines if lines > QUESTION => {
                    println!("  {name}: {lines} lines; is it still one thing?");
                }
                _ => {}
            }
        }
    }
    Ok(findings)
}

fn marks(name: &str, text: &str) -> Vec<String> {
    (1..)
        .zip(text.lines())
        .flat_map(|(number, line): (usize, &str)| {
            MARKS
                .iter()
                .filter(move |mark| is_marked(line, mark))
                .map(move |mark| format!("{name}:{number}: {mark} marks unfinished work"))
        })
        .collect()
}

/// Links of a Markdown page to files that are not there.
fn dead_links(name: &str, text: &str, folder: &Path) -> Vec<String> {
    (1..)
        .zip(text.lines())
        .flat_map(|(number, line): (usize, &str)| {
            line.split("](")
                .skip(1)
                .filter_map(|rest| rest.split(')').next())
                .map(|target| target.split('#').next().unwrap_or_default())
                .filter(|target| !target.is_empty() && !target.contains(':'))
                .filter(|target| !folder.join(target).exists())
                .map(move |target| format!("{name}:{number}: {target} is not there"))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Whether a mark stands in the line as a word of its own. In quotes it is data, not a mark.
fn is_marked(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(at, _)| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || "\"'`_".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_found_where_it_stands() {
        for mark in MARKS {
            let found = marks("a.rs", &format!("fine\n// {mark} later\n"));
            assert_eq!(found.len(), 1);
            assert!(found[0].starts_with("a.rs:2: "), "{found:?}");
        }
        assert!(marks("a.rs", "clippy.todo = \"warn\"\n").is_empty());
        assert!(marks("a.rs", &format!("search(\"{}\")\n", MARKS[0])).is_empty());
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = "[a](Cargo.toml#x) [b](https://example.org) [c](#here)\n[d](gone.md)\n";
        let found = dead_links("page.md", text, folder);
        assert_eq!(found, ["page.md:2: gone.md is not there"]);
    }
}
