//! STT's figures: benchmarks of several crates, each of which prints rows of one table.

use anyhow::{Result, ensure};

use super::{Options, table};
use crate::{cargo::cargo, project::Project, steps};

/// The benchmarks, by where cargo finds them and by name. Each prints its rows, `| measurement | measured | held to |
/// verdict |`; takes `--quick`, and a part of a row's name (the second one of a part's: bulk, handshake, memory, goodput).
const BENCHES: [(&[&str], &str); 2] = [
    (&["--package", "stt-core"], "codec"),
    // Beside quinn-proto, which stays out of the workspace.
    (
        &[
            "--manifest-path",
            "crates/stt-core/peers/Cargo.toml",
            "--target-dir",
            "target/peers",
        ],
        "quinn",
    ),
];

const HEAD: &str = "| measurement | measured | held to | |\n|---|---:|---:|---|\n";

/// Runs the benchmarks in turn; says whether every figure reached what it is held to.
pub(super) fn run(project: &Project, options: &Options) -> Result<bool> {
    let mut rows = String::new();
    for (place, bench) in BENCHES {
        let mut command = cargo(project);
        command.args(["bench", "--locked"]);
        command.args(place);
        command.args(["--bench", bench, "--"]);
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
            "{bench} printed no row but {printed:?}"
        );
    }
    if options.save {
        table::save_text(project, "core", &format!("{HEAD}{rows}"))?;
        println!("docs/performance.md now holds this table");
    }
    Ok(!rows.contains("missed"))
}
