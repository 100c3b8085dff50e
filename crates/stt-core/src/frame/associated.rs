//! The associated data of a sealed payload: the header as a canonical dict
//! (`docs/spec/stt-frame.md` §3.2), written without allocating.

use super::{AssociatedData, SttFrameRef};
use crate::{value::unsigned, wire::Writer};

/// The longest: 102 bytes of tags, names and the session, 3 each of flags and type, 9 each of
/// sequence, timestamp and stream.
pub(super) const MAX: usize = 102 + 2 * 3 + 3 * 9;

pub(super) fn data(frame: &SttFrameRef<'_>) -> AssociatedData {
    let mut bytes = [0; MAX];
    let mut writer = Writer::new(&mut bytes);
    writer.put_slice(&[0x41, 0, 0, 0, 6]);
    number(&mut writer, "flags", frame.flags.into());
    number(&mut writer, "frame_type", frame.frame_type.into());
    number(&mut writer, "sequence", frame.sequence);
    name(&mut writer, "session_id");
    writer.put_slice(&[0x30, 0, 0, 0, 8]);
    writer.put_slice(&frame.session_id);
    number(&mut writer, "stream_id", frame.stream_id.into());
    number(&mut writer, "timestamp_ms", frame.timestamp_ms);
    let len = writer.len();
    AssociatedData { len, bytes }
}

fn name(writer: &mut Writer<'_>, name: &str) {
    writer.put_slice(&[0x31, 0, 0, 0, name.len() as u8]);
    writer.put_slice(name.as_bytes());
}

fn number(writer: &mut Writer<'_>, key: &str, value: u64) {
    name(writer, key);
    let (bytes, len) = unsigned(value);
    writer.put_slice(&bytes[..len]);
}
