//! `cargo xtask fuzz`: the targets in `fuzz/`, a workspace of its own.
//!
//! They run on the pinned stable toolchain: `cargo fuzz` asks for coverage by `-C passes` and `-C llvm-args`, which are stable.
//! Only sanitizers need nightly, and look for faults of `unsafe` code, which this project forbids itself.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    cargo::{self, cargo},
    project::Project,
    steps::{self, Steps},
};

const TARGET_DIR: &str = "target/fuzz";

/// What targets need, by the start of their names: features of the fuzz crate instead of its default ones, which take
/// longer to build.
const LIGHT: [(&str, &[&str]); 3] = [
    ("node_", &["--no-default-features", "--features=node"]),
    ("st_protocol_", &["--no-default-features"]),
    ("stt_", &["--no-default-features", "--features=stt"]),
];

/// Seconds that one input may take: the readers are linear, and inputs have a few kilobytes.
const SLOWEST: u32 = 10;

/// Megabytes that a target may take, against readers that allocate what an input claims.
const MEMORY: u32 = 1024;

/// What to fuzz.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Targets by name, or by the start of their names; without one, all
    targets: Vec<String>,
    /// How long to fuzz each target
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Run one target on this file, and fuzz nothing
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

/// Fuzzes the targets in turn; says whether all held.
pub(crate) fn run(project: &Project, options: &Options) -> Result<bool> {
    let targets = chosen(targets(project)?, &options.targets)?;
    if !cargo::has_subcommand(project, "fuzz") {
        bail!("cargo-fuzz is not installed; run `cargo install --locked cargo-fuzz`");
    }
    if let Some(file) = &options.replay {
        let [target] = &targets[..] else {
            bail!("name the one target that {} is for", file.display());
        };
        steps::run(fuzz(project, target).arg(file))?;
        return Ok(true);
    }
    let mut steps = Steps::new("fuzz");
    for target in &targets {
        steps.step(target, || fuzz_one(project, target, options.seconds));
    }
    Ok(steps.finish())
}

/// Fuzzes a target, from the corpus in the repository and from what earlier runs here found.
fn fuzz_one(project: &Project, target: &str, seconds: u32) -> Result<()> {
    // New inputs go to the first folder, so that no run changes what is committed.
    let found = format!("{TARGET_DIR}/corpus/{target}");
    let seeds = format!("fuzz/corpus/{target}");
    fs::create_dir_all(project.path(&found)).with_context(|| format!("creating {found}"))?;
    let mut command = fuzz(project, target);
    command.arg(found);
    if project.path(&seeds).is_dir() {
        command.arg(seeds);
    }
    command
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={SLOWEST}"))
        .arg(format!("-rss_limit_mb={MEMORY}"))
        .args(["-verbosity=0", "-print_final_stats=1"]);
    let before = artifacts(project, target);
    steps::run(&mut command).with_context(|| {
        let new: Vec<PathBuf> = artifacts(project, target)
            .into_iter()
            .filter(|path| !before.contains(path))
            .collect();
        advice(target, &new)
    })
}

/// How to see a failure again, and keep it.
fn advice(target: &str, artifacts: &[PathBuf]) -> String {
    let Some(artifact) = artifacts.first() else {
        return format!("{target} did not run");
    };
    let file = artifact.display();
    format!(
        "{target} failed on {file}; replay it with `cargo xtask fuzz {target} --replay {file}` (its bytes stand above, \
         in Base64); once it is understood, put it into fuzz/corpus/{target}, which the ordinary tests replay"
    )
}

/// The inputs on which a target has failed here, relative to the root.
fn artifacts(project: &Project, target: &str) -> Vec<PathBuf> {
    let folder = Path::new("fuzz/artifacts").join(target);
    names(&project.root().join(&folder))
        .unwrap_or_default()
        .into_iter()
        .map(|name| folder.join(name))
        .collect()
}

fn fuzz(project: &Project, target: &str) -> std::process::Command {
    let mut command = cargo(project);
    command.args(["fuzz", "run", "--dev", "--sanitizer", "none"]);
    command.args(["--target-dir", TARGET_DIR]);
    for (prefix, features) in LIGHT {
        if target.starts_with(prefix) {
            command.args(features);
        }
    }
    command.arg(target);
    command
}

/// Every target there is, sorted.
fn targets(project: &Project) -> Result<Vec<String>> {
    let names = names(&project.path("fuzz/fuzz_targets"))?;
    Ok(names
        .into_iter()
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .collect())
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// Those targets that begin with one of the `wanted` names, which must all say something; all, if none is wanted.
fn chosen(all: Vec<String>, wanted: &[String]) -> Result<Vec<String>> {
    for name in wanted {
        ensure!(
            all.iter().any(|target| target.starts_with(name.as_str())),
            "no fuzz target begins with {name}; there are {}",
            all.join(", ")
        );
    }
    Ok(all
        .into_iter()
        .filter(|target| {
            wanted.is_empty() || wanted.iter().any(|name| target.starts_with(name.as_str()))
        })
        .collect())
}

/// Builds every target, without instrumentation, and runs none.
pub(crate) fn check(project: &Project) -> Result<()> {
    steps::run(&mut cargo::outside(project, "check", "fuzz/Cargo.toml")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_chosen_by_the_start_of_their_names() {
        let all = || vec!["a_x".to_owned(), "a_y".to_owned(), "b".to_owned()];
        assert_eq!(chosen(all(), &[]).unwrap(), all());
        assert_eq!(chosen(all(), &["a_".to_owned()]).unwrap(), ["a_x", "a_y"]);
        let both = ["b".to_owned(), "a_y".to_owned()];
        assert_eq!(chosen(all(), &both).unwrap(), ["a_y", "b"]);
        let error = chosen(all(), &["c".to_owned()]).unwrap_err();
        assert!(
            error.to_string().contains("there are a_x, a_y, b"),
            "{error}"
        );
    }

    #[test]
    fn a_failure_says_where_and_how_to_see_it_again() {
        let told = advice("t", &[PathBuf::from("fuzz/artifacts/t/crash-1")]);
        assert!(told.contains("cargo xtask fuzz t --replay fuzz/artifacts/t/crash-1"));
        assert!(told.contains("fuzz/corpus/t"));
        assert_eq!(advice("t", &[]), "t did not run");
    }
}
