//! YAML that is refused before any setting is looked at.

use std::fmt::Write as _;

use super::*;

#[test]
fn broken_yaml_names_its_place() {
    for (text, place, words) in [
        ("seed: 1\nseed: 2\n", "2: seed", "already given in line 1"),
        (
            "left:\n  modem: {snr_db: 1, snr_db: 1}\n",
            "2: left.modem.snr_db",
            "already given",
        ),
        ("left: &a\n  x: *a\n", "2: left.x", "can't be cyclic"),
        ("left: &a [*a]\n", "1: left.0", "can't be cyclic"),
        ("left: *nothing\n", "1", "not YAML"),
        ("a: &m {x: 1}\nleft:\n  <<: *m\n", "3: left", "merge keys"),
        ("1: a\n", "1", "the key 1 is not a string"),
        ("true: a\n", "1", "the key true is not a string"),
        ("[a]: b\n", "1", "a collection can't be a key"),
        ("mode: byte\n---\nmode: byte\n", "2", "second document"),
        ("seed: !!binary AAAA\n", "1: seed", "does not fit its tag"),
        ("seed: !own 3\n", "1: seed", "has no meaning here"),
        ("seed: !!int x\n", "1: seed", "does not fit its tag"),
        ("left: {a: 1\n", "2: left", "not YAML"),
        ("seed: 'open\n", "1", "not YAML"),
    ] {
        let error = refused(text);
        let found = error
            .lines()
            .any(|line| line.starts_with(&format!("s.yaml:{place}")) && line.contains(words));
        assert!(found, "{text:?}: expected {place} … {words}, got\n{error}");
    }
}

#[test]
fn tags_anchors_and_quotes_mean_what_yaml_says() {
    assert_eq!(only("duration_ms: &n 20\ntick_ms: *n\n").tick_ms, 20);
    let scenario =
        only("left: {adapter: a, id: \"12\", n: !!str 12, m: &m {k: [1, 2]}, f: !!float 1}\n");
    let settings = &scenario.sides[0].settings;
    assert_eq!(settings["id"], json!("12"));
    assert_eq!(settings["n"], json!("12"));
    assert_eq!(settings["m"], json!({"k": [1, 2]}));
    let scenario = only("left: &side {adapter: a, gain: 2}\nright: *side\n");
    assert_eq!(scenario.sides[0], scenario.sides[1]);
}

#[test]
fn many_problems_are_listed_and_the_rest_counted() {
    let mut text = String::new();
    for i in 0..80 {
        writeln!(text, "unknown{i}: 1").unwrap();
    }
    let error = refused(&text);
    assert_eq!(error.lines().count(), 51);
    assert!(error.ends_with("more problems"), "{error}");
    assert_eq!(refused("seed: x\ntick_ms: y\n").lines().count(), 2);
}

/// Nine levels of ten aliases each are a thousand million values.
#[test]
fn a_document_that_explodes_is_refused_before_it_does() {
    let mut text = "left:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for i in 1..10 {
        let aliases = vec![format!("*a{}", i - 1); 10].join(",");
        writeln!(text, "  a{i}: &a{i} [{aliases}]").unwrap();
    }
    assert_refused(&text, "6: left.a4.7", "aliases expand");
}

#[test]
fn depth_size_and_number_of_values_are_bounded() {
    let deep = format!("left: {}1{}", "[".repeat(70), "]".repeat(70));
    assert!(refused(&deep).contains("nest deeper than 64"));
    let deep = format!("left: {}1", "- ".repeat(70).replace("- ", "[ "));
    assert!(refused(&deep).contains("nest deeper than 64"));
    let wide = format!("left: [{}]", "1,".repeat(100_001));
    assert!(refused(&wide).contains("at most 100000 values"));
    let keys: String = (0..60_000).fold(String::new(), |mut keys, i| {
        writeln!(keys, "  k{i}: 1").unwrap();
        keys
    });
    assert_eq!(
        only(&format!("left:\n{keys}")).sides[0].settings.len(),
        60_000
    );
    let huge = format!("# {}", "x".repeat(1 << 20));
    assert!(refused(&huge).contains("at most 1048576 are read"));
    let key = format!("left:\n  {}: 1\n", "k".repeat(300));
    assert!(refused(&key).contains("a key of 300 bytes"));
}
