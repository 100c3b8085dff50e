//! `cargo xtask test`: every test there is.

use anyhow::Result;

use crate::{
    cargo::{self, cargo},
    nostd,
    project::Project,
    steps::{self, Steps},
    venv,
};

/// What the wheel brings to import.
const PACKAGES: [&str; 4] = [
    "drybox",
    "drywire",
    "seigr_toolset_transmissions",
    "st_protocol",
];

/// What to run.
#[derive(Default, clap::Args)]
pub(crate) struct Options {
    /// Only the Rust tests
    #[arg(long, conflicts_with = "python")]
    rust: bool,
    /// Only the Python tests
    #[arg(long)]
    python: bool,
}

/// Runs the tests; says whether all passed.
pub(crate) fn run(project: &Project, options: Options) -> Result<bool> {
    let mut steps = Steps::new("test");
    if !options.python {
        rust(project, &mut steps);
    }
    if !options.rust {
        python(project, &mut steps, options)?;
    }
    Ok(steps.finish())
}

/// The extension crate is left out: it has no Rust tests and links only inside Python.
/// TLS beneath WebSockets is off by default, not untested.
const WORKSPACE: [&str; 5] = [
    "--workspace",
    "--exclude",
    "drywire-python",
    "--locked",
    "--features=stt/tls",
];

fn rust(project: &Project, steps: &mut Steps) {
    // Sidecars of Python adapters are part of these tests, and audio needs numpy.
    let ready = steps.step("Python for sidecars", || {
        venv::create(project)?;
        venv::install_requirements(project, "python/requirements-dev.txt")
    });
    if !ready {
        steps.skip("Rust tests", "there is no Python to run sidecars with");
        return;
    }
    let python = project.venv_program("python");
    if cargo::has_subcommand(project, "nextest") {
        steps.command(
            "Rust tests",
            cargo(project)
                .args(["nextest", "run", "--no-fail-fast"])
                .args(WORKSPACE)
                .env("DRYBOX_PYTHON", &python),
        );
    } else {
        println!(
            "cargo-nextest is not installed (cargo install --locked cargo-nextest): \
             using cargo test, which runs the same tests one binary at a time"
        );
        steps.command(
            "Rust tests",
            cargo(project)
                .args(["test", "--no-fail-fast", "--all-targets"])
                .args(WORKSPACE)
                .env("DRYBOX_PYTHON", &python),
        );
    }
    steps.command(
        "documentation examples",
        cargo(project).args(["test", "--doc"]).args(WORKSPACE),
    );
    nostd::steps(project, steps);
    steps.step("stt-core, allocations counted", || {
        steps::run(
            cargo::outside(project, "test", "crates/stt-core/peers/Cargo.toml")?.arg("--tests"),
        )
    });
    steps.step("stt-store before an S3 service, its memory counted", || {
        steps::run(
            cargo::outside(project, "test", "crates/stt-store/peers/Cargo.toml")?.arg("--tests"),
        )
    });
}

fn python(project: &Project, steps: &mut Steps, options: Options) -> Result<()> {
    let target = cargo::target_dir(project)?;
    let mut build = cargo(project);
    if options.python {
        build.args(["build", "--locked", "--package", "drywire"]);
    } else {
        // As it was built for the Rust tests: nothing is compiled again.
        build.args(["test", "--no-run"]).args(WORKSPACE);
    }
    let built = steps.command("the drywire command", &mut build);
    let installed = steps.step("the Python package", || {
        venv::create(project)?;
        venv::install_requirements(project, "python/requirements-dev.txt")?;
        venv::install_package(project)
    });
    if !(built && installed) {
        steps.skip("Python tests", "what they test could not be built");
        return Ok(());
    }
    let drywire = target
        .join("debug/drywire")
        .with_extension(std::env::consts::EXE_EXTENSION);
    steps.command(
        "Python tests",
        project
            .venv_command("python")
            .args(["-m", "pytest", "--quiet"])
            .current_dir(project.path("python"))
            .env("DRYWIRE_BIN", &drywire),
    );
    steps.command(
        "Python documentation",
        project
            .venv_command("python")
            .args(["-W", "error", "-m", "pdoc", "--output-directory"])
            .arg(target.join("python-docs"))
            .args(PACKAGES)
            .current_dir(&target),
    );
    Ok(())
}
