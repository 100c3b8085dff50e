//! Reads an adapter's settings from its side's block of the scenario.

use drybox::adapter::{AdapterConfig, AdapterFault};
use serde_json::Value;

/// The settings of one side, with errors that name side and key.
#[derive(Debug, Clone, Copy)]
pub(in crate::adapters) struct Settings<'a> {
    config: &'a AdapterConfig,
}

impl<'a> Settings<'a> {
    pub(in crate::adapters) const fn new(config: &'a AdapterConfig) -> Self {
        Self { config }
    }

    /// Whether the key is set to anything but null.
    pub(in crate::adapters) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// A whole number within `range`.
    pub(in crate::adapters) fn whole(
        &self,
        key: &str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, AdapterFault> {
        match self.value(key) {
            None => Ok(default),
            Some(value) => value.as_u64().filter(|n| range.contains(n)).ok_or_else(|| {
                let (low, high) = range.into_inner();
                self.refused(key, &format!("a whole number from {low} to {high}"), value)
            }),
        }
    }

    /// A number within `range`.
    pub(in crate::adapters) fn number(
        &self,
        key: &str,
        default: f64,
        range: std::ops::RangeInclusive<f64>,
    ) -> Result<f64, AdapterFault> {
        match self.value(key) {
            None => Ok(default),
            Some(value) => value.as_f64().filter(|n| range.contains(n)).ok_or_else(|| {
                let (low, high) = range.into_inner();
                self.refused(key, &format!("a number from {low} to {high}"), value)
            }),
        }
    }

    /// `true` or `false`.
    pub(in crate::adapters) fn flag(&self, key: &str, default: bool) -> Result<bool, AdapterFault> {
        match self.value(key) {
            None => Ok(default),
            Some(value) => value
                .as_bool()
                .ok_or_else(|| self.refused(key, "true or false", value)),
        }
    }

    /// A text, if set.
    pub(in crate::adapters) fn text(&self, key: &str) -> Result<Option<&'a str>, AdapterFault> {
        match self.value(key) {
            None => Ok(None),
            Some(value) => value
                .as_str()
                .map(Some)
                .ok_or_else(|| self.refused(key, "a text", value)),
        }
    }

    /// An error about one key.
    pub(in crate::adapters) fn error(&self, key: &str, what: &str) -> AdapterFault {
        AdapterFault::Load(format!("{}.{key}: {what}", self.config.side.name()))
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.config.settings.get(key).filter(|v| !v.is_null())
    }

    fn refused(&self, key: &str, wanted: &str, got: &Value) -> AdapterFault {
        self.error(key, &format!("must be {wanted}, got {got}"))
    }
}
