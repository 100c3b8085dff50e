//! Every exit code with its message (`docs/spec/scenario.md`, section 11).

use std::fs;

use super::support::Bench;

const PINGPONG: &str = "left: native:pingpong\nright: native:pingpong\nduration_ms: 2000\n";

#[test]
fn a_run_that_is_fine_exits_0_and_is_quiet_in_a_pipe() {
    let bench = Bench::new(&format!("{PINGPONG}acceptance: {{handshake_done: true}}\n"));
    let said = bench.run(&[]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(said.err, "", "no progress and no remark");
    assert!(
        !said.out.contains('\u{1b}') && !said.out.contains('\r'),
        "{}",
        said.out
    );
    assert!(
        said.out.ends_with("outputs in out\nPASSED\n"),
        "{}",
        said.out
    );
    assert_eq!(bench.json("out/summary.json")["exit_code"], 0);
}

#[test]
fn json_is_the_summary_and_nothing_else() {
    let bench = Bench::new(PINGPONG);
    let said = bench.run(&["--json"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let written = fs::read_to_string(bench.path("out/summary.json")).expect("a summary");
    assert_eq!(said.out, written);
    let parsed: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(parsed["adapters"]["left"], "native:pingpong");
}

#[test]
fn an_output_that_cannot_be_written_is_our_fault() {
    let bench = Bench::new(PINGPONG);
    // A folder below a file can't be made, by root neither.
    fs::write(bench.path("file"), "").expect("a writable folder");
    let said = bench.drywire(&["run", "s.yaml", "--out", "file/out"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err
            .starts_with("error: cannot create the output folder file/out: "),
        "{}",
        said.err
    );

    // A disk that is full from the first byte.
    for name in ["metrics.csv", "events.jsonl", "capture.dbxcap"] {
        fs::create_dir(bench.path("out")).expect("a writable folder");
        let link = bench.path("out").join(name);
        std::os::unix::fs::symlink("/dev/full", &link).expect("a link");
        let said = bench.run(&[]);
        assert_eq!(said.code, Some(1), "{name}: {}", said.err);
        assert!(
            said.err.contains(&format!("cannot write out/{name}: ")),
            "{}",
            said.err
        );
        assert!(said.err.contains("No space left"), "{}", said.err);
        fs::remove_dir_all(bench.path("out")).expect("it can be removed");
    }
}

#[test]
fn a_missed_threshold_prints_measured_and_required() {
    let bench = Bench::new(&format!(
        "{PINGPONG}acceptance: {{max_latency_ms: 1, min_goodput_bps: 1e9, handshake_done: {{within_ms: 10}}}}\n"
    ));
    let said = bench.run(&[]);
    assert_eq!(said.code, Some(2));
    for (name, required) in [
        ("max_latency_ms", "required at most 1 ms (p95)"),
        ("min_goodput_bps", "required at least 1000000000 bit/s"),
        ("handshake_done", "required done within 10 ms"),
    ] {
        let line = said
            .out
            .lines()
            .find(|line| line.contains(name))
            .expect("a line");
        assert!(
            line.contains("measured ") && line.contains(required),
            "{line}"
        );
    }
    assert!(said.out.contains("MISSED"));
    assert_eq!(bench.json("out/summary.json")["verdict"]["passed"], false);
}

#[test]
fn an_adapter_that_fails_exits_3_and_is_named() {
    for (left, message) in [
        (
            "native:nope",
            "left adapter (native:nope) failed in load at t=0 ms: ",
        ),
        (
            "missing.py",
            "left adapter (missing.py) failed in load at t=0 ms: ",
        ),
        (
            "native:tone",
            "left adapter (native:tone) failed in load at t=0 ms: ",
        ),
        ("cmd:./no-such-program", "left adapter (cmd:"),
    ] {
        let bench = Bench::new(PINGPONG);
        let said = bench.run(&["--left", left]);
        assert_eq!(said.code, Some(3), "{left}: {}", said.err);
        assert!(said.err.contains(message), "{left}: {}", said.err);
        assert_eq!(bench.json("out/summary.json")["exit_code"], 3);
    }
}

#[test]
fn usage_errors_exit_4() {
    let bench = Bench::new(PINGPONG);
    let cases: [&[&str]; 8] = [
        &[],
        &["fly"],
        &["run"],
        &["run", "s.yaml", "--fast"],
        &["run", "s.yaml", "--seed", "many"],
        &["run", "s.yaml", "--jobs", "0"],
        &["run", "s.yaml", "--tick-ms", "0", "--out", "out"],
        &["run", "nowhere.yaml"],
    ];
    for args in cases {
        let said = bench.drywire(args);
        assert_eq!(
            (said.code, said.out.as_str()),
            (Some(4), ""),
            "{args:?}: {}",
            said.err
        );
        assert!(!said.err.is_empty(), "{args:?}");
    }
    for args in [&["--help"][..], &["run", "--help"]] {
        let said = bench.drywire(args);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn every_kind_of_invalid_scenario_exits_4_with_file_line_and_key() {
    let huge = format!("{PINGPONG}# {}\n", "x".repeat(1 << 20));
    let bomb = "left: {adapter: native:pingpong, a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9], b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a], \
         c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b], d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c], \
         e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d], f: [*e, *e, *e, *e, *e, *e, *e, *e, *e]}\n";
    let cases = [
        ("mode: byte\nduraton_ms: 5\n", "s.yaml:2: duraton_ms: "),
        ("network:\n  latency: 5\n", "s.yaml:2: network.latency: "),
        ("duration_ms: long\n", "s.yaml:1: duration_ms: "),
        ("mode: [byte]\n", "s.yaml:1: mode"),
        (
            "\nnetwork: {loss_rate: 1.5}\n",
            "s.yaml:2: network.loss_rate: ",
        ),
        (
            "network: {loss_rate: .nan}\n",
            "s.yaml:1: network.loss_rate: ",
        ),
        ("seed: 1\nseed: 2\n", "s.yaml:2: seed: "),
        ("left: &l\n  adapter: x\n  me: *l\n", "s.yaml:"),
        ("mode: byte\n---\nmode: byte\n", "s.yaml:"),
        ("mode: [\n", "s.yaml:"),
        (&huge, "s.yaml"),
        (bomb, "s.yaml:"),
        ("mode: byte\n", "no left adapter: name one with --left SPEC"),
        (
            "left: native:pingpong\nright: native:pingpong\ncrypto: {left_priv: {hex: '00'}}\n",
            "s.yaml:3: crypto.left_priv: ",
        ),
        (
            "left: native:pingpong\nright: native:pingpong\n\ncrypto: {right_priv: {path: gone.key}}\n",
            "s.yaml:4: crypto.right_priv: cannot read the key file gone.key: ",
        ),
        (
            "left: native:pingpong\nright: native:pingpong\ncrypto: {left_priv: {path: .}}\n",
            "s.yaml:3: crypto.left_priv: cannot read the key file .: ",
        ),
    ];
    for (text, message) in cases {
        let bench = Bench::new(text);
        let said = bench.run(&[]);
        let shown: String = text.chars().take(80).collect();
        assert_eq!(
            (said.code, said.out.as_str()),
            (Some(4), ""),
            "{shown}: {}",
            said.err
        );
        assert!(said.err.starts_with("error: "), "{shown}: {}", said.err);
        assert!(said.err.contains(message), "{shown}: {}", said.err);
        assert!(
            !bench.path("out").exists(),
            "{shown}: nothing is left behind"
        );
    }
    let bench = Bench::new("");
    fs::write(bench.path("s.yaml"), b"mode: \xff\n").expect("a writable folder");
    assert_eq!(bench.run(&[]).code, Some(4));
}

#[test]
fn the_version_is_told() {
    let bench = Bench::new(PINGPONG);
    let said = bench.drywire(&["--version"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let version = concat!(" ", env!("CARGO_PKG_VERSION"), "\n");
    assert!(said.out.ends_with(version), "{}", said.out);
}

#[test]
fn a_scenario_that_is_no_text_or_not_there_exits_4() {
    let bench = Bench::new(PINGPONG);
    fs::write(
        bench.path("latin.yaml"),
        b"mode: byte\nleft: {adapter: x, name: M\xfcller}\n",
    )
    .expect("a writable folder");
    for (file, words) in [
        (
            "latin.yaml",
            "cannot read the scenario latin.yaml: line 2 is not UTF-8; save",
        ),
        (
            "absent.yaml",
            "cannot read the scenario absent.yaml: No such file",
        ),
    ] {
        let said = bench.drywire(&["run", file, "--out", "out"]);
        assert_eq!(said.code, Some(4), "{}", said.err);
        assert!(said.err.contains(words), "{}", said.err);
        assert!(!bench.path("out").exists());
    }
}

#[test]
fn a_private_key_that_is_a_number_is_told_by_line_and_key() {
    let bench = Bench::new(&format!("{PINGPONG}crypto:\n  left_priv: 12\n"));
    let said = bench.run(&[]);
    assert_eq!(said.code, Some(4), "{}", said.err);
    let line = 2 + PINGPONG.lines().count();
    let words = format!("s.yaml:{line}: crypto.left_priv: ");
    assert!(said.err.contains(&words), "{}", said.err);
}
