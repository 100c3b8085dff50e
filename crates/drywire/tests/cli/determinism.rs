//! A run of `native:stt` gives the same bytes on every machine.

use std::path::Path;

use stt_crypto::Stc;

use super::support::{Bench, tree};

const GOLDEN: &str = include_str!("../../../../vectors/stt/golden.json");
const FILES: [&str; 3] = ["capture.dbxcap", "events.jsonl", "metrics.csv"];

#[test]
fn a_run_of_native_stt_gives_the_same_bytes_twice_and_on_every_machine() {
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
    let stc = Stc::new(b"the seed of golden hashes, 32 bytes").expect("not empty");
    let found: serde_json::Map<_, _> = FILES
        .iter()
        .zip(&first)
        .map(|(name, bytes)| {
            let hash = stc.hash_data(bytes, b"");
            let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            ((*name).to_owned(), hex.into())
        })
        .collect();
    let golden: serde_json::Value = serde_json::from_str(GOLDEN).expect("JSON");
    assert_eq!(
        golden["native_stt"],
        serde_json::Value::Object(found),
        "other bytes than before: if that is wanted, put the new hashes into vectors/stt/golden.json"
    );
}
