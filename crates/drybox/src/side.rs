//! The two ends of a run and the two directions between them.

use serde::{Deserialize, Serialize};

/// One end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The left adapter, `"L"` in every output.
    #[serde(rename = "L")]
    Left,
    /// The right adapter, `"R"` in every output.
    #[serde(rename = "R")]
    Right,
}

impl Side {
    /// Both sides in the order in which callbacks are made.
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    /// `"L"` or `"R"`, as written to outputs and handed to adapters.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Left => "L",
            Self::Right => "R",
        }
    }

    /// `"left"` or `"right"`, as scenarios name the side.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }

    /// 0 for left, 1 for right: for arrays with one entry per side.
    pub const fn index(self) -> usize {
        match self {
            Self::Left => 0,
            Self::Right => 1,
        }
    }

    /// The other end.
    pub const fn peer(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    /// The direction in which this side sends.
    pub const fn sends(self) -> Direction {
        match self {
            Self::Left => Direction::LeftToRight,
            Self::Right => Direction::RightToLeft,
        }
    }
}

/// One of the two independent directions of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// What the left side sends.
    LeftToRight,
    /// What the right side sends.
    RightToLeft,
}

impl Direction {
    /// Both directions in the order in which they are served.
    pub const BOTH: [Self; 2] = [Self::LeftToRight, Self::RightToLeft];

    /// `"L>R"` or `"R>L"`: the prefix of this direction's random streams.
    pub const fn label(self) -> &'static str {
        match self {
            Self::LeftToRight => "L>R",
            Self::RightToLeft => "R>L",
        }
    }

    /// 0 for L→R, 1 for R→L; also the capture's `side` byte.
    pub const fn index(self) -> usize {
        match self {
            Self::LeftToRight => 0,
            Self::RightToLeft => 1,
        }
    }

    /// Who sends in this direction.
    pub const fn sender(self) -> Side {
        match self {
            Self::LeftToRight => Side::Left,
            Self::RightToLeft => Side::Right,
        }
    }

    /// Who receives in this direction.
    pub const fn receiver(self) -> Side {
        self.sender().peer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_and_its_direction_agree() {
        for side in Side::BOTH {
            assert_eq!(side.sends().sender(), side);
            assert_eq!(side.sends().receiver(), side.peer());
            assert_eq!(side.index(), side.sends().index());
            assert_eq!(side.peer().peer(), side);
        }
    }
}
