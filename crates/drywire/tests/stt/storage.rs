//! `store` (§5).

use std::fs;

use super::support::{Folder, noise, read};

fn store(folder: &Folder, args: &[&str]) -> super::support::Said {
    folder.run(&[&["store", "--seed-file", "seed"], args].concat())
}

#[test]
fn what_is_put_comes_back_and_damage_is_named() {
    let folder = Folder::new();
    let bytes = noise(500_000);
    folder.write("a", &bytes);
    folder.write("b", b"small");
    let put = store(&folder, &["put", "a", "b"]);
    assert_eq!(put.code, Some(0), "{}", put.err);
    let addresses: Vec<&str> = put.out.lines().map(|line| &line[..64]).collect();
    let got = store(&folder, &["get", addresses[0], "--out", "back"]);
    assert_eq!(got.code, Some(0), "{}", got.err);
    assert_eq!(read(folder.path("back")), bytes);
    assert_eq!(store(&folder, &["get", addresses[1]]).out, "small");
    // A name that is taken keeps its file.
    assert_eq!(
        store(&folder, &["get", addresses[1], "--out", "back"]).code,
        Some(4)
    );
    assert_eq!(read(folder.path("back")), bytes);
    assert_eq!(store(&folder, &["ls"]).out.lines().count(), 2);
    assert!(store(&folder, &["stats"]).out.starts_with("2 objects"));
    assert_eq!(store(&folder, &["verify"]).code, Some(0));

    let blobs = folder.path(".storage/blobs");
    let blob = fs::read_dir(blobs).unwrap().next().unwrap().unwrap().path();
    let mut damaged = read(&blob);
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&blob, damaged).unwrap();
    let verified = store(&folder, &["verify"]);
    assert_eq!(verified.code, Some(3));
    assert!(verified.err.contains(addresses[0]), "{}", verified.err);
    assert!(verified.out.contains(addresses[1]), "{}", verified.out);

    assert_eq!(store(&folder, &["rm", addresses[0]]).code, Some(0));
    assert_eq!(store(&folder, &["rm", addresses[0]]).code, Some(3));
    assert_eq!(store(&folder, &["get", addresses[0]]).code, Some(3));
    assert_eq!(store(&folder, &["get", "nonsense"]).code, Some(4));
}

#[test]
fn another_seed_opens_nothing() {
    let folder = Folder::new();
    folder.write("a", b"x");
    assert_eq!(store(&folder, &["put", "a"]).code, Some(0));
    folder.run(&["keygen", "other"]);
    let other = folder.run(&["store", "ls", "--seed-file", "other"]);
    assert_eq!(other.code, Some(4), "{}", other.err);
    assert!(other.err.contains("another seed"), "{}", other.err);
}

#[test]
fn reading_makes_no_store_and_putting_a_private_one() {
    let folder = Folder::new();
    folder.write("a", b"x");
    for args in [
        &["ls"][..],
        &["stats"],
        &["verify"],
        &["get", &"0".repeat(64)],
    ] {
        let said = store(&folder, args);
        assert_eq!(said.code, Some(1), "{}", said.err);
        assert!(said.err.contains("no store is here"), "{}", said.err);
    }
    assert!(!folder.path(".storage").exists());
    assert_eq!(store(&folder, &["put", "a"]).code, Some(0));
    #[cfg(unix)]
    for path in [".storage", ".storage/index", ".storage/blobs"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path(path))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{path}");
    }
}

#[test]
fn an_interrupted_get_leaves_no_part() {
    let folder = Folder::new();
    folder.write("a", &noise(40_000_000));
    let put = store(&folder, &["put", "a"]);
    let address = &put.out[..64];
    let mut child = folder
        .command(&["store", "--seed-file", "seed", "get", address, "--out", "b"])
        .spawn()
        .unwrap();
    while !folder.path("b.part").exists() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let pid = rustix::process::Pid::from_child(&child);
    // It may have ended by itself.
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
    child.wait().unwrap();
    assert!(!folder.path("b.part").exists());
    // Whole, or not there.
    let got = fs::read(folder.path("b"));
    assert!(got.is_err() || got.unwrap() == read(folder.path("a")));

    folder.write("c.part", b"of one that was killed");
    let said = store(&folder, &["get", address, "--out", "c"]);
    assert_eq!(said.code, Some(4));
    assert!(
        said.err.contains("c.part") && said.err.contains("remove it"),
        "{}",
        said.err
    );
    assert_eq!(read(folder.path("c.part")), b"of one that was killed");
}
