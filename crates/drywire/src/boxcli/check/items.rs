//! The lines of the list.

use std::fmt;

use drybox::{
    adapter::{ABI_VERSION, AudioParams, Capabilities},
    engine::End,
    radio::{BLOCK_SAMPLES, SAMPLE_RATE},
    scenario::Mode,
};
use serde_json::{Value, json};

use super::trial::Trial;

/// The median CPU time of a callback above which it is said to block: the interface asks for "a
/// few hundred µs".
const SLOW_NS: u64 = 500_000;

/// How an item came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Pass,
    Warn,
    Fail,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) detail: String,
}

impl Item {
    pub(super) fn pass(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            status: Status::Pass,
            detail: detail.into(),
        }
    }

    pub(super) fn warn(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            status: Status::Warn,
            detail: detail.into(),
        }
    }

    pub(super) fn fail(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            status: Status::Fail,
            detail: detail.into(),
        }
    }

    /// Passed when a trial came to its end.
    pub(super) fn of_end(name: String, good: &str, end: &End) -> Self {
        match end {
            End::Completed => Self::pass(name, good),
            end => Self::fail(name, end_text(end)),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let status = match self.status {
            Status::Pass => "pass",
            Status::Warn => "warn",
            Status::Fail => "fail",
        };
        json!({ "name": self.name, "status": status, "detail": self.detail })
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.status {
            Status::Pass => "ok  ",
            Status::Warn => "warn",
            Status::Fail => "FAIL",
        };
        write!(f, "{word}  {:<18} {}", self.name, self.detail)
    }
}

/// `byte.budget` and the like.
pub(super) fn name(mode: Mode, item: &str) -> String {
    let mode = match mode {
        Mode::Byte => "byte",
        Mode::Audio => "audio",
    };
    format!("{mode}.{item}")
}

/// How a trial ended, in words.
pub(super) fn end_text(end: &End) -> String {
    match end {
        End::Completed => "completed".to_owned(),
        End::Interrupted => "interrupted".to_owned(),
        End::Endpoint(error) => error.to_string(),
        End::Output(error) => error.to_string(),
        other => format!("{other:?}"),
    }
}

/// What was announced: a failure here is only a warning in a run.
pub(super) fn discovery(capabilities: &Capabilities) -> Vec<Item> {
    let mut items = Vec::new();
    items.push(match capabilities.abi_version.as_deref() {
        Some(ABI_VERSION) => Item::pass("abi_version", format!("{ABI_VERSION:?}")),
        other => {
            let got = other.map_or_else(|| "nothing".to_owned(), |other| format!("{other:?}"));
            let want = "nade_capabilities() must return \"abi_version\"";
            Item::fail("abi_version", format!("{want}: {ABI_VERSION:?}, got {got}"))
        }
    });
    items.push(match (capabilities.bytelink, capabilities.audioblock) {
        (false, false) => Item::fail(
            "modes",
            "neither bytelink nor audioblock: announce at least one and have its callbacks",
        ),
        (true, false) => Item::pass("modes", "bytelink"),
        (false, true) => Item::pass("modes", "audioblock"),
        (true, true) => Item::pass("modes", "bytelink, audioblock"),
    });
    let ours = AudioParams {
        sr: SAMPLE_RATE,
        block: BLOCK_SAMPLES as u32,
    };
    if let Some(params) = capabilities.audioparams {
        items.push(if params == ours {
            Item::pass("audioparams", format!("{SAMPLE_RATE} Hz, blocks of {BLOCK_SAMPLES}"))
        } else {
            let got = format!("{} Hz, blocks of {}", params.sr, params.block);
            Item::fail("audioparams", format!("this version is fixed at {SAMPLE_RATE} Hz, blocks of {BLOCK_SAMPLES}; announced are {got}"))
        });
    }
    items.extend(
        capabilities
            .remarks
            .iter()
            .map(|remark| Item::fail("interface", remark)),
    );
    items
}

/// SDUs above the MTU come out as they went in.
pub(super) fn sar(name: String, trial: &Trial) -> Item {
    if !matches!(trial.end, End::Completed) {
        return Item::fail(name, end_text(&trial.end));
    }
    let [left, right] = &trial.notes;
    let mut count = 0;
    for (sender, receiver) in [(left, right), (right, left)] {
        count += receiver.received.len();
        if receiver
            .received
            .iter()
            .any(|sdu| !sender.sent.contains(sdu))
        {
            return Item::fail(name, "an SDU came out that was not sent");
        }
    }
    match count {
        0 => Item::pass(name, "no SDU was sent in two seconds"),
        count => Item::pass(
            name,
            format!("{count} SDUs over an MTU of 16 bytes, each exact"),
        ),
    }
}

/// No callback blocks. A warning: what CPU time means differs between machines.
pub(super) fn timing(name: String, trial: &Trial, in_process: bool) -> Item {
    if !in_process {
        return Item::pass(name, "not measured: the adapter has a process of its own");
    }
    let slowest = trial
        .notes
        .iter()
        .flat_map(super::probe::Notes::medians)
        .max_by_key(|m| m.1);
    match slowest {
        None => Item::pass(name, "no callback was made"),
        Some((callback, ns)) => {
            let detail = format!(
                "slowest: {callback}, median {} µs of CPU time",
                ns.div_ceil(1000)
            );
            if ns > SLOW_NS {
                Item::warn(
                    name,
                    format!("{detail}, over {} µs: it must not block", SLOW_NS / 1000),
                )
            } else {
                Item::pass(name, detail)
            }
        }
    }
}

/// What was emitted made sense to DryBox.
pub(super) fn events(name: String, trial: &Trial) -> Item {
    let lines = trial.events.iter().filter(|&&byte| byte == b'\n').count();
    let flaw = trial
        .warnings
        .iter()
        .find(|warning| warning.contains(" emits "));
    match flaw {
        Some(flaw) => Item::fail(name, flaw),
        None => Item::pass(name, format!("{lines} events, well-formed")),
    }
}
