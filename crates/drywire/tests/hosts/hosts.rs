//! Two namespaces with a link between them.

use std::{
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread::{self, JoinHandle},
};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tempfile::TempDir;

/// Host a (10.77.0.1) and host b (10.77.0.2), and a folder with a seed that both see.
pub(crate) struct Hosts {
    folder: TempDir,
    a: String,
    b: String,
}

impl Hosts {
    /// `None`, with a line that says so, where namespaces are not permitted. `name` tells tests apart.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let hosts = Self {
            folder: tempfile::tempdir().unwrap(),
            a: format!("dw{}{name}a", std::process::id()),
            b: format!("dw{}{name}b", std::process::id()),
        };
        for host in [&hosts.a, &hosts.b] {
            let made = Command::new("ip").args(["netns", "add", host]).output();
            let refusal = match made {
                Ok(made) if made.status.success() => continue,
                Ok(made) => String::from_utf8_lossy(&made.stderr).trim().to_owned(),
                Err(error) => error.to_string(),
            };
            #[expect(clippy::print_stderr, reason = "a test that does not run says so")]
            {
                eprintln!("not run: no network namespaces here ({refusal})");
            }
            return None;
        }
        let link = [
            "ip", "link", "add", "veth", "type", "veth", "peer", "name", "veth", "netns",
        ];
        must(&hosts.a, &[&link[..], &[&hosts.b]].concat());
        for (host, address) in [(&hosts.a, "10.77.0.1/24"), (&hosts.b, "10.77.0.2/24")] {
            // Later addresses take over when the first one goes.
            must(
                host,
                &["sysctl", "-qw", "net.ipv4.conf.veth.promote_secondaries=1"],
            );
            must(host, &["ip", "address", "add", address, "dev", "veth"]);
            must(host, &["ip", "link", "set", "lo", "up"]);
            must(host, &["ip", "link", "set", "veth", "up"]);
        }
        must(
            &hosts.a,
            &[env!("CARGO_BIN_EXE_drywire"), "keygen", &hosts.text("seed")],
        );
        Some(hosts)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Both ends send at this rate at most.
    pub(crate) fn limit(&self, rate: &str) {
        for host in [&self.a, &self.b] {
            must(
                host,
                &[
                    "tc", "qdisc", "add", "dev", "veth", "root", "tbf", "rate", rate, "burst",
                    "16kb", "latency", "50ms",
                ],
            );
        }
    }

    /// Runs a command on host b.
    pub(crate) fn on_b(&self, command: &[&str]) {
        must(&self.b, command);
    }

    /// Starts `drywire …` on host b.
    pub(crate) fn start_on_b(&self, args: &[&str]) -> Child {
        self.drywire(&self.b, args).spawn().unwrap()
    }

    /// Starts a command that listens on host a.
    pub(crate) fn listening(&self, args: &[&str]) -> Listening {
        let more = ["--json", "--seed-file", "seed"];
        let mut child = self
            .drywire(&self.a, &[args, &more].concat())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let told: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("no address: {line}"));
        // Read at once: a process that can't write waits.
        let said = thread::spawn(move || {
            let mut said = String::new();
            stderr.read_to_string(&mut said).unwrap();
            said
        });
        Listening {
            child,
            said: Some(said),
            address: told["listening"].as_str().unwrap().to_owned(),
        }
    }

    fn drywire(&self, host: &str, args: &[&str]) -> Command {
        let mut command = inside(host);
        command
            .arg(env!("CARGO_BIN_EXE_drywire"))
            .args(args)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for host in [&self.a, &self.b] {
            // The link goes with its namespace.
            let _ = Command::new("ip").args(["netns", "del", host]).output();
        }
    }
}

/// A process that listens; it ends with the test at the latest.
pub(crate) struct Listening {
    child: Child,
    said: Option<JoinHandle<String>>,
    pub(crate) address: String,
}

impl Listening {
    /// Waits for its end: the exit code, and what it said on standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        (code, self.said.take().unwrap().join().unwrap())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Over already, if the test came to its end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn inside(host: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", host]);
    command
}

fn must(host: &str, command: &[&str]) {
    let Output { status, stderr, .. } = inside(host).args(command).output().unwrap();
    assert!(
        status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&stderr)
    );
}

/// Bytes that look random and are the same each time.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut bytes);
    bytes
}
