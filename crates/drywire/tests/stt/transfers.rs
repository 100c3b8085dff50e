//! `send` and `recv` (§4).

use std::{
    fs,
    process::{Child, Stdio},
    thread,
};

use super::support::{Folder, Said, noise, read};

#[test]
fn files_and_folders_arrive_whole_and_are_not_sent_twice() {
    let folder = Folder::new();
    let big = noise(3_000_000);
    folder.write("tree/sub/big", &big);
    folder.write("tree/empty", b"");
    for number in 0..40 {
        folder.write(
            &format!("tree/many/{number}"),
            format!("file {number}").as_bytes(),
        );
    }
    folder.write("single", b"one");
    let receiver = folder.listening(&["recv", "in", "--keep", "--listen", "127.0.0.1:0"]);
    let send = |args: &[&str]| {
        let to = ["--to", &receiver.address, "--seed-file", "seed", "--json"];
        folder.run(&[&["send"], args, &to].concat())
    };
    let first = send(&["tree", "single"]);
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert_eq!(first.out.lines().count(), 43);
    assert_eq!(read(folder.path("in/tree/sub/big")), big);
    assert_eq!(read(folder.path("in/tree/empty")), b"");
    assert_eq!(read(folder.path("in/tree/many/39")), b"file 39");
    assert_eq!(read(folder.path("in/single")), b"one");
    assert_eq!(fs::read_dir(folder.path("in/tree/sub")).unwrap().count(), 1);

    let again = send(&["tree"]);
    assert_eq!(again.code, Some(0), "{}", again.err);
    for line in again.out.lines() {
        let told: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(told["moved"], 0, "{line}");
    }

    // Another file of a name that is taken is refused; the rest goes on.
    folder.write("single", b"two!");
    folder.write("new", b"new");
    let refused = send(&["single", "new"]);
    assert_eq!(refused.code, Some(3), "{}", refused.err);
    assert!(refused.err.contains("--overwrite"), "{}", refused.err);
    assert_eq!(read(folder.path("in/single")), b"one");
    assert_eq!(read(folder.path("in/new")), b"new");
    assert_eq!(receiver.interrupt().code, Some(130));
}

#[test]
fn an_interrupted_send_goes_on_where_it_stopped() {
    let folder = Folder::new();
    let bytes = noise(64 << 20);
    folder.write("big", &bytes);
    let receiver = folder.listening(&["recv", "in", "--keep", "--listen", "127.0.0.1:0"]);
    let args = [
        "send",
        "big",
        "--to",
        &receiver.address,
        "--seed-file",
        "seed",
        "--json",
    ];
    let child = folder
        .command(&args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let part = folder.path("in/big.part");
    while fs::metadata(&part).map_or(0, |part| part.len()) < 1 << 20 {
        thread::yield_now();
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let stopped = child.wait_with_output().unwrap();
    assert_eq!(stopped.status.code(), Some(130), "{:?}", stopped.stderr);
    assert!(!folder.path("in/big").exists());

    let resumed = loop {
        // The receiver may not have heard yet that the first sender is gone.
        let resumed = folder.run(&args);
        if resumed.code != Some(3) || !resumed.err.contains("being received already") {
            break resumed;
        }
    };
    assert_eq!(resumed.code, Some(0), "{}", resumed.err);
    let told: serde_json::Value = serde_json::from_str(&resumed.out).unwrap();
    let moved = told["moved"].as_u64().unwrap();
    assert!(moved > 0 && moved <= (63 << 20), "{moved}");
    assert!(read(folder.path("in/big")) == bytes);
    receiver.interrupt();
}

#[test]
fn either_end_may_be_the_one_that_listens() {
    let folder = Folder::new();
    folder.write("a", b"bytes");
    let sender = folder.listening(&["send", "a", "--listen", "127.0.0.1:0"]);
    let node_id = sender.node_id.clone();
    let received = folder.run(&[
        "recv",
        "in",
        "--from",
        &sender.address,
        "--expect",
        &node_id,
        "--seed-file",
        "seed",
    ]);
    assert_eq!(received.code, Some(0), "{}", received.err);
    assert_eq!(read(folder.path("in/a")), b"bytes");
    assert_eq!(sender.end().code, Some(0));
}

#[test]
fn a_receiver_that_cannot_write_says_so() {
    let folder = Folder::new();
    folder.write("d/a", b"bytes");
    folder.write("in/d", b"a file where a folder is wanted");
    let receiver = folder.listening(&["recv", "in", "--listen", "127.0.0.1:0"]);
    let sent = folder.run(&[
        "send",
        "d",
        "--to",
        &receiver.address,
        "--seed-file",
        "seed",
    ]);
    assert_eq!(sent.code, Some(3), "{}", sent.err);
    assert!(sent.err.contains("no folder here"), "{}", sent.err);
    assert_eq!(receiver.end().code, Some(3));
}

#[test]
fn what_is_not_there_is_told_before_anything_is_sent() {
    let folder = Folder::new();
    let sent = folder.run(&[
        "send",
        "nothing",
        "--to",
        "127.0.0.1:9",
        "--seed-file",
        "seed",
    ]);
    assert_eq!(sent.code, Some(1));
    assert!(sent.err.contains("nothing"), "{}", sent.err);
    let neither = folder.run(&["send", "nothing", "--seed-file", "seed"]);
    assert_eq!(neither.code, Some(4));
}

#[test]
fn results_that_nobody_reads_are_no_failure() {
    let folder = Folder::new();
    for name in ["a", "b", "c"] {
        folder.write(name, name.as_bytes());
    }
    let receiving = folder.listening(&["recv", "inbox", "--listen", "127.0.0.1:0"]);
    let (_, writer) = std::io::pipe().unwrap();
    let said: Said = folder
        .command(&["send", "a", "b", "c", "--to", &receiving.address])
        .args(["--seed-file", "seed"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .and_then(Child::wait_with_output)
        .unwrap()
        .into();
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_eq!(receiving.end().code, Some(0));
}
