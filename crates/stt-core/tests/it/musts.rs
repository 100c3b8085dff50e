//! The table of musts (`docs/spec/stt-musts.md`).

use std::{fs, path::Path};

const PAGE: &str = include_str!("../../../../docs/spec/stt-musts.md");

#[test]
fn every_test_that_the_page_names_exists() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut count = 0;
    for row in PAGE.lines().filter(|line| line.starts_with("| ")) {
        let tests: Vec<_> = row
            .split('`')
            .filter_map(|code| code.split_once(".rs::"))
            .collect();
        let is_heading = row.ends_with("| tests |");
        assert!(is_heading || !tests.is_empty(), "no test: {row}");
        for (file, name) in tests {
            let (short, rest) = file.split_once('/').expect("a crate and a path");
            let folder = match short {
                "core" => "stt-core",
                "crypto" => "stt-crypto",
                other => other,
            };
            let path = crates.join(folder).join(format!("{rest}.rs"));
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(
                text.contains(&format!("fn {name}(")),
                "{file} has no {name}"
            );
            count += 1;
        }
    }
    assert!(count > 100, "only {count} tests");
}
