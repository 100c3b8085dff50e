//! Export to pcapng (`docs/spec/outputs.md`, section 8.3).

use std::{
    borrow::Cow,
    io::{self, Write},
    time::Duration,
};

use drybox::{
    Direction,
    output::{CaptureEvent, CaptureLayer, read::Record},
};
use pcap_file::{
    DataLink, Endianness, PcapError,
    pcapng::{
        PcapNgBlock as _, PcapNgWriter,
        blocks::{
            enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption},
            interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption},
        },
    },
};

/// Times are in nanoseconds: the crate writes them so whatever the file says, so the file says so.
const NANOSECONDS: u8 = 9;
/// The latest time that 64 bits of nanoseconds hold, in ms.
const LATEST_MS: u64 = u64::MAX / 1_000_000;

/// A pcapng file that is being written.
pub(super) struct Export<W: Write> {
    writer: PcapNgWriter<W>,
    records: u64,
}

impl<W: Write> Export<W> {
    /// Begins the file: one section, an interface for each direction and layer.
    pub(super) fn new(out: W) -> io::Result<Self> {
        // A fixed byte order, or the same capture would give other bytes elsewhere.
        let mut writer = PcapNgWriter::with_endianness(out, Endianness::Little).map_err(cause)?;
        for direction in Direction::BOTH {
            for layer in CaptureLayer::ALL {
                let name = format!("{} {}", direction.label(), layer.name());
                let interface = InterfaceDescriptionBlock {
                    linktype: DataLink::USER0,
                    snaplen: 0,
                    options: vec![
                        InterfaceDescriptionOption::IfName(name.into()),
                        InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
                    ],
                };
                writer.write_block(&interface.into_block()).map_err(cause)?;
            }
        }
        Ok(Self { writer, records: 0 })
    }

    /// Appends a record as a packet.
    pub(super) fn add(&mut self, record: &Record<'_>) -> io::Result<()> {
        let interface = 2 * record.direction.index() + record.layer as usize;
        let comment = format!(
            "{} {} {}",
            record.direction.label(),
            record.layer.name(),
            record.event.name()
        );
        let mut options = vec![EnhancedPacketOption::Comment(comment.into())];
        match record.event {
            CaptureEvent::Rx => options.push(EnhancedPacketOption::Flags(1)),
            CaptureEvent::Tx => options.push(EnhancedPacketOption::Flags(2)),
            CaptureEvent::Drop => {}
        }
        let packet = EnhancedPacketBlock {
            interface_id: interface as u32,
            timestamp: Duration::from_millis(record.t_ms.min(LATEST_MS)),
            original_len: record.data.len() as u32,
            data: Cow::Borrowed(record.data),
            options,
        };
        self.writer
            .write_block(&packet.into_block())
            .map_err(cause)?;
        self.records += 1;
        Ok(())
    }

    /// Completes the file; how many records it holds.
    pub(super) fn finish(self) -> io::Result<u64> {
        self.writer.into_inner().flush()?;
        Ok(self.records)
    }
}

/// Writing fails for reasons of the system only.
fn cause(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
