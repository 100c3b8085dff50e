//! The execution context that a running adapter is given.

use serde_json::Value;

use super::AdapterConfig;

/// An event as an adapter emitted it. DryBox adds its own time and side.
#[derive(Debug, Clone, PartialEq)]
pub struct Emitted {
    /// The event's type, such as `"hs_done"`.
    pub kind: String,
    /// Its payload, already plain JSON (`docs/spec/outputs.md`, section 2).
    pub payload: Value,
}

/// `ctx`: logical time, configuration and the way to emit events.
#[derive(Debug)]
pub struct Context {
    config: AdapterConfig,
    now_ms: u64,
    emitted: Vec<Emitted>,
}

impl Context {
    /// The context of one adapter, at time 0.
    pub const fn new(config: AdapterConfig) -> Self {
        Self {
            config,
            now_ms: 0,
            emitted: Vec::new(),
        }
    }

    /// The adapter's configuration.
    pub const fn config(&self) -> &AdapterConfig {
        &self.config
    }

    /// Logical time in ms.
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Emits an event into `events.jsonl`.
    pub fn emit_event(&mut self, kind: impl Into<String>, payload: Value) {
        self.emitted.push(Emitted {
            kind: kind.into(),
            payload,
        });
    }

    /// Moves logical time; the engine's to call.
    pub const fn set_now_ms(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
    }

    /// Settles the largest SDU once the capabilities are known; the engine's to call.
    pub const fn set_sdu_max_bytes(&mut self, sdu_max_bytes: usize) {
        self.config.sdu_max_bytes = sdu_max_bytes;
    }

    /// The events emitted since this was last asked, in order.
    pub fn take_events(&mut self) -> std::vec::Drain<'_, Emitted> {
        self.emitted.drain(..)
    }

    /// Whether an event waits to be taken.
    pub const fn has_events(&self) -> bool {
        !self.emitted.is_empty()
    }
}
