//! What a callback may return, and the words for what it may not (`docs/spec/adapters.md`, section 5).
//!
//! In-process Python, the sidecar host and other sidecars all report a wrong result as a [`Wrong`],
//! so that the same mistake reads the same whatever kind of adapter made it.

use drybox::{
    adapter::{AdapterFault, SduBatch},
    radio::BLOCK_SAMPLES,
};

/// What a poll is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most SDUs that one poll may return.
    pub budget: usize,
    /// The largest SDU in bytes.
    pub sdu_max_bytes: usize,
}

/// A result that is not what the interface asks for. `got` names a type as its language does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// `poll_link_tx` returned something else than a list.
    ResultType {
        /// The type's name.
        got: String,
    },
    /// An element of the list is not bytes.
    ItemType {
        /// Its index.
        index: usize,
        /// The type's name.
        got: String,
    },
    /// More SDUs than the budget.
    OverBudget {
        /// How many there were.
        count: usize,
    },
    /// An SDU over `sdu_max_bytes`.
    TooLong {
        /// Its index.
        index: usize,
        /// Its length in bytes.
        len: usize,
    },
    /// `pull_tx_block` returned something else than an array.
    BlockType {
        /// The type's name.
        got: String,
    },
    /// The array's samples are not int16 in the machine's (little-endian) order.
    BlockDtype {
        /// The dtype's name.
        got: String,
    },
    /// The array is not one-dimensional with 160 samples.
    BlockShape {
        /// The array's dimensions.
        got: Vec<usize>,
    },
    /// The array is not C-contiguous.
    BlockLayout,
}

impl Wrong {
    /// The fault that ends the run.
    pub fn fault(&self, limits: Limits) -> AdapterFault {
        AdapterFault::Contract(match self {
            Self::ResultType { got } => {
                format!("poll_link_tx() must return a list of bytes, got {got}")
            }
            Self::ItemType { index, got } => {
                format!("poll_link_tx() must return a list of bytes, got {got} at index {index}")
            }
            Self::OverBudget { count } => format!(
                "poll_link_tx() returned {count} SDUs, over its budget of {}",
                limits.budget
            ),
            Self::TooLong { index, len } => format!(
                "poll_link_tx() returned an SDU of {len} bytes at index {index}, over sdu_max_bytes = {}",
                limits.sdu_max_bytes
            ),
            Self::BlockType { got } => format!(
                "pull_tx_block() must return a numpy array of {BLOCK_SAMPLES} int16, got {got}"
            ),
            Self::BlockDtype { got } => {
                format!("pull_tx_block() must return int16 samples, got dtype {got}")
            }
            Self::BlockShape { got } => format!(
                "pull_tx_block() must return shape ({BLOCK_SAMPLES},), got {}",
                shape(got)
            ),
            Self::BlockLayout => {
                "pull_tx_block() must return a C-contiguous array; copy it first".to_owned()
            }
        })
    }
}

/// Checks the SDUs that a poll appended to `batch` from index `start` on.
pub fn check_sdus(batch: &SduBatch, start: usize, limits: Limits) -> Result<(), AdapterFault> {
    let count = batch.len() - start;
    if count > limits.budget {
        return Err(Wrong::OverBudget { count }.fault(limits));
    }
    let too_long = |sdu: &[u8]| sdu.len() > limits.sdu_max_bytes;
    match batch
        .iter()
        .skip(start)
        .enumerate()
        .find(|(_, sdu)| too_long(sdu))
    {
        Some((index, sdu)) => Err(Wrong::TooLong {
            index,
            len: sdu.len(),
        }
        .fault(limits)),
        None => Ok(()),
    }
}

/// A shape as Python writes it.
fn shape(dimensions: &[usize]) -> String {
    match dimensions {
        [one] => format!("({one},)"),
        _ => {
            let parts: Vec<String> = dimensions.iter().map(ToString::to_string).collect();
            format!("({})", parts.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        budget: 2,
        sdu_max_bytes: 4,
    };

    #[test]
    fn only_what_was_appended_is_checked() {
        let mut batch = SduBatch::new();
        batch.push(b"longer than four");
        assert_eq!(check_sdus(&batch, 1, LIMITS), Ok(()));
        batch.push(b"four");
        batch.push(b"fives");
        let message = check_sdus(&batch, 1, LIMITS).unwrap_err().to_string();
        assert_eq!(
            message,
            "poll_link_tx() returned an SDU of 5 bytes at index 1, over sdu_max_bytes = 4"
        );
        batch.push(b"");
        let message = check_sdus(&batch, 1, LIMITS).unwrap_err().to_string();
        assert_eq!(
            message,
            "poll_link_tx() returned 3 SDUs, over its budget of 2"
        );
    }

    #[test]
    fn shapes_read_as_in_python() {
        for (dimensions, expected) in [
            (&[][..], "()"),
            (&[80][..], "(80,)"),
            (&[160, 1][..], "(160, 1)"),
        ] {
            assert_eq!(shape(dimensions), expected);
        }
    }
}
