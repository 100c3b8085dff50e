//! The command as a whole, on captures that a recorder wrote.

use std::{fs, path::Path};

use clap::Parser;
use drybox::{
    Direction,
    output::{CaptureEvent, CaptureLayer, Recorder, RecorderOptions},
};
use pcap_file::{
    DataLink,
    pcapng::{Block, PcapNgReader, blocks::enhanced_packet::EnhancedPacketOption},
};
use serde_json::{Value, json};

use super::*;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: InspectArgs,
}

/// Five records: two SDUs, of which the second is lost, and their PDUs.
fn capture(dir: &Path) -> PathBuf {
    use CaptureEvent::{Drop, Rx, Tx};
    use CaptureLayer::{Bearer, Bytelink};
    let (l2r, r2l) = (Direction::LeftToRight, Direction::RightToLeft);
    let options = RecorderOptions {
        capture: true,
        ..RecorderOptions::default()
    };
    let mut recorder = Recorder::to_dir(&dir.join("out"), options).unwrap();
    let mut record = |t_ms, direction, layer, event, data: &[u8]| {
        recorder
            .capture(t_ms, direction, layer, event, data)
            .unwrap();
    };
    record(0, l2r, Bytelink, Tx, b"hello, world: 17b");
    record(0, l2r, Bearer, Tx, b"hello, world: 17b");
    record(10, r2l, Bearer, Tx, &[0xff; 3]);
    record(20, r2l, Bearer, Drop, &[0xff; 3]);
    record(500, l2r, Bearer, Rx, b"hello, world: 17b");
    drop(recorder);
    dir.join("out/capture.dbxcap")
}

fn inspect(capture: &Path, args: &[&str]) -> Result<String, InspectError> {
    let mut line = vec!["inspect", capture.to_str().unwrap()];
    line.extend_from_slice(args);
    let command = Command::try_parse_from(line).unwrap();
    let mut out = Vec::new();
    run(&command.args, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn records_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        inspect(&capture(dir.path()), &[]).unwrap(),
        "\x20        0 ms  L>R  bytelink  tx       17 bytes
         0 ms  L>R  bearer    tx       17 bytes
        10 ms  R>L  bearer    tx        3 bytes
        20 ms  R>L  bearer    drop      3 bytes
       500 ms  L>R  bearer    rx       17 bytes\n"
    );
}

#[test]
fn hex_shows_offset_bytes_and_characters() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        inspect(&capture(dir.path()), &["--hex", "--limit", "1"]).unwrap(),
        "\x20        0 ms  L>R  bytelink  tx       17 bytes
    000000  68 65 6c 6c 6f 2c 20 77  6f 72 6c 64 3a 20 31 37  |hello, world: 17|
    000010  62                                                |b|\n"
    );
}

#[test]
fn filters_narrow_the_selection() {
    let dir = tempfile::tempdir().unwrap();
    let capture = capture(dir.path());
    let count = |args: &[&str]| inspect(&capture, args).unwrap().lines().count();
    assert_eq!(count(&["--side", "L"]), 3);
    assert_eq!(count(&["--side", "r"]), 2);
    assert_eq!(count(&["--side", "R>L"]), 2);
    assert_eq!(count(&["--layer", "bytelink"]), 1);
    assert_eq!(count(&["--event", "drop"]), 1);
    assert_eq!(count(&["--event", "drop", "--event", "rx"]), 2);
    assert_eq!(count(&["--from", "10", "--to", "20"]), 2);
    assert_eq!(count(&["--min-len", "4"]), 3);
    assert_eq!(count(&["--max-len", "3"]), 2);
    assert_eq!(
        count(&["--max-len", "3", "--event", "tx", "--side", "L"]),
        0
    );
    assert_eq!(count(&["--limit", "2"]), 2);
}

#[test]
fn json_is_one_object_a_record() {
    let dir = tempfile::tempdir().unwrap();
    let text = inspect(
        &capture(dir.path()),
        &["--json", "--hex", "--event", "drop"],
    )
    .unwrap();
    assert_eq!(
        text,
        "{\"offset\":87,\"t_ms\":20,\"direction\":\"R>L\",\"layer\":\"bearer\",\"event\":\"drop\",\"len\":3,\"data\":\"ffffff\"}\n"
    );
}

#[test]
fn statistics_count_per_direction_layer_and_event() {
    let dir = tempfile::tempdir().unwrap();
    let capture = capture(dir.path());
    let text = inspect(&capture, &["--stats", "--json"]).unwrap();
    let stats: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(stats["first_ms"], 0);
    assert_eq!(stats["last_ms"], 500);
    assert_eq!(stats["kinds"].as_array().unwrap().len(), 5);
    assert_eq!(
        stats["kinds"][2],
        json!({
            "direction": "L>R", "layer": "bearer", "event": "rx", "records": 1, "bytes": 17,
            "bps": 272.0, "min_len": 17, "max_len": 17,
            "sizes": [{"from": 16, "to": 31, "records": 1}],
        })
    );
    let text = inspect(&capture, &["--stats"]).unwrap();
    assert!(text.starts_with("from 0 ms to 500 ms\n"), "{text}");
    assert!(
        text.contains("R>L        bearer    drop            1            3"),
        "{text}"
    );
    assert!(
        text.contains("16-31           1   50.0 %  ####################\n"),
        "{text}"
    );
    assert_eq!(
        inspect(&capture, &["--stats", "--from", "501"]).unwrap(),
        "no records\n"
    );
}

#[test]
fn pcapng_holds_every_record_with_time_direction_layer_and_event() {
    let dir = tempfile::tempdir().unwrap();
    let capture = capture(dir.path());
    let path = dir.path().join("x.pcapng");
    let export = |path: &Path| inspect(&capture, &["--pcapng", path.to_str().unwrap()]).unwrap();
    assert!(export(&path).starts_with("5 records written to "));
    let bytes = fs::read(&path).unwrap();
    // Section header: type, length, byte-order magic of a little-endian file.
    assert_eq!(
        bytes[..12],
        [0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a]
    );
    let mut reader = PcapNgReader::new(&*bytes).unwrap();
    let mut packets = Vec::new();
    while let Some(block) = reader.next_block() {
        if let Block::EnhancedPacket(packet) = block.unwrap().into_owned() {
            packets.push(packet);
        }
    }
    assert_eq!(reader.interfaces().len(), 4);
    assert!(
        reader
            .interfaces()
            .iter()
            .all(|i| i.linktype == DataLink::USER0)
    );
    let seen: Vec<_> = packets
        .iter()
        .map(|p| {
            let EnhancedPacketOption::Comment(comment) = &p.options[0] else {
                panic!("no comment: {p:?}");
            };
            (
                p.interface_id,
                p.timestamp.as_millis(),
                p.data.len(),
                &**comment,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (0, 0, 17, "L>R bytelink tx"),
            (1, 0, 17, "L>R bearer tx"),
            (3, 10, 3, "R>L bearer tx"),
            (3, 20, 3, "R>L bearer drop"),
            (1, 500, 17, "L>R bearer rx"),
        ]
    );
    assert_eq!(&*packets[3].data, [0xff; 3]);
    assert_eq!(packets[3].original_len, 3);
}

#[test]
fn what_stands_before_a_bad_record_is_shown_then_the_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = capture(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 1);
    fs::write(&path, bytes).unwrap();
    let command = Command::try_parse_from(["inspect", path.to_str().unwrap()]).unwrap();
    let mut out = Vec::new();
    let error = run(&command.args, &mut out).unwrap_err();
    assert_eq!(String::from_utf8(out).unwrap().lines().count(), 4);
    assert!(
        error
            .to_string()
            .ends_with("the capture ends inside the record at offset 105"),
        "{error}"
    );
    assert_eq!(error.exit(), ExitCode::Invalid);
}

#[test]
fn errors_have_their_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    let missing = inspect(&dir.path().join("none"), &[]).unwrap_err();
    assert!(missing.to_string().starts_with("cannot open "), "{missing}");
    assert_eq!(missing.exit(), ExitCode::Invalid);
    let capture = capture(dir.path());
    let target = dir.path().join("no/such/x.pcapng");
    let unwritable = inspect(&capture, &["--pcapng", target.to_str().unwrap()]).unwrap_err();
    assert!(
        unwritable.to_string().starts_with("cannot write "),
        "{unwritable}"
    );
    assert_eq!(unwritable.exit(), ExitCode::OurFault);
}

/// A pipe whose reader has gone, or a terminal that fails otherwise.
struct Closed(io::ErrorKind);

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

#[test]
fn a_closed_pipe_is_no_error_and_other_failures_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = capture(dir.path());
    let command = Command::try_parse_from(["inspect", path.to_str().unwrap()]).unwrap();
    run(&command.args, &mut Closed(io::ErrorKind::BrokenPipe)).unwrap();
    let error = run(&command.args, &mut Closed(io::ErrorKind::StorageFull)).unwrap_err();
    assert_eq!(error.exit(), ExitCode::OurFault);
}
