//! Reading `metrics.csv` into columns (`docs/spec/outputs.md`, section 1).

use std::{borrow::Cow, collections::BTreeMap};

use super::LineError;
use crate::output::{COLUMNS, HEADER};

/// Numeric columns: those after `t_ms`, `side`, `layer` and `event`.
const NUMBERS: usize = COLUMNS.len() - 4;

/// The columns of a metrics file; all have one entry per row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    /// Ticks, ms.
    pub t_ms: Vec<u64>,
    /// `L` or `R`.
    pub side: StringColumn,
    /// Layers.
    pub layer: StringColumn,
    /// Events.
    pub event: StringColumn,
    /// The numeric columns `rtt_ms_est` … `aead_fail_cnt`, with NaN where empty.
    numbers: [Vec<f64>; NUMBERS],
}

/// A column of few different strings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StringColumn {
    names: Vec<String>,
    index: BTreeMap<String, u32>,
    codes: Vec<u32>,
}

impl StringColumn {
    /// The different strings, in order of appearance.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// For every row the index of its string in [`names`](Self::names).
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The string of every row.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.codes.iter().map(|&code| &*self.names[code as usize])
    }

    fn push(&mut self, name: &str) {
        let code = match self.index.get(name) {
            Some(&code) => code,
            None => {
                // One name per row at most, and 2³² rows of 18 columns do not fit into memory.
                let code = self.names.len() as u32;
                self.names.push(name.to_owned());
                self.index.insert(name.to_owned(), code);
                code
            }
        };
        self.codes.push(code);
    }
}

impl Columns {
    /// Parses a whole file. Not finite numbers, which a run never writes, are refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, LineError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let lines = bytes[..error.valid_up_to()].iter().filter(|&&b| b == b'\n');
            LineError::new(1 + lines.count(), "not UTF-8")
        })?;
        let Some(mut rest) = text.strip_prefix(HEADER) else {
            return Err(LineError::new(1, "not the header of a metrics file"));
        };
        let mut columns = Self::default();
        let mut line = 2;
        while !rest.is_empty() {
            let (after, lines) = columns
                .push_row(rest)
                .map_err(|what| LineError::new(line, what))?;
            rest = after;
            line += lines;
        }
        Ok(columns)
    }

    /// Number of rows.
    pub const fn len(&self) -> usize {
        self.t_ms.len()
    }

    /// Whether there are no rows.
    pub const fn is_empty(&self) -> bool {
        self.t_ms.is_empty()
    }

    /// A numeric column by its name, NaN where it is empty; `None` for `t_ms`, `side`, `layer`,
    /// `event` and names that are no column.
    pub fn number(&self, name: &str) -> Option<&[f64]> {
        let at = COLUMNS[4..].iter().position(|column| *column == name)?;
        Some(&self.numbers[at])
    }

    /// The numeric columns with their names, in order.
    pub fn numbers(&self) -> impl ExactSizeIterator<Item = (&'static str, &[f64])> {
        COLUMNS[4..]
            .iter()
            .copied()
            .zip(self.numbers.iter().map(Vec::as_slice))
    }

    /// Takes one row; what follows it, and the lines that it took.
    fn push_row<'a>(&mut self, row: &'a str) -> Result<(&'a str, usize), String> {
        let (t_ms, rest) = plain(row)?;
        let (side, rest) = plain(rest)?;
        let (layer, rest) = plain(rest)?;
        let (event, mut rest) = quoted(rest)?;
        let mut numbers = [f64::NAN; NUMBERS];
        for (at, number) in numbers.iter_mut().enumerate() {
            let end = rest
                .find([',', '\n'])
                .ok_or("the file ends inside the row")?;
            let (field, after) = rest.split_at(end);
            let last = at + 1 == NUMBERS;
            if after.starts_with('\n') != last {
                return Err(format!("not {} fields", COLUMNS.len()));
            }
            rest = &after[1..];
            if !field.is_empty() {
                *number = (field.parse().ok())
                    .filter(|x: &f64| x.is_finite())
                    .ok_or_else(|| format!("{} is no number: {field:?}", COLUMNS[at + 4]))?;
            }
        }
        let t_ms = (t_ms.parse()).map_err(|_| format!("t_ms is no integer: {t_ms:?}"))?;
        if !matches!(side, "L" | "R") {
            return Err(format!("side is neither L nor R: {side:?}"));
        }
        self.t_ms.push(t_ms);
        self.side.push(side);
        self.layer.push(layer);
        self.event.push(&event);
        for (column, number) in self.numbers.iter_mut().zip(numbers) {
            column.push(number);
        }
        Ok((rest, 1 + event.matches('\n').count()))
    }
}

/// A field that is never quoted, and what follows its comma.
fn plain(row: &str) -> Result<(&str, &str), String> {
    match row.split_once([',', '\n']) {
        Some((field, rest)) if row.as_bytes()[field.len()] == b',' => Ok((field, rest)),
        Some(_) => Err(format!("not {} fields", COLUMNS.len())),
        None => Err("the file ends inside the row".to_owned()),
    }
}

/// A field that may be quoted, and what follows its comma.
fn quoted(row: &str) -> Result<(Cow<'_, str>, &str), String> {
    let Some(inner) = row.strip_prefix('"') else {
        return plain(row).map(|(field, rest)| (Cow::Borrowed(field), rest));
    };
    let mut from = 0;
    loop {
        let Some(at) = inner[from..].find('"') else {
            return Err("a quoted field has no end".to_owned());
        };
        let after = &inner[from + at + 1..];
        if after.starts_with('"') {
            from += at + 2;
        } else if let Some(rest) = after.strip_prefix(',') {
            return Ok((inner[..from + at].replace("\"\"", "\"").into(), rest));
        } else {
            return Err("a quoted field goes on after its end".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        output::{Recorder, RecorderOptions, Row, RowLayer, tests::finish},
        side::Side,
    };

    fn written(rows: &[Row<'_>]) -> Vec<u8> {
        let mut recorder = Recorder::in_memory(RecorderOptions::default());
        for row in rows {
            recorder.row(row).unwrap();
        }
        finish(recorder).metrics
    }

    #[test]
    fn rows_come_back_in_columns() {
        let bytes = written(&[
            Row::new(0, Side::Left, RowLayer::Bearer, "tx"),
            Row {
                latency_ms: Some(20.0),
                aead_fail_cnt: Some(3.0),
                ..Row::new(10, Side::Right, RowLayer::Adapter, "odd,\"type\"\n")
            },
            Row::new(20, Side::Left, RowLayer::Bearer, "tx"),
        ]);
        let columns = Columns::parse(&bytes).unwrap();
        assert_eq!(columns.t_ms, [0, 10, 20]);
        assert_eq!(columns.side.iter().collect::<String>(), "LRL");
        assert_eq!(columns.layer.names(), ["bearer", "adapter"]);
        assert_eq!(columns.event.codes(), [0, 1, 0]);
        assert_eq!(columns.event.names()[1], "odd,\"type\"\n");
        let latency = columns.number("latency_ms").unwrap();
        assert!(latency[0].is_nan() && latency[1] == 20.0 && latency[2].is_nan());
        assert_eq!(columns.number("aead_fail_cnt").unwrap()[1], 3.0);
        assert_eq!(columns.number("side"), None);
        assert_eq!(columns.numbers().len(), 14);
    }

    #[test]
    fn errors_name_the_line() {
        let of = |body: &str| {
            let text = format!("{HEADER}0,L,bearer,\"a\nb\",,,,,,,,,,,,,,\n{body}");
            Columns::parse(text.as_bytes()).unwrap_err().to_string()
        };
        assert_eq!(of("1,L"), "line 4: the file ends inside the row");
        assert_eq!(of("1,L\n"), "line 4: not 18 fields");
        assert_eq!(of("1,L,x,tx,,,,,,,,,,,,,\n"), "line 4: not 18 fields");
        assert_eq!(of("1,L,x,tx,,,,,,,,,,,,,,,\n"), "line 4: not 18 fields");
        assert_eq!(
            of("1,X,x,tx,,,,,,,,,,,,,,\n"),
            "line 4: side is neither L nor R: \"X\""
        );
        assert_eq!(
            of("-,L,x,tx,,,,,,,,,,,,,,\n"),
            "line 4: t_ms is no integer: \"-\""
        );
        assert_eq!(
            of("1,L,x,tx,,inf,,,,,,,,,,,,\n"),
            "line 4: latency_ms is no number: \"inf\""
        );
        assert_eq!(of("1,L,x,\"tx,,"), "line 4: a quoted field has no end");
        assert_eq!(
            Columns::parse(b"t_ms,side\n").unwrap_err().to_string(),
            "line 1: not the header of a metrics file"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, body in "[0-9LR,\"\\n.-]{0,60}") {
            let _ = Columns::parse(&bytes);
            let _ = Columns::parse(format!("{HEADER}{body}").as_bytes());
        }

        #[test]
        fn values_come_back_to_half_a_last_digit(
            t_ms: u64,
            event in any::<String>(),
            latency in -1e9..1e9_f64,
            loss in 0.0..=1.0_f64,
        ) {
            let bytes = written(&[Row {
                latency_ms: Some(latency),
                loss_rate: Some(loss),
                ..Row::new(t_ms, Side::Right, RowLayer::Audio, &event)
            }]);
            let columns = Columns::parse(&bytes).unwrap();
            prop_assert_eq!(columns.t_ms[0], t_ms);
            prop_assert_eq!(columns.event.iter().next(), Some(&*event));
            let error = |name, value: f64| (columns.number(name).unwrap()[0] - value).abs();
            prop_assert!(error("latency_ms", latency) <= 0.000_501);
            prop_assert!(error("loss_rate", loss) <= 0.000_000_501);
        }
    }
}
