//! What can go wrong while outputs are written.

use std::{io, path::PathBuf};

use super::{MAX_LINE_BYTES, MAX_RECORD_BYTES};
use crate::side::Side;

/// Why an output could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The output folder could not be created.
    #[error("cannot create the output folder {}: {cause}", path.display())]
    Folder {
        /// The folder as given.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A file of the output folder could not be created, replaced or removed.
    #[error("cannot create {}: {cause}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Bytes could not be written, as on a full disk.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// An event whose line exceeds [`MAX_LINE_BYTES`].
    #[error(
        "event {kind:?} of the {} adapter takes {bytes} bytes, the limit of a line is {MAX_LINE_BYTES}; emit less, or in several events",
        side.name()
    )]
    EventTooLarge {
        /// Whose event it is.
        side: Side,
        /// Its type, cut to 64 characters.
        kind: String,
        /// The length of its line.
        bytes: usize,
    },
    /// A captured unit above [`MAX_RECORD_BYTES`].
    #[error("a unit of {bytes} bytes cannot be captured, the limit is {MAX_RECORD_BYTES}")]
    RecordTooLarge {
        /// Its length.
        bytes: usize,
    },
}

impl OutputError {
    /// Whether an adapter caused it (exit code 3) rather than the place that is written to (1).
    pub const fn is_adapter_fault(&self) -> bool {
        matches!(
            self,
            Self::EventTooLarge { .. } | Self::RecordTooLarge { .. }
        )
    }
}
