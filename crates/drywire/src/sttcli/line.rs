//! Lines for a terminal, with words in them that a peer chose.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use super::error::SttCliError;
use crate::boxcli::Pipe;

/// A line on standard error; where even that can't be written, there is nobody to tell.
pub(super) fn eprintln_line(line: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(line));
}

/// A line on standard output. A reader that has gone is no error: what the line tells of is done.
pub(super) fn println_line(line: &str) -> Result<(), SttCliError> {
    writeln!(Pipe::new(io::stdout()), "{line}").map_err(SttCliError::io("writing standard output"))
}

/// The text with everything escaped by which it could steer a terminal or pretend to be another.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if steers(c) {
            plain.extend(c.escape_unicode());
        } else {
            plain.push(c);
        }
    }
    Cow::Owned(plain)
}

/// Control characters, breaks of lines, and what turns the direction of writing.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_steered() {
        assert_eq!(
            printable("pläin: 文.txt \u{1f600}"),
            "pläin: 文.txt \u{1f600}"
        );
        assert_eq!(
            printable("\u{1b}]0;x\u{7}\n\u{9b}\u{7f}\u{202e}fdp"),
            r"\u{1b}]0;x\u{7}\u{a}\u{9b}\u{7f}\u{202e}fdp"
        );
    }
}
