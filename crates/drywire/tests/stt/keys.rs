//! Seeds, their sources, and pages (§1).

use std::fs;

use super::support::{Folder, read};

#[test]
fn a_seed_file_is_of_its_owner_alone_and_never_overwritten() {
    let folder = Folder::new();
    let seed = read(folder.path("seed"));
    assert!(seed.starts_with(b"stt-seed:") && seed.len() == 9 + 64 + 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path("seed"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let again = folder.run(&["keygen", "seed"]);
    assert_eq!(again.code, Some(4));
    assert!(again.err.contains("is there already"), "{}", again.err);
    assert_eq!(read(folder.path("seed")), seed);
    let other = folder.run(&["keygen", "-"]);
    assert!(other.out.starts_with("stt-seed:"));
    assert_ne!(other.out.as_bytes(), seed);
}

#[test]
fn a_seed_that_others_can_read_or_nobody_gives_is_a_usage_error() {
    let folder = Folder::new();
    let missing = folder.run(&["store", "ls"]);
    assert_eq!(missing.code, Some(4));
    assert!(missing.err.contains("keygen"), "{}", missing.err);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder.path("seed"), fs::Permissions::from_mode(0o640)).unwrap();
        let open = folder.run(&["store", "ls", "--seed-file", "seed"]);
        assert_eq!(open.code, Some(4));
        assert!(open.err.contains("chmod 600"), "{}", open.err);
    }
    let in_argv = folder.run(&["store", "ls", "--seed", "secret"]);
    assert_eq!(in_argv.code, Some(4));
}

#[test]
fn a_short_seed_from_the_environment_serves_with_a_warning_and_is_never_told() {
    let folder = Folder::new();
    let said = folder
        .command(&["connect", "127.0.0.1:9", "--timeout", "0.01"])
        .env("DRYWIRE_SEED", "sesame")
        .output()
        .unwrap();
    let err = String::from_utf8(said.stderr).unwrap();
    assert!(err.contains("warning: a seed of under 32 bytes"), "{err}");
    assert!(!err.contains("sesame"), "{err}");
}

#[test]
fn completion_and_manual_pages() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = folder.run(&["completion", shell]);
        assert_eq!(script.code, Some(0));
        assert!(script.out.contains("drywire") && script.out.contains("keygen"));
    }
    for page in [&["man"][..], &["man", "send"], &["man", "box", "run"]] {
        let man = folder.run(page);
        assert_eq!(man.code, Some(0), "{}", man.err);
        assert!(man.out.contains(".TH"), "{}", man.out);
    }
    let none = folder.run(&["man", "nothing"]);
    assert_eq!(none.code, Some(4));
}
