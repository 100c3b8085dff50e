//! Processes of the built command, and folders for them.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Output, Stdio},
    thread::{self, JoinHandle},
};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tempfile::TempDir;

/// A folder with a seed in it.
pub(crate) struct Folder(TempDir);

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let made = folder.run(&["keygen", "seed"]);
        assert_eq!(made.code, Some(0), "{}", made.err);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// `drywire …` in the folder, without seeds of whoever runs the tests.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drywire"));
        command
            .current_dir(self.0.path())
            .env_remove("DRYWIRE_SEED")
            .env_remove("DRYWIRE_NODE_SEED")
            .stdin(Stdio::null())
            .args(args);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        self.command(args).output().unwrap().into()
    }

    /// Starts a command that listens.
    pub(crate) fn listening(&self, args: &[&str]) -> Listening {
        self.listening_to(args, Stdio::null())
    }

    /// The same with something on its standard input.
    pub(crate) fn listening_to(&self, args: &[&str], input: Stdio) -> Listening {
        let more = ["--json", "--seed-file", "seed"];
        let mut child = self
            .command(&[args, &more].concat())
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        // Read at once: a process that can't write waits.
        let out = thread::spawn(move || {
            let mut out = Vec::new();
            stdout.read_to_end(&mut out).unwrap();
            String::from_utf8_lossy(&out).into_owned()
        });
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let told: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("no address: {line}"));
        Listening {
            child,
            out: Some(out),
            stderr: Some(stderr),
            address: told["listening"].as_str().unwrap().to_owned(),
            node_id: told["node_id"].as_str().unwrap().to_owned(),
        }
    }
}

/// A process that listens; it ends with the test at the latest.
pub(crate) struct Listening {
    child: Child,
    out: Option<JoinHandle<String>>,
    stderr: Option<BufReader<ChildStderr>>,
    pub(crate) address: String,
    pub(crate) node_id: String,
}

impl Listening {
    pub(crate) fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Waits for the process to end.
    pub(crate) fn end(mut self) -> Said {
        let mut err = String::new();
        let mut stderr = self.stderr.take().unwrap();
        stderr.read_to_string(&mut err).unwrap();
        Said {
            code: self.child.wait().unwrap().code(),
            out: self.out.take().unwrap().join().unwrap(),
            err,
        }
    }

    /// Interrupts it and waits for its end.
    pub(crate) fn interrupt(self) -> Said {
        rustix::process::kill_process(self.pid(), rustix::process::Signal::INT).unwrap();
        self.end()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Over already, if the test came to its end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes that look random and are the same each time.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut bytes);
    bytes
}

pub(crate) fn read(path: impl AsRef<Path>) -> Vec<u8> {
    fs::read(path).unwrap()
}
