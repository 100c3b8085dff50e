//! `scenario.resolved.yaml` (`docs/spec/scenario.md`, section 9).

use serde_json::{Map, Value, json};

use super::{Scenario, yaml};
use crate::{keys::shown_form, side::Side};

impl Scenario {
    /// The scenario with every default filled in, in the current form: readable back with the same
    /// meaning, the same bytes on any machine. Private keys are left out, and an adapter that is
    /// given by an absolute path by its normal form.
    pub fn resolved_yaml(&self) -> String {
        let mut root = Map::new();
        let mut put = |key: &str, value: Value| {
            root.insert(key.to_owned(), value);
        };
        put("mode", json!(self.mode));
        put("duration_ms", json!(self.duration_ms));
        put("tick_ms", json!(self.tick_ms));
        put("seed", json!(self.seed));
        put("budget", json!(self.budget));
        put("network", json!(self.network));
        put("cfo_hz", json!(self.cfo_hz));
        put("ppm", json!(self.ppm));
        put("audio_cadence", json!(self.audio_cadence));
        for side in Side::BOTH {
            let own = &self.sides[side.index()];
            let mut block = Map::new();
            if let Some(adapter) = &own.adapter {
                block.insert("adapter".to_owned(), json!(shown_form(adapter)));
            }
            block.extend(own.settings.clone());
            put(side.name(), Value::Object(block));
        }
        put("crypto", json!({ "type": self.crypto.kind }));
        put(
            "messages",
            json!({ "left": self.messages[0], "right": self.messages[1] }),
        );
        put("capture", json!({ "pcm": self.capture.pcm }));
        put("acceptance", self.acceptance.to_value());
        format!(
            "# The scenario of this run with its defaults; private keys are never written.\n{}",
            yaml::write(&root)
        )
    }
}
