//! Where things lie: the checkout, its virtual environment and its build folder.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// The checkout that this xtask was built from.
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The checkout around this crate.
    pub(crate) fn locate() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest
            .parent()
            .context("the xtask crate has no parent folder")?
            .to_path_buf();
        ensure!(
            root.join("Cargo.lock").is_file(),
            "{} is not the workspace; was the checkout moved? run `cargo build -p xtask` there",
            root.display()
        );
        Ok(Self { root })
    }

    /// The root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path inside the checkout.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The virtual environment's folder.
    pub(crate) fn venv(&self) -> PathBuf {
        self.path(".venv")
    }

    /// A program of the virtual environment.
    pub(crate) fn venv_program(&self, name: &str) -> PathBuf {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        self.venv()
            .join(folder)
            .join(name)
            .with_extension(std::env::consts::EXE_EXTENSION)
    }

    /// A command that runs in the root folder, reads no terminal and honours no caller's Python
    /// settings.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .stdin(std::process::Stdio::null())
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME")
            .env_remove("PYTHONHASHSEED");
        command
    }

    /// A command of the virtual environment, which sees itself as active.
    pub(crate) fn venv_command(&self, name: &str) -> Command {
        let program = self.venv_program(name);
        let mut folders: Vec<PathBuf> = program
            .parent()
            .map(Path::to_path_buf)
            .into_iter()
            .collect();
        folders.extend(environment("PATH").iter().flat_map(std::env::split_paths));
        let mut command = self.command(program);
        command.env("VIRTUAL_ENV", self.venv());
        if let Ok(path) = std::env::join_paths(folders) {
            command.env("PATH", path);
        }
        command
    }

    /// Every file that is or would be committed, relative to the root, sorted.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let output = self
            .command("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .output()
            .context("running git ls-files")?;
        ensure!(
            output.status.success(),
            "git ls-files: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let names = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
        let mut files: Vec<PathBuf> = names
            .split_terminator('\0')
            .map(PathBuf::from)
            // A file deleted but still in the index is listed too.
            .filter(|file| self.root.join(file).is_file())
            .collect();
        files.sort_unstable();
        files.dedup();
        Ok(files)
    }
}

/// A variable of the environment that the task was started in.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask is an edge: the caller's environment is its input"
)]
pub(crate) fn environment(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}
