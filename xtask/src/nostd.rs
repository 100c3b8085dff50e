//! st-protocol where the workspace's tests don't reach: without `std`, with all features, beside its peers, in Wireshark.

use std::process::{Command, Stdio};

use crate::{
    cargo::{cargo, outside},
    project::Project,
    steps::{self, Steps},
};

const NOSTD: &str = "crates/st-protocol/nostd/Cargo.toml";

/// Microcontrollers without an operating system: Cortex-M4 and M7.
const BARE_METAL: &str = "thumbv7em-none-eabi";

/// What there is without `std`.
const FEATURES: [(&str, &[&str]); 2] = [("", &[]), (", with alloc", &["--features", "alloc"])];

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
    for (with, features) in FEATURES {
        steps.command(
            &format!("st-protocol without std{with}"),
            &mut build(project, features),
        );
    }
    if install(project, BARE_METAL) {
        for (with, features) in FEATURES {
            steps.command(
                &format!("st-protocol on {BARE_METAL}{with}"),
                build(project, features).args(["--target", BARE_METAL]),
            );
        }
    } else {
        steps.skip(
            &format!("st-protocol on {BARE_METAL}"),
            "the target can't be installed; the steps before prove that no std is linked",
        );
    }
    steps.step("st-protocol beside its peers", || {
        steps::run(outside(project, "test", PEERS)?.arg("--tests"))
    });
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

/// Has the target's `core` and `alloc` installed, by rustup if they are not there; says whether they are.
fn install(project: &Project, target: &str) -> bool {
    let installed = project
        .command("rustup")
        .args(["target", "list", "--installed"])
        .output()
        .is_ok_and(|listed| {
            String::from_utf8_lossy(&listed.stdout)
                .lines()
                .any(|line| line == target)
        });
    installed
        || project
            .command("rustup")
            .args(["target", "add", target])
            .status()
            .is_ok_and(|status| status.success())
}

fn runs(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
