//! `cargo xtask demo`: from a fresh clone to a verdict.

use std::fs;

use anyhow::{Context, Result};

use crate::{project::Project, steps, venv};

/// What is shown, in this order.
const SHOWN: [Shown; 2] = [
    Shown {
        title: "a secure session over a VoLTE bearer that loses a tenth in bursts",
        scenario: "scenarios/stt/volte_bursts.yaml",
        out: "out/stt",
    },
    Shown {
        title: "two small adapters shake hands: where to start with your own",
        scenario: "scenarios/quickstart.yaml",
        out: "out/quickstart",
    },
];

struct Shown {
    title: &'static str,
    scenario: &'static str,
    out: &'static str,
}

/// Installs the package and runs the scenarios; says whether the verdicts were good.
pub(crate) fn run(project: &Project) -> Result<bool> {
    println!("== demo: the Python package (the first build takes a few minutes)");
    venv::create(project)?;
    venv::install_package(project)?;
    let mut good = true;
    for shown in &SHOWN {
        good &= show(project, shown)?;
    }
    Ok(good)
}

fn show(project: &Project, shown: &Shown) -> Result<bool> {
    let Shown {
        title,
        scenario,
        out,
    } = shown;
    println!("\n== demo: {title}");
    let passed = steps::run(
        project
            .venv_command("drybox")
            .args(["run", scenario, "--out", out]),
    );
    if let Err(error) = &passed {
        eprintln!("demo: {error:#}");
    }
    println!("\nThe outputs of the run:");
    for (path, bytes) in outputs(project, out)? {
        println!("  {path:<40} {bytes:>9} bytes");
    }
    println!(
        "\nRun it again, or look closer:\n  \
         .venv/bin/drybox run {scenario} --out {out}\n  \
         .venv/bin/drybox inspect {out}/capture.dbxcap"
    );
    Ok(passed.is_ok())
}

fn outputs(project: &Project, out: &str) -> Result<Vec<(String, u64)>> {
    let folder = project.path(out);
    let mut files = fs::read_dir(&folder)
        .with_context(|| format!("listing {out}: the run wrote nothing"))?
        .map(|entry| {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            Ok((format!("{out}/{name}"), entry.metadata()?.len()))
        })
        .collect::<Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
