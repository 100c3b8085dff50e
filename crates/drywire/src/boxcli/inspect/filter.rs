//! Which records of a capture are meant.

use clap::{Args, ValueEnum};
use drybox::{
    Direction,
    output::{CaptureEvent, CaptureLayer, read::Record},
};

/// The selection; records must satisfy all that is given.
#[derive(Debug, Clone, Default, Args)]
pub struct FilterArgs {
    /// Only what this side sent
    #[arg(long, value_name = "L|R", ignore_case = true)]
    pub side: Option<DirectionArg>,

    /// Only this layer
    #[arg(long)]
    pub layer: Option<LayerArg>,

    /// Only these events (may be repeated)
    #[arg(long)]
    pub event: Vec<EventArg>,

    /// Only from this simulated time on, in ms
    #[arg(long, value_name = "MS")]
    pub from: Option<u64>,

    /// Only up to this simulated time, in ms, inclusive
    #[arg(long, value_name = "MS")]
    pub to: Option<u64>,

    /// Only records with at least this many bytes
    #[arg(long, value_name = "BYTES")]
    pub min_len: Option<usize>,

    /// Only records with at most this many bytes
    #[arg(long, value_name = "BYTES")]
    pub max_len: Option<usize>,

    /// Only the first so many of the records selected
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

/// A direction, named by its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DirectionArg {
    /// Left to right
    #[value(name = "L", aliases = ["left", "L>R"])]
    Left,
    /// Right to left
    #[value(name = "R", aliases = ["right", "R>L"])]
    Right,
}

/// A layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LayerArg {
    /// Whole SDUs
    Bytelink,
    /// PDUs, or coded frames
    Bearer,
}

/// What happened to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EventArg {
    /// Handed in
    Tx,
    /// Delivered
    Rx,
    /// Lost or given up
    Drop,
}

impl FilterArgs {
    /// Whether a record is meant; the limit is the caller's to count.
    pub fn selects(&self, record: &Record<'_>) -> bool {
        let Self {
            side,
            layer,
            event,
            from,
            to,
            min_len,
            max_len,
            limit: _,
        } = self;
        let direction = side.map(|side| match side {
            DirectionArg::Left => Direction::LeftToRight,
            DirectionArg::Right => Direction::RightToLeft,
        });
        let layer = layer.map(|layer| match layer {
            LayerArg::Bytelink => CaptureLayer::Bytelink,
            LayerArg::Bearer => CaptureLayer::Bearer,
        });
        let is = |event: &EventArg| {
            record.event
                == match event {
                    EventArg::Tx => CaptureEvent::Tx,
                    EventArg::Rx => CaptureEvent::Rx,
                    EventArg::Drop => CaptureEvent::Drop,
                }
        };
        direction.is_none_or(|direction| direction == record.direction)
            && layer.is_none_or(|layer| layer == record.layer)
            && (event.is_empty() || event.iter().any(is))
            && from.is_none_or(|from| from <= record.t_ms)
            && to.is_none_or(|to| record.t_ms <= to)
            && min_len.is_none_or(|min| min <= record.data.len())
            && max_len.is_none_or(|max| record.data.len() <= max)
    }
}
