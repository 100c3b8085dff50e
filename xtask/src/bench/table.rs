//! The table of figures, printed and kept in `docs/performance.md`.

use std::fs;

use anyhow::{Context, Result};

use super::measure::{Bound, Figure};
use crate::project::Project;

const PAGE: &str = "docs/performance.md";

/// The figures as a Markdown table.
pub(super) fn markdown(figures: &[Figure]) -> String {
    let mut text = String::from("| measurement | measured | held to | |\n|---|---:|---:|---|\n");
    for figure in figures {
        let (sign, bound) = match figure.bound {
            Bound::AtLeast(bound) => ('≥', bound),
            Bound::AtMost(bound) => ('≤', bound),
        };
        let verdict = if figure.holds() { "holds" } else { "missed" };
        text.push_str(&format!(
            "| {} | {} {} | {sign} {} | {verdict} |\n",
            figure.name,
            number(figure.value),
            figure.unit,
            number(bound),
        ));
    }
    text
}

/// Replaces a suite's table in the page.
pub(super) fn save(project: &Project, suite: &str, figures: &[Figure]) -> Result<()> {
    save_text(project, suite, &markdown(figures))
}

/// Replaces a suite's table, already written, in the page.
pub(super) fn save_text(project: &Project, suite: &str, table: &str) -> Result<()> {
    let path = project.path(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("reading {PAGE}"))?;
    let page = replaced(&page, suite, table)?;
    fs::write(&path, page).with_context(|| format!("writing {PAGE}"))
}

/// The page with what stands between the suite's two markers replaced.
fn replaced(page: &str, suite: &str, table: &str) -> Result<String> {
    let (open, close) = (
        format!("<!-- bench:{suite} -->"),
        format!("<!-- /bench:{suite} -->"),
    );
    let missing = || format!("{PAGE} needs the lines {open} and {close} around the table");
    let (before, rest) = page.split_once(&open).with_context(missing)?;
    let (_, after) = rest.split_once(&close).with_context(missing)?;
    Ok(format!("{before}{open}\n{table}{close}{after}"))
}

/// Three significant digits where they matter, thousands set apart.
fn number(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let page = "a\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nb\n";
        assert_eq!(
            replaced(page, "x", "new\n").unwrap(),
            "a\n<!-- bench:x -->\nnew\n<!-- /bench:x -->\nb\n"
        );
        assert!(replaced(page, "y", "new\n").is_err());
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(number(0.25), "0.2");
        assert_eq!(number(987.4), "987");
        assert_eq!(number(1_234_567.0), "1,234,567");
    }
}
