//! The suites that cargo's own benchmarks measure: each prints rows of its table, ours and the peers in turn in one process.

use anyhow::{Result, ensure};

use super::{Options, python, table};
use crate::{cargo::cargo, project::Project, steps};

/// Where the peers of a crate are built.
macro_rules! peers {
    ($package:literal) => {
        [
            "--manifest-path",
            concat!("crates/", $package, "/peers/Cargo.toml"),
            "--target-dir",
            "target/peers",
        ]
    };
}

/// A suite whose rows come from benchmarks of cargo.
pub(super) struct Suite {
    /// Between which markers of `docs/performance.md` the table stands.
    name: &'static str,
    /// The table's head, where the benchmark doesn't print it.
    head: &'static str,
    benches: &'static [Bench],
    /// Whether rows of the installed Python package follow.
    python: bool,
}

/// A benchmark. It takes `--quick` and a part of a row's name, and marks what isn't reached with "missed".
struct Bench {
    /// Where cargo finds it. Peers stay out of the workspace.
    place: &'static [&'static str],
    name: &'static str,
}

/// st-protocol against the published crate, `memchr` and `cobs`.
pub(super) const CODEC: Suite = Suite {
    name: "codec",
    head: "",
    benches: &[Bench {
        place: &peers!("st-protocol"),
        name: "codec",
    }],
    python: false,
};

/// STT's codecs, and its state machine beside quinn-proto's.
pub(super) const CORE: Suite = Suite {
    name: "core",
    head: "| measurement | measured | held to | |\n|---|---:|---:|---|\n",
    benches: &[
        Bench {
            place: &["--package", "stt-core"],
            name: "codec",
        },
        Bench {
            place: &peers!("stt-core"),
            name: "quinn",
        },
    ],
    python: false,
};

/// The node beside quinn, and from Python.
pub(super) const NODE: Suite = Suite {
    name: "node",
    head: "",
    benches: &[Bench {
        place: &peers!("stt"),
        name: "node",
    }],
    python: true,
};

/// The store beside the same work done by hand.
pub(super) const STORE: Suite = Suite {
    name: "store",
    head: "",
    benches: &[Bench {
        place: &["--package", "stt-store"],
        name: "store",
    }],
    python: false,
};

/// Runs the benchmarks of a suite in turn; says whether every figure reached what it is held to.
pub(super) fn run(project: &Project, options: &Options, suite: &Suite) -> Result<bool> {
    let mut rows = String::new();
    for bench in suite.benches {
        let mut command = cargo(project);
        command.args(["bench", "--locked"]);
        command.args(bench.place);
        command.args(["--bench", bench.name, "--"]);
        options.pass_on(&mut command);
        let printed = steps::capture(&mut command)?;
        keep(&mut rows, bench.name, &printed, options)?;
    }
    if suite.python {
        let printed = python::measure(project, options)?;
        keep(&mut rows, "the benchmark in Python", &printed, options)?;
    }
    if options.save {
        table::save_text(project, suite.name, &format!("{}{rows}", suite.head))?;
        println!("docs/performance.md now holds this table");
    }
    Ok(!rows.to_lowercase().contains("missed"))
}

/// Prints the rows and adds them to the others.
fn keep(rows: &mut String, bench: &str, printed: &str, options: &Options) -> Result<()> {
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
    Ok(())
}
