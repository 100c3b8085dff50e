//! What is wrong with a scenario, and where (`docs/spec/scenario.md`, section 8).

use std::fmt;

/// The most problems that one error lists; the rest is counted.
pub(super) const MAX_PROBLEMS: usize = 50;

/// One remark about a scenario with its place: `file:line: key.path: what is wrong; what to do`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// The scenario's name as the user gave it.
    pub file: String,
    /// The line, counted from 1; `None` where the remark concerns no particular line.
    pub line: Option<usize>,
    /// The dotted path of the key as written in the file; empty for the whole document.
    pub path: String,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Why a scenario can't be used: exit code 4. Its text has one line per problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    /// Every problem found, in the order of the file; at least one, at most 50.
    pub problems: Vec<Notice>,
    /// How many more there are.
    pub omitted: usize,
}

impl ScenarioError {
    /// An error out of collected problems: in order, without repetitions, bounded.
    pub(super) fn new(mut problems: Vec<Notice>) -> Self {
        problems.sort_by(|a, b| (a.line, &a.path, &a.message).cmp(&(b.line, &b.path, &b.message)));
        problems.dedup();
        let omitted = problems.len().saturating_sub(MAX_PROBLEMS);
        problems.truncate(MAX_PROBLEMS);
        Self { problems, omitted }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        if self.omitted > 0 {
            write!(f, "\nand {} more problems", self.omitted)?;
        }
        Ok(())
    }
}

impl std::error::Error for ScenarioError {}

/// Collects problems and warnings about one scenario.
#[derive(Debug)]
pub(super) struct Notices {
    file: String,
    pub(super) problems: Vec<Notice>,
    pub(super) warnings: Vec<Notice>,
}

impl Notices {
    pub(super) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn problem(&mut self, line: Option<usize>, path: &str, message: impl Into<String>) {
        let notice = self.notice(line, path, message);
        self.problems.push(notice);
    }

    pub(super) fn warning(&mut self, line: Option<usize>, path: &str, message: impl Into<String>) {
        let notice = self.notice(line, path, message);
        self.warnings.push(notice);
    }

    /// The problems so far as an error, or nothing.
    pub(super) fn check(&mut self) -> Result<(), ScenarioError> {
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(ScenarioError::new(std::mem::take(&mut self.problems)))
    }

    fn notice(&self, line: Option<usize>, path: &str, message: impl Into<String>) -> Notice {
        Notice {
            file: self.file.clone(),
            line,
            path: path.to_owned(),
            message: message.into(),
        }
    }
}
