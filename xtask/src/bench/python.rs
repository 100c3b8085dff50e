//! STT's figures from Python, beside the same work by the command.

use anyhow::Result;

use super::Options;
use crate::{
    cargo::{self, cargo},
    project::Project,
    steps, venv,
};

/// Builds the command and the package as they are released and runs `benches/stt/python.py`; what it printed.
pub(super) fn measure(project: &Project, options: &Options) -> Result<String> {
    steps::run(cargo(project).args(["build", "--release", "--locked", "--package", "drywire"]))?;
    venv::create(project)?;
    venv::install_package(project)?;
    let drywire = cargo::target_dir(project)?
        .join("release")
        .join("drywire")
        .with_extension(std::env::consts::EXE_EXTENSION);
    let mut command = project.venv_command("python");
    command.arg("benches/stt/python.py").arg(drywire);
    options.pass_on(&mut command);
    steps::capture(&mut command)
}
