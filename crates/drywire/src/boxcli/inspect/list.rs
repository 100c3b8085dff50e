//! One record after the other.

use std::io::{self, Write};

use drybox::output::read::Record;
use serde_json::json;

/// Bytes in a line of a hex dump.
const LINE: usize = 16;

/// A line for people, and the data under it if asked for.
pub(super) fn text(record: &Record<'_>, hex: bool, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>10} ms  {}  {:<8}  {:<4}  {:>5} bytes",
        record.t_ms,
        record.direction.label(),
        record.layer.name(),
        record.event.name(),
        record.data.len()
    )?;
    if hex {
        dump(record.data, out)?;
    }
    Ok(())
}

/// A line for programs.
pub(super) fn json(record: &Record<'_>, hex: bool, out: &mut impl Write) -> io::Result<()> {
    let mut line = json!({
        "offset": record.offset,
        "t_ms": record.t_ms,
        "direction": record.direction.label(),
        "layer": record.layer.name(),
        "event": record.event.name(),
        "len": record.data.len(),
    });
    if hex {
        let digits: String = record.data.iter().map(|b| format!("{b:02x}")).collect();
        line["data"] = digits.into();
    }
    writeln!(out, "{line}")
}

/// Offset, hex digits and printable characters, 16 bytes a line.
fn dump(data: &[u8], out: &mut impl Write) -> io::Result<()> {
    for (i, line) in data.chunks(LINE).enumerate() {
        write!(out, "    {:06x} ", i * LINE)?;
        for at in 0..LINE {
            if at % 8 == 0 {
                out.write_all(b" ")?;
            }
            match line.get(at) {
                Some(byte) => write!(out, "{byte:02x} ")?,
                None => out.write_all(b"   ")?,
            }
        }
        let printable = |&b: &u8| match b {
            0x20..=0x7e => char::from(b),
            _ => '.',
        };
        let characters: String = line.iter().map(printable).collect();
        writeln!(out, " |{characters}|")?;
    }
    Ok(())
}
