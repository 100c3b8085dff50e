//! From an adapter's spec to the adapter (`docs/spec/adapters.md`, section 1).

use drybox::{
    Side,
    adapter::{Adapter, AdapterFault},
};

use super::{
    native::{PingPong, Tone, Traffic, Wav},
    sidecar::{SidecarOptions, SidecarProcess},
    stt::Stt,
    unavailable::Unavailable,
};

/// What kind of adapter a spec names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecKind<'a> {
    /// `native:name`: built in.
    Native(&'a str),
    /// `cmd:program args`: a process of the user's.
    Command(&'a str),
    /// Everything else: a Python file, module or entry point.
    Python,
}

impl<'a> SpecKind<'a> {
    /// The kind of `spec`.
    pub fn of(spec: &'a str) -> Self {
        if let Some(name) = spec.strip_prefix("native:") {
            Self::Native(name)
        } else if let Some(line) = spec.strip_prefix("cmd:") {
            Self::Command(line)
        } else {
            Self::Python
        }
    }
}

/// The native adapter called `name` (without `native:`), if there is one.
pub fn native(name: &str) -> Option<Box<dyn Adapter>> {
    Some(match name {
        "pingpong" => Box::new(PingPong::default()),
        "stt" => Box::new(Stt::default()),
        "tone" => Box::new(Tone::default()),
        "traffic" => Box::new(Traffic::default()),
        "wav" => Box::new(Wav::default()),
        _ => return None,
    })
}

/// The names that [`native`] knows.
pub const NATIVE: [&str; 5] = ["pingpong", "stt", "tone", "traffic", "wav"];

/// Makes the adapters of one run. All Python specs share one host process, as they would share one
/// interpreter in process; every `cmd:` spec has its own process.
#[derive(Debug)]
pub struct Adapters {
    options: SidecarOptions,
    python: Option<SidecarProcess>,
}

impl Adapters {
    /// For one run.
    pub const fn new(options: SidecarOptions) -> Self {
        Self {
            options,
            python: None,
        }
    }

    /// The adapters of both sides.
    pub fn connect(left: &str, right: &str, options: SidecarOptions) -> [Box<dyn Adapter>; 2] {
        let mut adapters = Self::new(options);
        [
            adapters.adapter(Side::Left, left),
            adapters.adapter(Side::Right, right),
        ]
    }

    /// The adapter of one side. Nothing is started before it is opened, and what cannot be made is
    /// reported then.
    pub fn adapter(&mut self, side: Side, spec: &str) -> Box<dyn Adapter> {
        self.make(side, spec)
            .unwrap_or_else(|fault| Box::new(Unavailable(fault)))
    }

    fn make(&mut self, side: Side, spec: &str) -> Result<Box<dyn Adapter>, AdapterFault> {
        match SpecKind::of(spec) {
            SpecKind::Native(name) => native(name).ok_or_else(|| {
                AdapterFault::Load(format!(
                    "there is no native:{name}; there are native:{}",
                    NATIVE.join(", native:")
                ))
            }),
            SpecKind::Command(line) => {
                let process = SidecarProcess::command(line, self.options.clone())?;
                Ok(Box::new(process.adapter(side, spec)))
            }
            SpecKind::Python => {
                let process = self
                    .python
                    .get_or_insert_with(|| SidecarProcess::python(self.options.clone()));
                Ok(Box::new(process.adapter(side, spec)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_native_adapter_exists_and_no_other() {
        for name in NATIVE {
            assert!(native(name).is_some(), "{name}");
        }
        let mut adapters = Adapters::new(SidecarOptions::default());
        let error = adapters
            .make(Side::Left, "native:nope")
            .map(drop)
            .unwrap_err();
        assert!(error.to_string().contains("native:pingpong"), "{error}");
    }
}
