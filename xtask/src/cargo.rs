//! Cargo, and what it knows of the workspace.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    project::{Project, environment},
    steps,
};

/// A cargo command, by the cargo that runs xtask.
pub(crate) fn cargo(project: &Project) -> Command {
    project.command(environment("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Whether `cargo <name>` is installed.
pub(crate) fn has_subcommand(project: &Project, name: &str) -> bool {
    cargo(project)
        .args([name, "--version"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// `cargo metadata`, with the resolved dependencies.
pub(crate) fn metadata(project: &Project) -> Result<Value> {
    let text = steps::capture(cargo(project).args(["metadata", "--format-version=1", "--locked"]))?;
    serde_json::from_str(&text).context("reading cargo metadata")
}

/// Runs `command` of cargo on a package outside the workspace, in the workspace's build folder: what both need is built once.
pub(crate) fn outside(project: &Project, command: &str, manifest: &str) -> Result<Command> {
    let mut cargo = cargo(project);
    cargo
        .args([command, "--locked", "--manifest-path", manifest])
        .arg("--target-dir")
        .arg(target_dir(project)?);
    Ok(cargo)
}

/// Cargo's build folder.
pub(crate) fn target_dir(project: &Project) -> Result<PathBuf> {
    let text = steps::capture(cargo(project).args([
        "metadata",
        "--format-version=1",
        "--locked",
        "--no-deps",
    ]))?;
    let metadata: Value = serde_json::from_str(&text).context("reading cargo metadata")?;
    let folder = metadata["target_directory"]
        .as_str()
        .context("cargo metadata names no target directory")?;
    Ok(PathBuf::from(folder))
}
