//! Reading `events.jsonl` (`docs/spec/outputs.md`, section 2).

use serde::Deserialize;
use serde_json::Value;

use super::LineError;
use crate::{output::MAX_LINE_BYTES, side::Side};

/// One event.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EventLine {
    /// The tick, ms.
    pub t_ms: u64,
    /// Whose adapter emitted it.
    pub side: Side,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its payload.
    pub payload: Value,
}

/// The events of a file, line by line.
pub const fn events(bytes: &[u8]) -> Events<'_> {
    Events {
        rest: bytes,
        line: 0,
    }
}

/// See [`events`]. A bad line is an error, and the lines after it are still read.
#[derive(Debug, Clone)]
pub struct Events<'a> {
    rest: &'a [u8],
    line: usize,
}

impl Iterator for Events<'_> {
    type Item = Result<EventLine, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        self.line += 1;
        let fail = |what: String| Some(Err(LineError::new(self.line, what)));
        let Some(end) = self.rest.iter().position(|&b| b == b'\n') else {
            self.rest = &[];
            return fail("the file ends inside the line".to_owned());
        };
        let (line, rest) = self.rest.split_at(end + 1);
        self.rest = rest;
        if line.len() > MAX_LINE_BYTES {
            return fail(format!(
                "{} bytes, the limit is {MAX_LINE_BYTES}",
                line.len()
            ));
        }
        match serde_json::from_slice(line) {
            Ok(event) => Some(Ok(event)),
            Err(error) => fail(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_come_back_and_bad_ones_are_named() {
        let good =
            "{\"t_ms\":5,\"side\":\"R\",\"type\":\"x\",\"payload\":{\"b\":1,\"a\":[null]}}\n";
        let text = format!("{good}{{\"t_ms\":-1}}\n{good}{{\"t_ms\":5");
        let read: Vec<_> = events(text.as_bytes()).collect();
        let expected = EventLine {
            t_ms: 5,
            side: Side::Right,
            kind: "x".to_owned(),
            payload: json!({"b": 1, "a": [null]}),
        };
        assert_eq!(read.len(), 4);
        assert_eq!(read[0], Ok(expected.clone()));
        assert!(
            read[1]
                .as_ref()
                .unwrap_err()
                .to_string()
                .starts_with("line 2: ")
        );
        assert_eq!(read[2], Ok(expected));
        assert_eq!(
            read[3].as_ref().unwrap_err().to_string(),
            "line 4: the file ends inside the line"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            prop_assert!(events(&bytes).count() <= bytes.len());
        }
    }
}
