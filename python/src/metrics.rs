//! `metrics.csv` as numpy columns (`docs/spec/outputs.md`, section 1).

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
};

use drybox::output::COLUMNS;
use numpy::PyArray1;
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyBytes, PyDict, PyString},
};

/// The columns of a `metrics.csv`, given as its bytes or as its path: `t_ms` as int64; `side`,
/// `layer` and `event` as objects (str); the others as float64, NaN where the file has nothing.
///
/// Raises `OSError` when the file cannot be read and `ValueError` when it is no `metrics.csv`.
#[pyfunction]
#[pyo3(signature = (source, /))]
pub(crate) fn read_metrics<'py>(source: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let py = source.py();
    if let Ok(bytes) = source.cast::<PyBytes>() {
        return read(py, bytes.as_bytes());
    }
    let path: PathBuf = source.extract()?;
    read(py, BufReader::new(File::open(path)?))
}

/// One column while it is read.
enum Column {
    Integer(Vec<i64>),
    Text(Vec<Py<PyAny>>, BTreeMap<String, Py<PyString>>),
    Number(Vec<f64>),
}

impl Column {
    fn named(name: &str) -> Self {
        match name {
            "t_ms" => Self::Integer(Vec::new()),
            "side" | "layer" | "event" => Self::Text(Vec::new(), BTreeMap::new()),
            _ => Self::Number(Vec::new()),
        }
    }

    fn push(&mut self, py: Python<'_>, field: &str) -> Result<(), ()> {
        match self {
            Self::Integer(values) => values.push(field.parse().map_err(drop)?),
            Self::Number(values) if field.is_empty() => values.push(f64::NAN),
            Self::Number(values) => values.push(field.parse().map_err(drop)?),
            Self::Text(values, known) => {
                // A handful of words in any number of rows: one object for each word.
                let text = match known.get(field) {
                    Some(text) => text.clone_ref(py),
                    None => {
                        let text = PyString::new(py, field).unbind();
                        known.insert(field.to_owned(), text.clone_ref(py));
                        text
                    }
                };
                values.push(text.into_any());
            }
        }
        Ok(())
    }

    fn into_array(self, py: Python<'_>) -> Bound<'_, PyAny> {
        match self {
            Self::Integer(values) => PyArray1::from_vec(py, values).into_any(),
            Self::Number(values) => PyArray1::from_vec(py, values).into_any(),
            Self::Text(values, _) => PyArray1::from_vec(py, values).into_any(),
        }
    }
}

fn read<'py>(py: Python<'py>, mut source: impl BufRead) -> PyResult<Bound<'py, PyDict>> {
    py.import("numpy")?;
    let mut columns: Vec<Column> = COLUMNS.iter().map(|name| Column::named(name)).collect();
    let mut record = String::new();
    let mut number = 0_u64;
    while read_record(&mut source, &mut record)? {
        number += 1;
        let mut fields = Fields(Some(record.strip_suffix('\n').unwrap_or(&record)));
        let good = if number == 1 {
            COLUMNS
                .iter()
                .all(|name| fields.next().is_some_and(|field| field == *name))
        } else {
            let mut columns = columns.iter_mut();
            columns.all(|column| {
                fields
                    .next()
                    .is_some_and(|field| column.push(py, &field).is_ok())
            })
        };
        let good = good && fields.next().is_none();
        if !good {
            return Err(PyValueError::new_err(format!(
                "record {number} is not one of a metrics.csv: {}",
                record.trim_end().chars().take(200).collect::<String>()
            )));
        }
        if number.is_multiple_of(65_536) {
            py.check_signals()?;
        }
    }
    let metrics = PyDict::new(py);
    for (name, column) in COLUMNS.iter().zip(columns) {
        metrics.set_item(name, column.into_array(py))?;
    }
    Ok(metrics)
}

/// Reads one record, which goes on over line ends inside of quotes; false at the end.
fn read_record(source: &mut impl BufRead, record: &mut String) -> std::io::Result<bool> {
    record.clear();
    while source.read_line(record)? > 0 {
        if record.bytes().filter(|&byte| byte == b'"').count() % 2 == 0 {
            break;
        }
    }
    Ok(!record.is_empty())
}

/// The fields of a record (RFC 4180).
struct Fields<'a>(Option<&'a str>);

impl<'a> Iterator for Fields<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0?;
        let Some(mut rest) = rest.strip_prefix('"') else {
            let (field, rest) = match rest.split_once(',') {
                Some((field, rest)) => (field, Some(rest)),
                None => (rest, None),
            };
            self.0 = rest;
            return Some(Cow::Borrowed(field));
        };
        let mut field = String::new();
        while let Some((text, after)) = rest.split_once('"') {
            field.push_str(text);
            rest = after;
            // A doubled quote stands for one.
            match rest.strip_prefix('"') {
                Some(after) => rest = after,
                None => break,
            }
            field.push('"');
        }
        self.0 = rest.strip_prefix(',');
        Some(Cow::Owned(field))
    }
}
