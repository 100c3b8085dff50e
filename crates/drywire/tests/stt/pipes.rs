//! `listen` and `connect` (§3).

use std::{
    fs::File,
    io::{Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
};

use super::support::{Folder, Said, noise};

fn with_input(mut command: Command, input: &[u8]) -> Said {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A command that ends early closes the pipe.
        let _ = stdin.write_all(&input);
    });
    let said = child.wait_with_output().unwrap().into();
    writer.join().unwrap();
    said
}

#[test]
fn bytes_go_over_and_both_ends_end() {
    for ws in [&[][..], &["--ws"]] {
        bytes_go_over(ws);
    }
}

fn bytes_go_over(ws: &[&str]) {
    let folder = Folder::new();
    let text: String = noise(300_000)
        .iter()
        .map(|byte| char::from(b'a' + byte % 26))
        .collect();
    let listening = folder.listening(&[&["listen", "127.0.0.1:0"], ws].concat());
    let args = ["connect", &listening.address, "--seed-file", "seed"];
    let connect = folder.command(&[&args, ws].concat());
    let said = with_input(connect, text.as_bytes());
    assert_eq!(
        (said.code, said.out.as_str()),
        (Some(0), ""),
        "{}",
        said.err
    );
    let heard = listening.end();
    assert_eq!(heard.code, Some(0), "{}", heard.err);
    assert_eq!(heard.out, text);
}

/// A command with a standard input that says nothing and doesn't end.
struct Silent {
    child: Child,
    _input: ChildStdin,
}

impl Silent {
    fn new(mut command: Command, output: Stdio) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _input = child.stdin.take().unwrap();
        Self { child, _input }
    }

    fn end(self) -> Said {
        self.child.wait_with_output().unwrap().into()
    }
}

#[test]
fn a_silent_input_does_not_outlast_the_session() {
    let folder = Folder::new();
    for is_called in [false, true] {
        let (input, mut speak) = std::io::pipe().unwrap();
        speak.write_all(b"hello").unwrap();
        let listening = folder.listening_to(&["listen", "127.0.0.1:0"], input.into());
        let connect = folder.command(&["connect", &listening.address, "--seed-file", "seed"]);
        let (reader, writer) = std::io::pipe().unwrap();
        let mut connect = Silent::new(connect, writer.into());
        // Both are in the middle of the pipe then.
        let mut heard = [0; 5];
        (&reader).read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"hello");
        if is_called {
            let said = listening.interrupt();
            assert_eq!(said.code, Some(130), "{}", said.err);
            let said = connect.end();
            assert_eq!(said.code, Some(2), "{}", said.err);
            assert!(said.err.contains("session was lost"), "{}", said.err);
        } else {
            let pid = rustix::process::Pid::from_child(&connect.child);
            rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
            assert_eq!(connect.child.wait().unwrap().code(), Some(130));
            let said = listening.end();
            assert_eq!(said.code, Some(2), "{}", said.err);
        }
    }
}

#[test]
fn an_output_that_nobody_reads_ends_the_session() {
    let folder = Folder::new();
    folder.write("hello", b"hello");
    let hello = File::open(folder.path("hello")).unwrap();
    let listening = folder.listening_to(&["listen", "127.0.0.1:0"], hello.into());
    let connect = folder.command(&["connect", &listening.address, "--seed-file", "seed"]);
    let (_, writer) = std::io::pipe().unwrap();
    let said = Silent::new(connect, writer.into()).end();
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("writing standard output"), "{}", said.err);
    assert_eq!(listening.end().code, Some(2));
}

#[test]
fn another_seed_or_another_node_is_told_and_is_exit_2() {
    let folder = Folder::new();
    folder.run(&["keygen", "other"]);
    let listening = folder.listening(&["listen", "127.0.0.1:0", "--keep"]);
    let connect = |more: &[&str]| {
        let args = [&["connect", &listening.address, "--timeout", "2"][..], more].concat();
        with_input(folder.command(&args), b"never read")
    };
    let wrong_seed = connect(&["--seed-file", "other", "--timeout", "0.5"]);
    assert_eq!(
        wrong_seed.code,
        Some(4),
        "an option twice: {}",
        wrong_seed.err
    );
    let wrong_seed = with_input(
        folder.command(&[
            "connect",
            &listening.address,
            "--timeout",
            "0.5",
            "--seed-file",
            "other",
        ]),
        b"",
    );
    assert_eq!(wrong_seed.code, Some(2), "{}", wrong_seed.err);
    assert!(
        wrong_seed.err.contains("holds another seed"),
        "{}",
        wrong_seed.err
    );

    let other_node = "00".repeat(32);
    let wrong_node = connect(&["--seed-file", "seed", "--expect", &other_node]);
    assert_eq!(wrong_node.code, Some(2), "{}", wrong_node.err);
    assert!(
        wrong_node.err.contains("instead of the expected one"),
        "{}",
        wrong_node.err
    );

    let node_id = listening.node_id.clone();
    let right = connect(&["--seed-file", "seed", "--expect", &node_id]);
    assert_eq!(right.code, Some(0), "{}", right.err);
    let heard = listening.interrupt();
    assert_eq!(heard.code, Some(130), "{}", heard.err);
    assert_eq!(heard.out, "never read");
}

#[test]
fn a_bench_between_two_processes_prints_its_figures() {
    let folder = Folder::new();
    let listening = folder.listening(&["listen", "127.0.0.1:0", "--bench"]);
    let said = folder.run(&[
        "bench",
        &listening.address,
        "--seed-file",
        "seed",
        "--mib",
        "1",
        "--round-trips",
        "20",
        "--json",
    ]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let figures: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert!(figures["sent_mb_per_s"].as_f64().unwrap() > 0.0);
    assert!(figures["round_trip_us"]["p99"].as_f64().unwrap() > 0.0);
    assert_eq!(listening.end().code, Some(0));
}
