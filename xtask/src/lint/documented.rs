//! Every dependency is justified in `docs/architecture.md`, section 3.

use std::fs;

use anyhow::{Context, Result};

use crate::project::Project;

const PAGE: &str = "docs/architecture.md";

/// The dependencies that the page does not name.
pub(super) fn check(project: &Project) -> Result<Vec<String>> {
    let read = |path: &str| {
        fs::read_to_string(project.path(path)).with_context(|| format!("reading {path}"))
    };
    Ok(missing(&read("Cargo.toml")?, &read(PAGE)?))
}

fn missing(manifest: &str, page: &str) -> Vec<String> {
    manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        // Ours are in the page's first section.
        .filter(|(_, value)| !value.contains("path ="))
        .map(|(name, _)| name.trim().trim_end_matches(".workspace"))
        .filter(|name| !name.starts_with('#') && !page.contains(&format!("`{name}`")))
        .map(|name| format!("{name}: say in {PAGE}, section 3, what it is for and instead of what"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let manifest = "[workspace.dependencies]\n\
            ours = { path = \"crates/ours\" }\nknown = \"1\"\nnew = { version = \"2\" }\n\
            [profile.release]\nlto = \"thin\"\n";
        let found = missing(manifest, "| `known` | a use |");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("new: "));
    }
}
