//! Scenarios: what a run simulates and what it must achieve (`docs/spec/scenario.md`).

mod amend;
mod load;
mod model;
mod notice;
mod older;
mod resolved;
mod schema;
mod sweep;
mod typed;
mod yaml;

pub use amend::amend;
pub use load::{Overrides, Plan, Point, Source, fuzz, load, messages};
pub use model::{
    AudioCadence, CaptureOptions, CryptoScenario, KeyForm, KeyKind, KeySource, Mode, Scenario,
    SideScenario, TextMessage,
};
pub use notice::{Notice, ScenarioError};
pub use schema::SCHEMA;

#[cfg(test)]
mod tests;

/// A remark that doesn't stop a run.
pub type Warning = Notice;
