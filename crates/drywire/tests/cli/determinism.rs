//! A run of `native:stt` gives the same bytes whenever it is repeated.

use std::path::Path;

use super::support::{Bench, tree};

const FILES: [&str; 3] = ["capture.dbxcap", "events.jsonl", "metrics.csv"];

#[test]
fn a_run_of_native_stt_gives_the_same_bytes_twice() {
    let scenario =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/stt/volte_bursts.yaml");
    let scenario = scenario.display().to_string();
    let [first, second] = [(); 2].map(|()| {
        let bench = Bench::new("");
        let said = bench.drywire(&["run", &scenario, "--out", "out"]);
        assert_eq!(
            (said.code, said.err.as_str()),
            (Some(0), ""),
            "{}",
            said.out
        );
        let found = tree(&bench.path("out"));
        FILES.map(|name| found[Path::new(name)].clone())
    });
    assert!(first == second, "two runs differ");
}
