//! Sweeps: a folder per value, nothing beside them, the same bytes whatever the number of jobs.

use std::{collections::BTreeSet, fs};

use super::support::{Bench, tree};

const SWEEP: &str = "left: native:pingpong\nright: native:pingpong\nduration_ms: 2000\n\
    network: {bearer: volte_evs, loss_rate: [0, 0.2], latency_ms: [10, 50]}\n";

#[test]
fn one_folder_per_value_and_nothing_beside_them() {
    let bench = Bench::new(SWEEP);
    let said = bench.run(&[]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let names: BTreeSet<String> = fs::read_dir(bench.path("out"))
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let expected = [
        "loss_rate_0.2_latency_10",
        "loss_rate_0.2_latency_50",
        "loss_rate_0_latency_10",
        "loss_rate_0_latency_50",
    ];
    assert_eq!(names, expected.map(str::to_owned).into());
    // A line per value, in the order of the plan.
    let lines: Vec<_> = said
        .out
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let plan = [expected[2], expected[3], expected[0], expected[1]];
    assert_eq!(lines, plan);
    // Keys are the same for all values.
    let keys: BTreeSet<_> = expected
        .iter()
        .map(|name| fs::read(bench.path("out").join(name).join("pubkeys.txt")).expect("keys"))
        .collect();
    assert_eq!(keys.len(), 1);
}

#[test]
fn jobs_change_nothing_but_the_time() {
    let bench = Bench::new(SWEEP);
    let one = bench.drywire(&["run", "s.yaml", "--out", "one", "--jobs", "1", "--json"]);
    let two = bench.drywire(&["run", "s.yaml", "--out", "two", "--jobs", "2", "--json"]);
    assert_eq!((one.code, two.code), (Some(0), Some(0)));
    assert_eq!(one.out, two.out);
    let files = tree(&bench.path("one"));
    assert_eq!(files.len(), 4 * 6);
    assert!(files == tree(&bench.path("two")));
    let json: serde_json::Value = serde_json::from_str(&one.out).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(4));
    // A value alone is what it is in the sweep.
    let alone = bench.drywire(&[
        "run",
        "s.yaml",
        "--out",
        "alone",
        "--point",
        "loss_rate_0.2_latency_50",
    ]);
    assert_eq!(alone.code, Some(0));
    assert!(tree(&bench.path("alone")) == tree(&bench.path("one/loss_rate_0.2_latency_50")));
}

#[test]
fn the_worst_value_gives_the_exit_code() {
    let bench = Bench::new(&format!(
        "{SWEEP}acceptance: {{max_latency_ms: 35, max_loss_rate: 1}}\n"
    ));
    let said = bench.run(&["--json"]);
    assert_eq!(said.code, Some(2));
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let codes: Vec<_> = json
        .as_array()
        .expect("a list")
        .iter()
        .map(|point| point["exit_code"].as_u64())
        .collect();
    assert!(codes.contains(&Some(2)), "{codes:?}");
    assert_eq!(bench.run(&["--left", "native:nope"]).code, Some(3));
}
