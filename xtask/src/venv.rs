//! The virtual environment in `.venv` and the Python package installed into it.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{cargo, project::Project, steps};

/// What of the checkout the wheel is made from.
const WHEEL_SOURCES: [&str; 6] = [
    "Cargo.lock",
    "Cargo.toml",
    "crates",
    "python",
    "rust-toolchain.toml",
    "README.md",
];

/// Creates the environment unless it is there.
pub(crate) fn create(project: &Project) -> Result<()> {
    let python = project.venv_program("python");
    if python.is_file() && steps::capture(project.command(&python).arg("--version")).is_ok() {
        return Ok(());
    }
    let system = if cfg!(windows) { "python" } else { "python3" };
    steps::run(
        project
            .command(system)
            .args(["-m", "venv", "--clear"])
            .arg(project.venv()),
    )
    .context("creating .venv (Python 3.9 or later with its venv module is needed)")
}

/// Installs a file of pinned requirements unless this very file was installed before.
pub(crate) fn install_requirements(project: &Project, file: &str) -> Result<()> {
    let path = project.path(file);
    let mut hasher = DefaultHasher::new();
    fs::read(&path)
        .with_context(|| format!("reading {file}"))?
        .hash(&mut hasher);
    let stamp = Stamp::new(project, file, hasher.finish());
    if stamp.is_current() {
        return Ok(());
    }
    pip(project, &["install", "--requirement", file])?;
    stamp.write()
}

/// Builds the wheel and installs it, unless what it is made from is unchanged since last time.
pub(crate) fn install_package(project: &Project) -> Result<()> {
    let stamp = Stamp::new(project, "wheel", fingerprint(project)?);
    if stamp.is_current() {
        println!("the installed package is up to date");
        return Ok(());
    }
    install_requirements(project, "python/requirements-build.txt")?;
    let folder = cargo::target_dir(project)?.join("wheels");
    // A folder of its own build only: whatever stands in it afterwards is the wheel.
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    steps::run(
        project
            .venv_command("maturin")
            .args(["build", "--release", "--locked", "--manifest-path"])
            .arg("python/Cargo.toml")
            .arg("--interpreter")
            .arg(project.venv_program("python"))
            .arg("--out")
            .arg(&folder),
    )?;
    let wheel = only_wheel(&folder)?;
    // Two steps: the dependencies are looked up once, and an unchanged version is replaced.
    pip(project, &["install", &wheel])?;
    pip(
        project,
        &["install", "--force-reinstall", "--no-deps", &wheel],
    )?;
    stamp.write()
}

/// Runs pip inside the environment, quietly.
fn pip(project: &Project, arguments: &[&str]) -> Result<()> {
    steps::run(
        project
            .venv_command("python")
            .args(["-m", "pip", "--disable-pip-version-check", "--quiet"])
            .args(arguments)
            .env("PIP_ROOT_USER_ACTION", "ignore"),
    )
}

fn only_wheel(folder: &Path) -> Result<String> {
    let mut wheels = fs::read_dir(folder)
        .with_context(|| format!("listing {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<PathBuf>>>()?;
    wheels.retain(|path| path.extension().is_some_and(|extension| extension == "whl"));
    ensure!(
        wheels.len() == 1,
        "expected one wheel in {}, found {}",
        folder.display(),
        wheels.len()
    );
    Ok(wheels.remove(0).to_string_lossy().into_owned())
}

/// A hash of every source of the wheel. It only has to change when they do.
fn fingerprint(project: &Project) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for file in project.files()? {
        let counts = WHEEL_SOURCES.iter().any(|source| file.starts_with(source))
            && !file.starts_with("python/tests");
        if counts {
            file.hash(&mut hasher);
            fs::read(project.root().join(&file))
                .with_context(|| format!("reading {}", file.display()))?
                .hash(&mut hasher);
        }
    }
    Ok(hasher.finish())
}

/// A file in the environment that says from what something was installed.
struct Stamp {
    path: PathBuf,
    value: String,
}

impl Stamp {
    fn new(project: &Project, name: &str, fingerprint: u64) -> Self {
        let name = name.replace(['/', '\\'], "-");
        Self {
            path: project.venv().join(format!(".installed-{name}")),
            value: format!("{fingerprint:016x}\n"),
        }
    }

    fn is_current(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|value| value == self.value)
    }

    fn write(&self) -> Result<()> {
        fs::write(&self.path, &self.value)
            .with_context(|| format!("writing {}", self.path.display()))
    }
}
