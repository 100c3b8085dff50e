//! Numbers that are written in more than one place and must agree.

use std::fs;

use anyhow::{Context, Result};

use crate::project::Project;

/// Every disagreement.
pub(super) fn check(project: &Project) -> Result<Vec<String>> {
    let read = |path: &str| {
        fs::read_to_string(project.path(path)).with_context(|| format!("reading {path}"))
    };
    let workspace = read("Cargo.toml")?;
    let package = |key| value(&workspace, "workspace.package", key);
    let version = package("version").context("Cargo.toml: [workspace.package] has no version")?;
    let rust = package("rust-version").context("Cargo.toml: no rust-version")?;

    let mut findings = Vec::new();
    // Without a version of its own the wheel takes the extension crate's, which is the workspace's.
    if let Some(wheel) = value(&read("python/pyproject.toml")?, "project", "version")
        && wheel != version
    {
        findings.push(format!(
            "python/pyproject.toml has version {wheel}, Cargo.toml {version}"
        ));
    }
    let toolchain = read("rust-toolchain.toml")?;
    let channel = value(&toolchain, "toolchain", "channel").unwrap_or_default();
    if channel != rust && !channel.starts_with(&format!("{rust}.")) {
        findings.push(format!(
            "rust-toolchain.toml pins {channel}, Cargo.toml's rust-version is {rust}"
        ));
    }
    let changelog = read("CHANGELOG.md")?;
    if !changelog.contains("## Unreleased") && !changelog.contains(&format!("## {version}")) {
        findings.push(format!(
            "CHANGELOG.md has neither an Unreleased section nor one for {version}"
        ));
    }
    Ok(findings)
}

/// The string that `key` has in a section of a TOML file. Enough for keys on a line of their own.
fn value<'a>(toml: &'a str, section: &str, key: &str) -> Option<&'a str> {
    let head = format!("[{section}]");
    toml.lines()
        .map(str::trim)
        .skip_while(|line| *line != head)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| value.trim().trim_matches('"'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_from_its_own_section() {
        let toml = "[a]\nversion = \"1\"\n[b]\nname = \"x\"\nversion = \"2\"\n";
        assert_eq!(value(toml, "b", "version"), Some("2"));
        assert_eq!(value(toml, "a", "name"), None);
        assert_eq!(value(toml, "c", "version"), None);
    }
}
