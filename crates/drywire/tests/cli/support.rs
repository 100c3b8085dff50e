//! The built command and folders to run it in.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// A folder with a scenario in it.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
}

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Bench {
    /// A folder whose `s.yaml` is `scenario`.
    pub(crate) fn new(scenario: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("s.yaml"), scenario).expect("a writable folder");
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `drywire box …` in the folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drywire"));
        command
            .current_dir(self.folder.path())
            .arg("box")
            .args(args);
        command
    }

    /// `drywire box` with so many descriptors at most.
    pub(crate) fn command_with_descriptors(&self, count: u32) -> Command {
        let mut command = Command::new("sh");
        command
            .current_dir(self.folder.path())
            .arg("-c")
            .arg(format!("ulimit -n {count} && exec \"$0\" box \"$@\""))
            .arg(env!("CARGO_BIN_EXE_drywire"));
        command
    }

    pub(crate) fn drywire(&self, args: &[&str]) -> Said {
        self.command(args)
            .output()
            .expect("the command starts")
            .into()
    }

    /// `drywire box run s.yaml …` with outputs in `out`.
    pub(crate) fn run(&self, more: &[&str]) -> Said {
        self.drywire(&[&["run", "s.yaml", "--out", "out"], more].concat())
    }

    /// A file of the outputs as JSON.
    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        let text = fs::read(self.path(name)).expect("the output exists");
        serde_json::from_slice(&text).expect("the output is JSON")
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the command speaks UTF-8");
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

/// All files below a folder with their bytes, by path relative to it.
pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("it is below");
                found.insert(name.to_owned(), fs::read(&path).expect("a file"));
            }
        }
    }
    found
}
