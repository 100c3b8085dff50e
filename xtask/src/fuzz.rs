//! `cargo xtask fuzz`: the targets in `fuzz/`, a workspace of its own.

use anyhow::{Result, bail};

use crate::{
    cargo::{self, cargo},
    project::Project,
    steps,
};

/// What to fuzz.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The target; without one, all targets are built and none is run
    target: Option<String>,
    /// How long to fuzz
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// Fuzzes one target, or checks that all of them build.
pub(crate) fn run(project: &Project, options: &Options) -> Result<bool> {
    let Some(target) = &options.target else {
        check(project)?;
        return Ok(true);
    };
    if !cargo::has_subcommand(project, "fuzz") {
        bail!(
            "cargo-fuzz is not installed; run `cargo install --locked cargo-fuzz` \
             (it also needs a nightly toolchain)"
        );
    }
    steps::run(
        project
            // The pinned toolchain is stable; instrumentation needs nightly's compiler.
            .command("cargo")
            .env_remove("RUSTUP_TOOLCHAIN")
            .args(["+nightly", "fuzz", "run", target, "--"])
            .arg(format!("-max_total_time={}", options.seconds)),
    )?;
    Ok(true)
}

/// Builds every target without running it.
pub(crate) fn check(project: &Project) -> Result<()> {
    steps::run(cargo(project).args([
        "check",
        "--locked",
        "--manifest-path",
        "fuzz/Cargo.toml",
        "--target-dir",
        "target/fuzz",
    ]))
}
