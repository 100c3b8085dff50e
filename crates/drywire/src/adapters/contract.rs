//! What a callback may return, and the words for what it may not (`docs/spec/adapters.md`, section 5).
//!
//! In-process Python, the sidecar host and other sidecars all report a wrong result as a [`Wrong`],
//! so that the same mistake reads the same whatever kind of adapter made it.

pub use drybox::adapter::Limits;
use drybox::{adapter::AdapterFault, radio::BLOCK_SAMPLES};

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
            Self::OverBudget { count } => return limits.over_budget(*count),
            Self::TooLong { index, len } => return limits.too_long(*index, *len),
            Self::ResultType { got } => {
                format!("poll_link_tx() must return a list of bytes, got {got}")
            }
            Self::ItemType { index, got } => {
                format!("poll_link_tx() must return a list of bytes, got {got} at index {index}")
            }
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
