//! The output folder (`docs/spec/outputs.md`, section 0).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{error::OutputError, wav::PcmTap};
use crate::side::Side;

pub(super) const METRICS: &str = "metrics.csv";
pub(super) const EVENTS: &str = "events.jsonl";
pub(super) const CAPTURE: &str = "capture.dbxcap";
pub(super) const PUBKEYS: &str = "pubkeys.txt";
pub(super) const SCENARIO: &str = "scenario.resolved.yaml";
pub(super) const SUMMARY: &str = "summary.json";

/// All files of a run; the summary, whose presence says that the others are complete, first.
const ALL: [&str; 10] = [
    SUMMARY,
    METRICS,
    EVENTS,
    CAPTURE,
    PUBKEYS,
    SCENARIO,
    pcm_name(Side::Left, PcmTap::Tx),
    pcm_name(Side::Left, PcmTap::Rx),
    pcm_name(Side::Right, PcmTap::Tx),
    pcm_name(Side::Right, PcmTap::Rx),
];

pub(super) const fn pcm_name(side: Side, tap: PcmTap) -> &'static str {
    match (side, tap) {
        (Side::Left, PcmTap::Tx) => "left_tx.wav",
        (Side::Left, PcmTap::Rx) => "left_rx.wav",
        (Side::Right, PcmTap::Tx) => "right_tx.wav",
        (Side::Right, PcmTap::Rx) => "right_rx.wav",
    }
}

/// Creates the folder, or takes the outputs of an earlier run out of it.
///
/// Files that will be written again are removed too: a symbolic link or a hard link of an earlier
/// run's file is replaced, not written through. Device files stay, as `/dev/null` would have to.
pub(super) fn prepare(dir: &Path) -> Result<(), OutputError> {
    fs::create_dir_all(dir).map_err(|cause| OutputError::Folder {
        path: dir.to_owned(),
        cause,
    })?;
    for name in ALL {
        let path = dir.join(name);
        match fs::metadata(&path) {
            Ok(meta) if !meta.is_file() && !meta.is_dir() => continue,
            _ => {}
        }
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(OutputError::Create { path, cause });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Takes the outputs of an earlier run out of a folder, if there is one.
pub fn clear(dir: &Path) -> Result<(), OutputError> {
    if dir.is_dir() { prepare(dir) } else { Ok(()) }
}

/// Writes a whole file so that it appears complete or not at all.
pub fn write_whole(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), OutputError> {
    let path: PathBuf = dir.join(name);
    let temporary = dir.join(format!(".{name}.tmp"));
    fs::write(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, &path))
        .map_err(|cause| {
            // Best effort: what failed to be written should not stay behind.
            drop(fs::remove_file(&temporary));
            OutputError::Write { path, cause }
        })
}
