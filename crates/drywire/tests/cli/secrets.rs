//! No private key is ever on disk.

use std::{fs, path::Path};

use drybox::{
    adapter::{Adapter, AdapterConfig, AdapterFault, Capabilities, Context, Pulled, SduBatch},
    engine::NoHooks,
    radio::Block,
    scenario::{self, Overrides, Source},
};
use drywire::session::{self, Job};
use serde_json::{Value, json};

use super::support::{Bench, tree};

/// 0x41, 0x42 … 0x60: printable, so that the raw bytes are a text too.
fn key(side: u8) -> [u8; 32] {
    std::array::from_fn(|i| 0x41 + 0x20 * side + i as u8 % 26)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Standard base64 without padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte))
            << (8 * (3 - chunk.len()));
        for i in 0..=chunk.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * i)) as usize & 63]));
        }
    }
    text
}

/// Every spelling that is searched for in every file.
fn spellings(key: &[u8; 32]) -> Vec<Vec<u8>> {
    let mut found = vec![
        key.to_vec(),
        hex(key).into_bytes(),
        hex(key).to_uppercase().into_bytes(),
    ];
    for padding in 0..3 {
        // The digits in the middle hold bits of the key alone at each alignment.
        let text = base64(&[&vec![0; padding][..], key].concat());
        let inner = text.as_bytes()[4 * padding.min(1)..40].to_vec();
        found.push(
            inner
                .iter()
                .map(|digit| match digit {
                    b'+' => b'-',
                    b'/' => b'_',
                    other => *other,
                })
                .collect(),
        );
        found.push(inner);
    }
    let listed: Vec<_> = key.iter().map(ToString::to_string).collect();
    found.push(listed.join(",").into_bytes());
    found.push(listed.join(", ").into_bytes());
    found
}

/// An adapter that tells its private key wherever it can.
struct Leaky {
    fails: bool,
}

impl Leaky {
    fn private(context: &Context) -> [u8; 32] {
        context
            .config()
            .crypto
            .as_ref()
            .expect("keys are given")
            .private
    }
}

impl Adapter for Leaky {
    fn open(&mut self, _: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        Ok(Capabilities {
            bytelink: true,
            audioblock: true,
            ..Capabilities::default()
        })
    }

    fn start(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        let private = Self::private(context);
        let text = String::from_utf8(private.to_vec()).expect("the key is a text");
        let payloads: [Value; 7] = [
            json!({"hex": hex(&private), "HEX": hex(&private).to_uppercase()}),
            json!({"b64": base64(&private), "shifted": base64(&[&b"xx"[..], &private].concat())}),
            json!({"raw": text.clone(), "in": format!("a key: {text}!")}),
            json!({"numbers": private.to_vec()}),
            json!({"python": format!("{:?}", private)}),
            json!({text.clone(): [[{"deep": hex(&private)}]]}),
            json!(format!("{}{}", hex(&private), hex(&private))),
        ];
        for payload in payloads {
            context.emit_event("leak", payload);
        }
        // The type of an event is written to rows and counted in the summary.
        context.emit_event(text, json!({}));
        context.emit_event(hex(&private), json!({}));
        Ok(())
    }

    fn on_timer(&mut self, context: &mut Context, t_ms: u64) -> Result<(), AdapterFault> {
        if self.fails && t_ms == 50 {
            let private = Self::private(context);
            return Err(AdapterFault::raised(format!("KeyError: {}", hex(&private))));
        }
        Ok(())
    }

    fn poll_link_tx(
        &mut self,
        context: &mut Context,
        _: usize,
        out: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        let private = Self::private(context);
        out.push(&private);
        out.push(hex(&private).as_bytes());
        out.push(base64(&private).as_bytes());
        Ok(())
    }

    fn pull_tx_block(
        &mut self,
        context: &mut Context,
        block: &mut Block,
    ) -> Result<Pulled, AdapterFault> {
        let private = Self::private(context);
        for (sample, pair) in block.iter_mut().zip(private.chunks_exact(2)) {
            *sample = i16::from_le_bytes([pair[0], pair[1]]);
        }
        Ok(Pulled::Block)
    }
}

fn searched(folder: &Path, at_least: usize) {
    let files = tree(folder);
    assert!(files.len() >= at_least, "{:?}", files.keys());
    for (name, bytes) in &files {
        for side in 0..2 {
            for spelling in spellings(&key(side)) {
                let found = bytes
                    .windows(spelling.len())
                    .position(|window| window == spelling);
                assert_eq!(
                    found,
                    None,
                    "{}: {}",
                    name.display(),
                    String::from_utf8_lossy(&spelling)
                );
            }
        }
    }
}

#[test]
fn an_adapter_cannot_bring_its_key_to_disk() {
    for mode in ["byte", "audio"] {
        for fails in [false, true] {
            let text = format!(
                "mode: {mode}\nduration_ms: 100\ncapture: {{pcm: true}}\n\
                 network: {{bearer: ott_udp, loss_rate: 0, latency_ms: 0, jitter_ms: 0}}\n\
                 crypto: {{left_priv: {{hex: '{}'}}, right_priv: {{b64: '{}'}}}}\n\
                 left: {{adapter: x, own: '{}'}}\nright: {{adapter: y}}\n",
                hex(&key(0)),
                base64(&key(1)) + "=",
                hex(&key(0)),
            );
            let source = Source {
                name: "s.yaml".to_owned(),
                text,
            };
            let plan = scenario::load(&source, &Overrides::default()).expect("a valid scenario");
            let folder = tempfile::tempdir().expect("a folder");
            let job = Job {
                name: "s",
                scenario: &plan.points[0].scenario,
                specs: &["x".to_owned(), "y".to_owned()],
                base: Path::new(""),
                out: Some(folder.path()),
                warnings: &[],
            };
            let [mut left, mut right] = [Leaky { fails: false }, Leaky { fails }];
            let report =
                session::run(&job, [&mut left, &mut right], &mut NoHooks).expect("it runs");
            assert_eq!(report.exit.code(), if fails { 3 } else { 0 });
            searched(folder.path(), if mode == "audio" { 9 } else { 6 });
            let events = fs::read_to_string(folder.path().join("events.jsonl")).expect("events");
            assert!(
                events.matches("[private key removed]").count() >= 20,
                "{events}"
            );
            // What the commands and the Python package say of the run.
            let said = format!(
                "{} {:?} {:?}",
                report.summary_json, report.summary, report.end
            );
            assert!(!said.contains(&hex(&key(1))), "{said}");
            assert_eq!(
                said.matches("KeyError: [private key removed]").count(),
                3 * usize::from(fails)
            );
        }
    }
}

#[test]
fn the_command_writes_no_key_of_the_scenario() {
    let bench = Bench::new(&format!(
        "left: native:pingpong\nright: native:pingpong\nduration_ms: 3000\n\
         crypto: {{left_priv: {{hex: '{}'}}, right_priv: {{path: right.key}}}}\n",
        hex(&key(0))
    ));
    fs::write(bench.path("right.key"), key(1)).expect("a writable folder");
    let said = bench.run(&[]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    searched(&bench.path("out"), 6);
    for side in 0..2 {
        assert!(!said.out.contains(&hex(&key(side))));
    }
    // The public keys are there, and they are those of the scenario's keys.
    let derived = Bench::new("left: native:pingpong\nright: native:pingpong\nduration_ms: 1\n");
    assert_eq!(derived.run(&[]).code, Some(0));
    let keys = |bench: &Bench| fs::read_to_string(bench.path("out/pubkeys.txt")).expect("keys");
    assert_ne!(keys(&bench), keys(&derived));
}
