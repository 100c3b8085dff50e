//! The scenarios that come with the project run as they are.

use std::path::Path;

use super::support::Bench;

#[test]
fn every_example_meets_its_thresholds() {
    let count = run_all("../../scenarios");
    assert!(count >= 4, "only {count} examples");
}

#[test]
fn stt_meets_its_thresholds_on_every_kind_of_link() {
    let count = run_all("../../scenarios/stt");
    assert!(count >= 13, "only {count} scenarios");
}

/// Runs every scenario of a folder; how many there were.
fn run_all(folder: &str) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the examples exist") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let name = path.display().to_string();
        let bench = Bench::new("");
        let said = bench.drywire(&["run", &name, "--out", "out", "--jobs", "2"]);
        assert_eq!(
            (said.code, said.err.as_str()),
            (Some(0), ""),
            "{name}:\n{}",
            said.out
        );
        assert!(said.out.contains("PASSED"), "{name} sets thresholds");
        count += 1;
    }
    count
}
