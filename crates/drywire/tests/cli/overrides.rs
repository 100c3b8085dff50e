//! What the command line says beats the scenario; other forms of the commands.

use std::{ffi::OsString, fs, path::PathBuf, process::Command};

use drybox::{ExitCode, adapter::Adapter, scenario::SCHEMA};
use drywire::{adapters, boxcli};

use super::support::{Bench, tree};

#[test]
fn the_default_folder_is_runs_and_the_scenarios_name() {
    let bench = Bench::new("left: native:pingpong\nright: native:pingpong\nduration_ms: 10\n");
    let said = bench.drywire(&["run", "s.yaml"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let names: Vec<_> = tree(&bench.path("runs")).into_keys().collect();
    let expected = [
        "capture.dbxcap",
        "events.jsonl",
        "metrics.csv",
        "pubkeys.txt",
        "scenario.resolved.yaml",
        "summary.json",
    ];
    let expected = expected.map(|name| PathBuf::from("s").join(name));
    assert_eq!(names, expected);
}

#[test]
fn seed_tick_and_adapters_come_from_the_command_line() {
    // The scenario's adapters don't even exist.
    let bench = Bench::new(
        "left: gone/left.py:Nobody\nright: {adapter: 'cmd:./gone'}\nduration_ms: 100\nseed: 1\ntick_ms: 10\n",
    );
    let args = [
        "--left",
        "native:pingpong",
        "--right",
        "native:traffic",
        "--seed",
        "9",
        "--tick-ms",
        "25",
    ];
    let said = bench.run(&args);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let summary = bench.json("out/summary.json");
    assert_eq!(
        (&summary["seed"], &summary["tick_ms"]),
        (&9.into(), &25.into())
    );
    assert_eq!(summary["adapters"]["left"], "native:pingpong");
    assert_eq!(summary["adapters"]["right"], "native:traffic");
    let resolved = fs::read_to_string(bench.path("out/scenario.resolved.yaml")).expect("a file");
    assert!(!resolved.contains("gone"), "{resolved}");
}

#[test]
fn the_resolved_scenario_runs_to_the_same_bytes() {
    let bench = Bench::new("left: native:pingpong\nright: native:pingpong\nduration_ms: 3000\n");
    assert_eq!(bench.run(&["--seed", "5"]).code, Some(0));
    fs::copy(
        bench.path("out/scenario.resolved.yaml"),
        bench.path("s.yaml"),
    )
    .expect("a copy");
    assert_eq!(
        bench.drywire(&["run", "s.yaml", "--out", "again"]).code,
        Some(0)
    );
    assert!(tree(&bench.path("out")) == tree(&bench.path("again")));
}

#[test]
fn the_schema_is_the_published_file() {
    let bench = Bench::new("");
    let said = bench.drywire(&["schema"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_eq!(said.out, SCHEMA);
    let schema: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
}

/// A host with native adapters only.
struct Native;

impl boxcli::Host for Native {
    fn adapters(&mut self, specs: &[String; 2]) -> [Box<dyn Adapter>; 2] {
        [&specs[0], &specs[1]].map(|spec| {
            let name = spec.strip_prefix("native:").expect("a native spec");
            adapters::native(name).expect("a known adapter")
        })
    }

    fn runs_in_process(&self, _spec: &str) -> bool {
        true
    }

    fn watch_entropy(&mut self, _watch: bool) -> bool {
        false
    }

    fn take_entropy_uses(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn interrupted(&mut self) -> bool {
        false
    }

    fn command(&self) -> Command {
        Command::new(env!("CARGO_BIN_EXE_drywire"))
    }
}

#[test]
fn the_form_in_use_in_the_field_writes_the_same_bytes() {
    let bench = Bench::new("duration_ms: 2000\n");
    let path = |name: &str| bench.path(name).into_os_string();
    let flags = [
        "--left",
        "native:pingpong",
        "--right",
        "native:pingpong",
        "--seed",
        "3",
        "--tick-ms",
        "20",
    ];
    let words = |texts: &[&str]| texts.iter().map(OsString::from).collect::<Vec<_>>();
    for ui in [&[][..], &["--ui"], &["--no-ui"]] {
        let mut args = words(&["drybox-run", "--scenario"]);
        args.extend([path("s.yaml"), "--out".into(), path("field")]);
        args.extend(words(&flags));
        args.extend(words(ui));
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = boxcli::drybox_run(args, &mut Native, &mut out, &mut err);
        assert_eq!((exit, err.as_slice()), (ExitCode::Passed, &b""[..]));
        assert!(String::from_utf8_lossy(&out).contains("outputs in "));
    }
    assert_eq!(bench.run(&flags).code, Some(0));
    assert!(tree(&bench.path("out")) == tree(&bench.path("field")));
}

#[test]
fn texts_come_from_the_output_folder_where_the_scenario_has_none() {
    let text = "left: native:pingpong\nright: native:pingpong\nduration_ms: 3000\n";
    let bench = Bench::new(text);
    fs::create_dir(bench.path("out")).expect("a folder");
    let write = |text: &str| fs::write(bench.path("out/messages.yaml"), text).expect("a file");
    let events = || fs::read_to_string(bench.path("out/events.jsonl")).expect("events");

    write("left:\n- {text: from the folder, delay_ms: 20}\n");
    let said = bench.run(&[]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert!(
        events().contains(r#""side":"R","type":"text_rx","payload":{"text":"from the folder"}"#)
    );
    let resolved = fs::read_to_string(bench.path("out/scenario.resolved.yaml")).expect("a file");
    assert!(resolved.contains("from the folder"), "{resolved}");

    write("left:\n- {text: 5}\n");
    let said = bench.run(&[]);
    assert_eq!(said.code, Some(4), "{}", said.err);
    assert!(
        said.err.contains("messages.yaml:2: messages.left.0.text"),
        "{}",
        said.err
    );

    // The scenario's own texts win; the file is not even read.
    let own = format!("{text}messages: {{right: [{{text: own}}]}}\n");
    fs::write(bench.path("s.yaml"), own).expect("a file");
    assert_eq!(bench.run(&[]).code, Some(0));
    assert!(events().contains(r#""payload":{"text":"own"}"#));
}
