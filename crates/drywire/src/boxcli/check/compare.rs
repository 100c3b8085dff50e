//! Whether two runs of the same seed gave the same bytes, and what they differ in.

use super::{items::Item, trial::Trial};

/// The most of a line that is shown.
const SHOWN_CHARS: usize = 120;

/// Compares two trials; `entropy` names the unseeded sources that the adapter used.
pub(super) fn determinism(name: String, first: &Trial, again: &Trial, entropy: &[String]) -> Item {
    let files = [
        ("events.jsonl", &first.events, &again.events),
        ("metrics.csv", &first.metrics, &again.metrics),
    ];
    let mut differences = Vec::new();
    for (file, a, b) in files {
        if let Some((line, a, b)) = first_difference(a, b) {
            differences.push(format!("{file} line {line}: {a} / {b}"));
        }
    }
    let [(a_left, a_right), (b_left, b_right)] =
        [first, again].map(|trial| (&trial.notes[0].sent, &trial.notes[1].sent));
    if differences.is_empty() && (a_left != b_left || a_right != b_right) {
        differences.push("the SDUs sent".to_owned());
    }
    let uses = entropy.join(", ");
    match (differences.is_empty(), entropy.is_empty()) {
        (true, true) => Item::pass(name, "two runs, the same bytes"),
        (true, false) => Item::warn(
            name,
            format!(
                "two runs, the same bytes, but the adapter uses {uses}; use ctx.rng and ctx.now_ms()"
            ),
        ),
        (false, true) => Item::fail(
            name,
            format!("two runs differ in {}", differences.join("; ")),
        ),
        (false, false) => Item::fail(
            name,
            format!(
                "two runs differ in {}: the adapter uses {uses}; use ctx.rng and ctx.now_ms()",
                differences.join("; ")
            ),
        ),
    }
}

/// The first line that differs, counted from 1, with both versions.
fn first_difference(a: &[u8], b: &[u8]) -> Option<(usize, String, String)> {
    if a == b {
        return None;
    }
    let (mut a, mut b) = (a.split(|&c| c == b'\n'), b.split(|&c| c == b'\n'));
    (1..).find_map(|line| match (a.next(), b.next()) {
        (None, None) => Some((line, String::new(), String::new())),
        (left, right) if left == right => None,
        (left, right) => Some((line, shown(left), shown(right))),
    })
}

fn shown(line: Option<&[u8]>) -> String {
    line.map_or_else(
        || "(end)".to_owned(),
        |line| {
            String::from_utf8_lossy(line)
                .chars()
                .take(SHOWN_CHARS)
                .collect()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_differing_line_is_found() {
        assert_eq!(first_difference(b"a\nb\n", b"a\nb\n"), None);
        let (line, left, right) = first_difference(b"a\nb\n", b"a\nc\n").unwrap();
        assert_eq!((line, left.as_str(), right.as_str()), (2, "b", "c"));
        let (line, left, right) = first_difference(b"a\n", b"a\nb\n").unwrap();
        assert_eq!((line, left.as_str(), right.as_str()), (2, "", "b"));
    }
}
