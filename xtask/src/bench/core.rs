//! STT's figures: benchmarks of several crates, each of which prints rows of one table.

use anyhow::{Result, ensure};

use super::{Options, table};
use crate::{cargo::cargo, project::Project, steps};

/// The benchmarks, by crate and name. Each prints its rows, `| measurement | measured | held to | verdict |`; takes `--quick`,
/// and a part of a row's name.
const BENCHES: [(&str, &str); 1] = [("stt-core", "codec")];

const HEAD: &str = "| measurement | measured | held to | |\n|---|---:|---:|---|\n";

/// Runs the benchmarks in turn; says whether every figure reached what it is held to.
pub(super) fn run(project: &Project, options: &Options) -> Result<bool> {
    let mut rows = String::new();
    for (package, bench) in BENCHES {
        let mut command = cargo(project);
        command.args(["bench", "--locked", "--package", package, "--bench", bench]);
        command.arg("--");
        if options.quick {
            command.arg("--quick");
        }
        if let Some(part) = &options.only {
            command.arg(part);
        }
        let printed = steps::capture(&mut command)?;
        let before = rows.len();
        for line in printed.lines().filter(|line| line.starts_with('|')) {
            println!("{line}");
            rows.push_str(line);
            rows.push('\n');
        }
        ensure!(
            rows.len() > before || options.only.is_some(),
            "{package}'s {bench} printed no row but {printed:?}"
        );
    }
    if options.save {
        table::save_text(project, "core", &format!("{HEAD}{rows}"))?;
        println!("docs/performance.md now holds this table");
    }
    Ok(!rows.contains("missed"))
}
