//! `cargo xtask demo`: from a fresh clone to a verdict.

use std::fs;

use anyhow::{Context, Result};

use crate::{project::Project, steps, venv};

const SCENARIO: &str = "scenarios/quickstart.yaml";
const OUT: &str = "out/quickstart";

/// Installs the package and runs the quickstart scenario; says whether the verdict was good.
pub(crate) fn run(project: &Project) -> Result<bool> {
    println!("== demo: the Python package (the first build takes a few minutes)");
    venv::create(project)?;
    venv::install_package(project)?;

    println!("\n== demo: the quickstart scenario");
    let passed = steps::run(
        project
            .venv_command("drybox")
            .args(["run", SCENARIO, "--out", OUT]),
    );
    if let Err(error) = &passed {
        eprintln!("demo: {error:#}");
    }

    println!("\nThe outputs of the run:");
    for (path, bytes) in outputs(project)? {
        println!("  {path:<40} {bytes:>9} bytes");
    }
    println!(
        "\nRun it again, or look closer:\n  \
         .venv/bin/drybox run {SCENARIO} --out {OUT}\n  \
         .venv/bin/drybox inspect {OUT}/capture.dbxcap"
    );
    Ok(passed.is_ok())
}

fn outputs(project: &Project) -> Result<Vec<(String, u64)>> {
    let folder = project.path(OUT);
    let mut files = fs::read_dir(&folder)
        .with_context(|| format!("listing {OUT}: the run wrote nothing"))?
        .map(|entry| {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            Ok((format!("{OUT}/{name}"), entry.metadata()?.len()))
        })
        .collect::<Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
