//! `cargo xtask lint`: everything that can be judged without running the product.

mod documented;
mod files;
mod layering;
mod versions;

use anyhow::{Result, bail};

use crate::{cargo::cargo, fuzz, project::Project, steps::Steps, venv};

/// Runs every check; says whether all passed.
pub(crate) fn run(project: &Project) -> Result<bool> {
    let mut steps = Steps::new("lint");

    steps.command("rustfmt", cargo(project).args(["fmt", "--all", "--check"]));
    steps.command(
        "clippy",
        cargo(project).args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "--deny=warnings",
        ]),
    );
    steps.command(
        "rustdoc",
        cargo(project)
            .args(["doc", "--workspace", "--no-deps", "--locked"])
            .env("RUSTDOCFLAGS", "--deny=warnings"),
    );
    if project.path("fuzz/Cargo.toml").is_file() {
        steps.step("fuzz targets", || fuzz::check(project));
    }

    steps.step("layering", || report(layering::check(project)?));
    steps.step("dependencies are justified", || {
        report(documented::check(project)?)
    });
    steps.step("files", || report(files::check(project)?));
    steps.step("versions", || report(versions::check(project)?));

    let tools = steps.step("Python tools", || {
        venv::create(project)?;
        venv::install_requirements(project, "python/requirements-dev.txt")
    });
    if tools {
        python(project, &mut steps);
    } else {
        steps.skip("ruff and mypy", "they could not be installed");
    }
    Ok(steps.finish())
}

/// Each tool finds its settings in `python/pyproject.toml`, by way of `ruff.toml` elsewhere.
fn python(project: &Project, steps: &mut Steps) {
    steps.command(
        "ruff check",
        project.venv_command("ruff").args(["check", "--quiet"]),
    );
    steps.command(
        "ruff format",
        project
            .venv_command("ruff")
            .args(["format", "--check", "--quiet"]),
    );
    steps.command(
        "mypy",
        project
            .venv_command("mypy")
            .arg("--strict")
            .current_dir(project.path("python")),
    );
}

/// Turns what a check found into its verdict.
fn report(findings: Vec<String>) -> Result<()> {
    for finding in &findings {
        eprintln!("  {finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => bail!("one finding"),
        n => bail!("{n} findings"),
    }
}
