//! Exit codes (`docs/spec/scenario.md`, section 11).

/// How a command ended, as its caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitCode {
    /// 0: the run and its thresholds are fine.
    Passed,
    /// 1: our own fault, such as a full disk.
    OurFault,
    /// 2: an acceptance threshold was missed.
    AcceptanceMissed,
    /// 3: an adapter failed.
    Endpoint,
    /// 4: the scenario or the command line is invalid.
    Invalid,
    /// 130: interrupted; outputs are flushed.
    Interrupted,
}

impl ExitCode {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::OurFault => 1,
            Self::AcceptanceMissed => 2,
            Self::Endpoint => 3,
            Self::Invalid => 4,
            Self::Interrupted => 130,
        }
    }

    /// What a child process meant. A number that DryBox doesn't use is our fault.
    pub const fn from_code(code: i32) -> Self {
        match code {
            0 => Self::Passed,
            2 => Self::AcceptanceMissed,
            3 => Self::Endpoint,
            4 => Self::Invalid,
            130 => Self::Interrupted,
            _ => Self::OurFault,
        }
    }

    /// The code of a sweep: an interrupt before all, then the worst of its points in the order
    /// 1, 3, 4, 2, 0. Without points, 0.
    pub fn worst(codes: impl IntoIterator<Item = Self>) -> Self {
        codes
            .into_iter()
            .max_by_key(|code| code.severity())
            .unwrap_or(Self::Passed)
    }

    const fn severity(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::AcceptanceMissed => 1,
            Self::Invalid => 2,
            Self::Endpoint => 3,
            Self::OurFault => 4,
            Self::Interrupted => 5,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}

#[cfg(test)]
mod tests {
    use super::ExitCode::{self, *};

    #[test]
    fn a_sweep_returns_the_worst_in_the_documented_order() {
        let order = [
            Interrupted,
            OurFault,
            Endpoint,
            Invalid,
            AcceptanceMissed,
            Passed,
        ];
        for (i, worse) in order.iter().enumerate() {
            for better in &order[i..] {
                assert_eq!(ExitCode::worst([*better, *worse]), *worse);
                assert_eq!(ExitCode::worst([*worse, *better]), *worse);
            }
        }
        assert_eq!(ExitCode::worst([]), Passed);
    }

    #[test]
    fn numbers_go_there_and_back() {
        for code in [
            Passed,
            OurFault,
            AcceptanceMissed,
            Endpoint,
            Invalid,
            Interrupted,
        ] {
            assert_eq!(ExitCode::from_code(i32::from(code.code())), code);
        }
        assert_eq!(ExitCode::from_code(101), OurFault);
        assert_eq!(ExitCode::from_code(-9), OurFault);
    }
}
