//! The node's figures beside quinn's, in turn in one process.

use anyhow::Result;

use super::{Options, table};
use crate::{cargo::cargo, project::Project, steps};

/// Runs the benchmark, which prints its own table; says whether every ratio reached its target.
pub(super) fn run(project: &Project, options: &Options) -> Result<bool> {
    let mut command = cargo(project);
    command.args([
        "bench",
        "--locked",
        "--manifest-path",
        "crates/stt/peers/Cargo.toml",
        "--target-dir",
        "target/peers",
        "--bench",
        "node",
        "--",
    ]);
    if options.quick {
        command.arg("--quick");
    }
    if let Some(part) = &options.only {
        command.arg(part);
    }
    let printed = steps::capture(&mut command)?;
    let rows: String = printed
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| format!("{line}\n"))
        .collect();
    println!("{rows}");
    if options.save {
        table::save_text(project, "node", &rows)?;
        println!("docs/performance.md now holds this table");
    }
    Ok(!rows.contains("MISSED"))
}
