//! Sidecars under the whole engine, by the `drywire` command.

use std::{
    io::Read,
    path::Path,
    process::{Command, Stdio},
};

use drybox::Side;
use serde_json::{Value, json};

use crate::bench::{fixture, python};

fn drywire(folder: &Path, scenario: &Value, adapter: &str) -> Command {
    let file = folder.join("scenario.yaml");
    // JSON is YAML.
    std::fs::write(&file, scenario.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_drywire"));
    command
        .args(["box", "run", "--no-progress", "--left", adapter])
        .args(["--right", adapter, "--out"])
        .arg(folder.join("out"))
        .arg(file)
        .env("DRYBOX_PYTHON", python());
    command
}

fn events(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("out/events.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Texts come between timers and polls: with polls that ran ahead they would leave a tick late.
#[test]
fn a_scripted_text_leaves_in_the_tick_in_which_it_came() {
    for mode in ["byte", "audio"] {
        let folder = tempfile::tempdir().unwrap();
        let scenario = json!({
            "mode": mode,
            "duration_ms": 200,
            "messages": {"left": [{"text": "one", "delay_ms": 20}, {"text": "two", "delay_ms": 40}]},
        });
        let output = drywire(folder.path(), &scenario, &fixture("texts.py"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let events = events(folder.path());
        let of = |kind: &str| -> Vec<(u64, &str)> {
            let found = events
                .iter()
                .filter(|e| e["type"] == kind && e["side"] == Side::Left.letter());
            found
                .map(|e| {
                    (
                        e["t_ms"].as_u64().unwrap(),
                        e["payload"]["text"].as_str().unwrap(),
                    )
                })
                .collect()
        };
        // The handshake is complete at 40 ms.
        assert_eq!(of("took"), [(60, "one"), (100, "two")], "{mode}");
        assert_eq!(of("sent"), of("took"), "{mode}");
    }
}

#[test]
fn a_sidecar_ends_when_drybox_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("alive");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let scenario = json!({
        "mode": "byte",
        "duration_ms": 1_000_000_000,
        "left": {"fifo": fifo.display().to_string()},
    });
    let mut command = drywire(folder.path(), &scenario, &fixture("holder.py"));
    let mut drybox = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Opening waits for the host to open its end, reading for the host to be gone.
    let mut alive = std::fs::File::open(&fifo).unwrap();
    drybox.kill().unwrap();
    drybox.wait().unwrap();
    assert_eq!(alive.read_to_end(&mut Vec::new()).unwrap(), 0);
}
