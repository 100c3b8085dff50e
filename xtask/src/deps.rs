//! `cargo xtask check-deps`: what the workspace depends on.

use std::process::Stdio;

use anyhow::{Result, bail};

use crate::{
    cargo::{self, cargo},
    project::Project,
    steps::Steps,
};

/// Checks the dependencies against `deny.toml`; says whether all is well.
pub(crate) fn run(project: &Project) -> Result<bool> {
    if !cargo::has_subcommand(project, "deny") {
        bail!("cargo-deny is not installed; run `cargo install --locked cargo-deny`");
    }
    let mut steps = Steps::new("check-deps");
    steps.command(
        "bans, licences, sources",
        cargo(project).args([
            "deny",
            "--locked",
            "check",
            "--hide-inclusion-graph",
            "bans",
            "licenses",
            "sources",
        ]),
    );
    if advisories_reachable(project) {
        steps.command(
            "advisories",
            cargo(project).args(["deny", "--locked", "check", "advisories"]),
        );
    } else {
        steps.skip(
            "advisories",
            "their database cannot be fetched from here; run this task where it can",
        );
    }
    if cargo::has_subcommand(project, "machete") {
        steps.command("unused dependencies", cargo(project).arg("machete"));
    } else {
        steps.skip("unused dependencies", "cargo-machete is not installed");
    }
    Ok(steps.finish())
}

/// Whether the advisory database is there or could be fetched.
fn advisories_reachable(project: &Project) -> bool {
    cargo(project)
        .args(["deny", "fetch", "db"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
