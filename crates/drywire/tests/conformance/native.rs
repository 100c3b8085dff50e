//! The same mistakes made by a native adapter: what its types can express is refused in the same words, with
//! the same exit code and the same outputs, as when `misbehaving.py` makes them.
//!
//! A block of another length or dtype, or samples that are not finite, cannot be expressed: a block is
//! `[i16; 160]`, and a JSON number is finite.

use std::path::Path;

use drybox::{
    adapter::{
        Adapter, AdapterConfig, AdapterFault, Callback, Capabilities, Context, Pulled, SduBatch,
    },
    engine::NoHooks,
    radio::Block,
    scenario::{self, Overrides, Source},
};
use drywire::{
    adapters::Adapters,
    session::{self, Job, Report},
};
use serde_json::{Map, Value, json};

use crate::bench::{fixture, options};

/// `misbehaving.py` in Rust.
#[derive(Default)]
struct Misbehaving {
    settings: Map<String, Value>,
    started: bool,
}

impl Misbehaving {
    fn setting(&self, key: &str) -> &str {
        self.settings
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn act(&self, callback: Callback, context: Option<&mut Context>) -> Result<(), AdapterFault> {
        let place = callback.to_string();
        if self.setting("where") != place {
            return Ok(());
        }
        if let Some(context) = context.filter(|_| self.started) {
            let due = if callback == Callback::Start { 0 } else { 20 };
            if context.now_ms() != due {
                return Ok(());
            }
            context.emit_event("before", json!({"where": place}));
        }
        match self.setting("behave") {
            "raise" => Err(AdapterFault::raised(format!(
                "ValueError: raised in {place}"
            ))),
            "interrupt" => Err(AdapterFault::Interrupted),
            _ => Ok(()),
        }
    }

    fn event(&self) -> Option<(&'static str, Value)> {
        let nested = (0..40).fold(Value::Null, |inner, _| match inner {
            Value::Null => json!([]),
            inner => json!([inner]),
        });
        Some(match self.setting("behave") {
            "long_event" => ("long", json!("a".repeat(65_536))),
            "deep_event" => ("deep", nested),
            "aead_fail" => ("aead_fail", json!({"count": -1})),
            "ber" => ("ber", json!({"errors": 3, "bits": 2})),
            "hs_done" => ("hs_done", json!({"time_ms": 1e300})),
            "modem_lock" => ("modem_lock", json!({"locked": "yes", "cfo_hz": 1e300})),
            _ => return None,
        })
    }
}

impl Adapter for Misbehaving {
    fn open(&mut self, config: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        self.settings = config.settings.clone();
        self.act(Callback::Load, None)?;
        let announced = self.settings.get("announce").cloned().unwrap_or_default();
        let mode = |key: &str| announced.get(key).and_then(Value::as_bool).unwrap_or(true);
        let size = announced.get("sdu_max_bytes").and_then(Value::as_u64);
        let version = announced.get("abi_version").and_then(Value::as_str);
        Ok(Capabilities {
            abi_version: Some(version.unwrap_or("1.0").to_owned()),
            bytelink: mode("bytelink"),
            audioblock: mode("audioblock"),
            sdu_max_bytes: size.unwrap_or(300) as usize,
            ..Capabilities::default()
        })
    }

    fn init(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        self.act(Callback::Init, Some(context))
    }

    fn start(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        self.started = true;
        self.act(Callback::Start, Some(context))
    }

    fn on_timer(&mut self, context: &mut Context, t_ms: u64) -> Result<(), AdapterFault> {
        self.act(Callback::OnTimer, Some(context))?;
        if let Some((kind, payload)) = self.event().filter(|_| t_ms == 20) {
            context.emit_event(kind, payload);
        }
        Ok(())
    }

    fn poll_link_tx(
        &mut self,
        context: &mut Context,
        _: usize,
        out: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        self.act(Callback::PollLinkTx, Some(context))?;
        let sdus: &[&[u8]] = match self.setting("behave") {
            "none" => &[],
            "over_budget" => &[b"x".as_slice(); 5],
            "too_long" => &[b"ok".as_slice(), &[0; 301]],
            "longest" => &[[0; 300].as_slice()],
            _ => &[b"sdu".as_slice()],
        };
        sdus.iter().for_each(|sdu| out.push(sdu));
        Ok(())
    }

    fn on_link_rx(&mut self, context: &mut Context, sdus: &SduBatch) -> Result<(), AdapterFault> {
        for sdu in sdus.iter() {
            self.act(Callback::OnLinkRx, Some(context))?;
            let hex: String = sdu.iter().map(|byte| format!("{byte:02x}")).collect();
            context.emit_event("rx", json!({"sdu": hex, "type": "bytes"}));
        }
        Ok(())
    }

    fn pull_tx_block(
        &mut self,
        context: &mut Context,
        block: &mut Block,
    ) -> Result<Pulled, AdapterFault> {
        self.act(Callback::PullTxBlock, Some(context))?;
        if self.setting("block") == "none" {
            return Ok(Pulled::Nothing);
        }
        *block = std::array::from_fn(|i| i as i16);
        Ok(Pulled::Block)
    }

    fn push_rx_block(&mut self, context: &mut Context, _: &Block) -> Result<(), AdapterFault> {
        self.act(Callback::PushRxBlock, Some(context))
    }

    fn stop(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        if self.started {
            context.emit_event("stopped", json!({}));
        }
        self.act(Callback::Stop, Some(context))
    }
}

/// Runs a native and a Python pair under the same name; the native one's report, when all is the same.
fn both(mode: &str, right: &str) -> Report {
    let text = format!(
        "mode: {mode}\nduration_ms: 100\nbudget: 4\nleft: {{adapter: x}}\n\
         right: {{adapter: x, {right}}}\nnetwork: {{bearer: ott_udp, latency_ms: 0, jitter_ms: 0, loss_rate: 0}}\n"
    );
    let name = "s.yaml".to_owned();
    let plan = scenario::load(&Source { name, text }, &Overrides::default()).unwrap();
    let job = Job {
        name: "s",
        scenario: &plan.points[0].scenario,
        specs: &["x".to_owned(), "x".to_owned()],
        base: Path::new(""),
        out: None,
        warnings: &[],
    };
    let run = |[left, right]: [&mut dyn Adapter; 2]| {
        session::run(&job, [left, right], &mut NoHooks).unwrap()
    };
    let [mut left, mut right_side] = [(); 2].map(|()| Misbehaving::default());
    let native = run([&mut left, &mut right_side]);
    let spec = fixture("misbehaving.py");
    let [mut left, mut right_side] = Adapters::connect(&spec, &spec, options());
    let python = run([left.as_mut(), right_side.as_mut()]);

    assert_eq!(native.summary_json, python.summary_json, "{right}");
    let events = |report: &Report| {
        let recorded = report.recorded.as_ref().unwrap();
        String::from_utf8(recorded.events.clone()).unwrap()
    };
    assert_eq!(events(&native), events(&python), "{right}");
    assert!(native.recorded == python.recorded, "{right}");
    assert_eq!(native.exit, python.exit, "{right}");
    native
}

/// How it failed, without the name of the adapter.
fn refused(mode: &str, right: &str) -> String {
    let report = both(mode, right);
    assert_eq!(report.exit.code(), 3, "{right}");
    let error = report.summary.error.unwrap();
    error
        .strip_prefix("right adapter (x) failed in ")
        .unwrap_or_else(|| panic!("{error}"))
        .to_owned()
}

#[test]
fn an_error_of_any_callback_has_its_place() {
    for (mode, callback, t_ms) in [
        ("byte", "load", 0),
        ("byte", "init", 0),
        ("byte", "start", 0),
        ("byte", "on_timer", 20),
        ("byte", "poll_link_tx", 20),
        ("byte", "on_link_rx", 20),
        ("audio", "pull_tx_block", 20),
        ("audio", "push_rx_block", 20),
    ] {
        let said = refused(mode, &format!("behave: raise, where: {callback}"));
        let words = format!("{callback} at t={t_ms} ms: ValueError: raised in {callback}");
        assert_eq!(said, words);
    }
}

#[test]
fn results_out_of_bounds_are_refused_in_the_same_words() {
    for (right, words) in [
        (
            "behave: over_budget",
            "poll_link_tx at t=0 ms: poll_link_tx() returned 5 SDUs, over its budget of 4",
        ),
        (
            "behave: too_long",
            "poll_link_tx at t=0 ms: poll_link_tx() returned an SDU of 301 bytes at index 1, over \
             sdu_max_bytes = 300",
        ),
        (
            "behave: long_event",
            "emit_event at t=20 ms: event \"long\" of the right adapter takes 65586 bytes, the limit of a \
             line is 65536; emit less, or in several events",
        ),
        (
            "announce: {bytelink: false}",
            "load at t=0 ms: the scenario's mode is byte, which the adapter does not support: announce \
             \"bytelink\": True in nade_capabilities() and have its callbacks",
        ),
    ] {
        assert_eq!(refused("byte", right), words, "{right}");
    }
    let said = refused("audio", "announce: {audioblock: false}");
    assert!(said.contains("mode is audio, which the adapter does not support"));
}

#[test]
fn what_is_in_bounds_is_taken_alike() {
    for (mode, right) in [
        ("byte", "behave: none"),
        ("byte", "behave: longest"),
        ("byte", "behave: deep_event"),
        ("audio", "block: none"),
        ("audio", "block: good"),
    ] {
        let report = both(mode, right);
        assert_eq!(report.exit.code(), 0, "{right}");
        assert_eq!(report.summary.error, None, "{right}");
    }
}

#[test]
fn an_event_out_of_domain_is_remarked_and_not_counted() {
    for kind in ["aead_fail", "ber", "hs_done", "modem_lock"] {
        let report = both("byte", &format!("behave: {kind}"));
        assert_eq!(report.exit.code(), 0, "{kind}");
        let warnings = report.summary.warnings.join("\n");
        let words = format!("right adapter emits {kind} without the numbers that it needs");
        assert!(warnings.contains(&words), "{warnings}");
        let metrics = String::from_utf8(report.recorded.unwrap().metrics).unwrap();
        assert!(!metrics.contains(&format!(",adapter,{kind},")), "{metrics}");
    }
}

#[test]
fn an_interrupt_is_nobodys_fault() {
    let report = both("byte", "behave: interrupt, where: on_timer");
    assert_eq!(report.exit.code(), 130);
    assert_eq!(report.summary.error, None);
}
