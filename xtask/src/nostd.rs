//! st-protocol where the workspace's tests don't reach: without `std`, with all features, beside its peers, in Wireshark.

use std::process::{Command, Stdio};

use crate::{cargo::cargo, project::Project, steps::Steps};

const NOSTD: &str = "crates/st-protocol/nostd/Cargo.toml";
const PEERS: &str = "crates/st-protocol/peers/Cargo.toml";

/// Adds the steps.
pub(crate) fn steps(project: &Project, steps: &mut Steps) {
    steps.command(
        "st-protocol, all features",
        cargo(project).args([
            "test",
            "--locked",
            "--package",
            "st-protocol",
            "--all-features",
        ]),
    );
    // The program brings its own panic handler, so that it does not build if std is linked.
    steps.command("st-protocol without std", &mut build(project, &[]));
    steps.command(
        "st-protocol without std, with alloc",
        &mut build(project, &["--features", "alloc"]),
    );
    let targets = bare_metal_targets(project);
    if targets.is_empty() {
        steps.skip(
            "st-protocol on bare metal",
            "no such target is installed (rustup target add thumbv7em-none-eabihf); \
             the step before proves that no std is linked",
        );
    }
    for target in targets {
        steps.command(
            &format!("st-protocol on {target}"),
            &mut build(project, &["--target", &target]),
        );
    }
    steps.command(
        "st-protocol beside its peers",
        cargo(project).args([
            "test",
            "--locked",
            "--manifest-path",
            PEERS,
            "--target-dir",
            "target/peers",
            "--tests",
        ]),
    );
    if runs(Command::new("tshark").arg("--version")) {
        steps.command(
            "Wireshark dissector",
            project
                .command("python3")
                .arg("tools/wireshark/test_dissector.py"),
        );
    } else {
        steps.skip("Wireshark dissector", "tshark is not installed");
    }
}

fn build(project: &Project, more: &[&str]) -> Command {
    let mut command = cargo(project);
    command
        .args(["build", "--locked", "--manifest-path", NOSTD])
        .args(["--target-dir", "target/nostd"])
        .args(more);
    command
}

/// Installed targets without an operating system.
fn bare_metal_targets(project: &Project) -> Vec<String> {
    let listed = project
        .command("rustup")
        .args(["target", "list", "--installed"])
        .output();
    let Ok(listed) = listed else {
        return Vec::new();
    };
    String::from_utf8_lossy(&listed.stdout)
        .lines()
        .filter(|target| target.contains("-none"))
        .map(str::to_owned)
        .collect()
}

fn runs(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
