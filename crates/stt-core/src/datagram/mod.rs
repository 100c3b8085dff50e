//! Unreliable messages, for live data (`docs/spec/stt-streams.md` §10, RFC 9221).

mod queue;

use queue::Queue;

use crate::wire::{Writer, datagram_header_len, write_datagram_header};

/// Datagrams of one session, on their way to the peer and to the application.
///
/// A datagram arrives whole or not at all, is never resent and takes no stream credit.
#[derive(Debug)]
pub struct Datagrams {
    outgoing: Queue,
    incoming: Queue,
    overflow: Overflow,
    max_size: usize,
    stats: DatagramStats,
    /// `Readable` is to be told.
    readable: bool,
    /// `send` was refused: `Writable` is owed.
    wanted: bool,
    writable: bool,
}

/// How much memory datagrams may take, and what becomes of those that find no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatagramConfig {
    /// Bytes that wait to be sent, each datagram counted with 32 more; default 64 KiB.
    pub send_buffer: usize,
    /// Bytes that wait to be received by the application, counted likewise; default 256 KiB. A full
    /// buffer drops its oldest datagrams.
    pub receive_buffer: usize,
    /// What happens when the send buffer is full; default [`Overflow::DropOldest`].
    pub overflow: Overflow,
}

/// What a full send buffer does with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Overflow {
    /// Takes it, and drops the oldest ones: for live data.
    #[default]
    DropOldest,
    /// Refuses it.
    Refuse,
}

/// Datagrams that were dropped by this end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DatagramStats {
    /// Before they were sent: pushed out by newer ones, or too large for the path by then.
    pub dropped_sending: u64,
    /// After they were received: pushed out by newer ones, or too large for the buffer.
    pub dropped_receiving: u64,
}

/// What happened to datagrams since it was last asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatagramEvent {
    /// Datagrams came: receive until there are none.
    Readable,
    /// There is room, after one was refused.
    Writable,
}

/// Why a datagram was not taken for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendDatagramError {
    /// Longer than the path, the peer or the send buffer takes. Cut it, or use a stream.
    #[error("datagram of {len} bytes, at most {max} can be sent")]
    TooLarge {
        /// Its length, bytes.
        len: usize,
        /// [`Datagrams::max_size`].
        max: usize,
    },
    /// The send buffer is full, and refuses rather than drops. [`DatagramEvent::Writable`] follows.
    #[error("datagram send buffer full; wait until it is writable")]
    Blocked,
}

impl Datagrams {
    /// No datagrams; none can be sent until [`Datagrams::set_max_size`].
    pub fn new(config: DatagramConfig) -> Self {
        Self {
            outgoing: Queue::new(config.send_buffer),
            incoming: Queue::new(config.receive_buffer),
            overflow: config.overflow,
            max_size: 0,
            stats: DatagramStats::default(),
            readable: false,
            wanted: false,
            writable: false,
        }
    }

    /// Takes a datagram to be sent.
    ///
    /// # Errors
    /// [`SendDatagramError`].
    pub fn send(&mut self, data: &[u8]) -> Result<(), SendDatagramError> {
        let (len, max) = (data.len(), self.max_size());
        if len > max {
            return Err(SendDatagramError::TooLarge { len, max });
        }
        if !self.outgoing.has_room(len) {
            match self.overflow {
                Overflow::DropOldest => {
                    self.stats.dropped_sending += self.outgoing.make_room(len);
                }
                Overflow::Refuse => {
                    self.wanted = true;
                    return Err(SendDatagramError::Blocked);
                }
            }
        }
        self.outgoing.push(data);
        Ok(())
    }

    /// The next datagram that came, in order of arrival.
    pub fn recv(&mut self) -> Option<Vec<u8>> {
        let mut datagram = Vec::new();
        self.recv_into(&mut datagram).then_some(datagram)
    }

    /// Replaces the contents of `out` by the next datagram that came. Whether there was one.
    pub fn recv_into(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        let Some((front, back)) = self.incoming.front() else {
            return false;
        };
        out.extend_from_slice(front);
        out.extend_from_slice(back);
        self.incoming.pop();
        true
    }

    /// What happened since it was last asked.
    pub fn poll_event(&mut self) -> Option<DatagramEvent> {
        if core::mem::take(&mut self.readable) {
            return Some(DatagramEvent::Readable);
        }
        core::mem::take(&mut self.writable).then_some(DatagramEvent::Writable)
    }

    /// Takes the data of a DATAGRAM frame. Drops older ones if there is no room.
    pub fn on_datagram(&mut self, data: &[u8]) {
        if !self.incoming.fits(data.len()) {
            self.stats.dropped_receiving += 1;
            return;
        }
        self.stats.dropped_receiving += self.incoming.make_room(data.len());
        self.incoming.push(data);
        self.readable = true;
    }

    /// The most bytes of data that the path and the peer take in one datagram, from now on. What
    /// waits and is longer is dropped.
    pub fn set_max_size(&mut self, max: usize) {
        if max < self.max_size {
            self.stats.dropped_sending += self.outgoing.drop_longer(max);
            self.tell_room();
        }
        self.max_size = max;
    }

    /// The most bytes of data that a datagram may have now.
    pub fn max_size(&self) -> usize {
        self.max_size.min(self.outgoing.longest())
    }

    /// Whether something waits to be sent.
    pub fn has_pending(&self) -> bool {
        self.outgoing.front().is_some()
    }

    /// Writes the datagrams that fit into the rest of a packet, in order, and tells how many. If the
    /// writer is full afterwards, the last frame may extend to its end by having no length.
    pub fn write_frames(&mut self, writer: &mut Writer<'_>) -> usize {
        let mut frames = 0;
        while let Some((front, back)) = self.outgoing.front() {
            let len = front.len() + back.len();
            let with_len = datagram_header_len(Some(len)) + len;
            let bare = datagram_header_len(None) + len;
            let room = writer.remaining();
            if (bare..with_len).contains(&room) {
                // One or two bytes are too few for a length, and would be part of the datagram.
                writer.reserve(room - bare).fill(0);
                write_datagram_header(writer, None);
            } else if room >= with_len {
                write_datagram_header(writer, Some(len));
            } else {
                break;
            }
            writer.put_slice(front);
            writer.put_slice(back);
            self.outgoing.pop();
            frames += 1;
        }
        if frames > 0 {
            self.tell_room();
        }
        frames
    }

    /// What was dropped so far.
    pub fn stats(&self) -> DatagramStats {
        self.stats
    }

    /// Gives spare memory back to the allocator: for a session that fell idle.
    pub fn trim(&mut self) {
        self.outgoing.trim();
        self.incoming.trim();
    }

    fn tell_room(&mut self) {
        self.writable |= core::mem::take(&mut self.wanted);
    }
}

impl Default for DatagramConfig {
    fn default() -> Self {
        Self {
            send_buffer: 64 << 10,
            receive_buffer: 256 << 10,
            overflow: Overflow::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::{Frame, Frames};

    fn datagrams(send_buffer: usize, receive_buffer: usize, overflow: Overflow) -> Datagrams {
        let mut datagrams = Datagrams::new(DatagramConfig {
            send_buffer,
            receive_buffer,
            overflow,
        });
        datagrams.set_max_size(1_000);
        datagrams
    }

    fn packet(from: &mut Datagrams, room: usize) -> (usize, Vec<u8>) {
        let mut bytes = vec![0; room];
        let mut writer = Writer::new(&mut bytes);
        let frames = from.write_frames(&mut writer);
        let len = writer.len();
        bytes.truncate(len);
        (frames, bytes)
    }

    #[test]
    fn a_full_live_queue_drops_its_oldest() {
        let mut datagrams = datagrams(3 * (10 + 32), 100, Overflow::DropOldest);
        for number in 0..5 {
            datagrams.send(&[number; 10]).unwrap();
        }
        assert_eq!(datagrams.stats().dropped_sending, 2);
        let (frames, bytes) = packet(&mut datagrams, 100);
        assert_eq!(frames, 3);
        assert_eq!(bytes[..12], [0x31, 10, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(datagrams.poll_event(), None, "nobody was refused");
    }

    #[test]
    fn a_full_refusing_queue_tells_when_there_is_room() {
        let mut datagrams = datagrams(50, 100, Overflow::Refuse);
        datagrams.send(&[1; 10]).unwrap();
        assert_eq!(datagrams.send(&[2; 10]), Err(SendDatagramError::Blocked));
        assert_eq!(datagrams.poll_event(), None);
        assert_eq!(packet(&mut datagrams, 100).0, 1);
        assert_eq!(datagrams.poll_event(), Some(DatagramEvent::Writable));
        assert_eq!(datagrams.poll_event(), None);
        datagrams.send(&[2; 10]).unwrap();
        assert_eq!(datagrams.stats(), DatagramStats::default());
    }

    #[test]
    fn too_large_is_said_and_what_outgrew_the_path_is_dropped() {
        let mut datagrams = datagrams(500, 100, Overflow::DropOldest);
        let error = SendDatagramError::TooLarge { len: 469, max: 468 };
        assert_eq!(datagrams.send(&[0; 469]), Err(error));
        for len in [20, 100, 30] {
            datagrams.send(&vec![0; len]).unwrap();
        }
        datagrams.set_max_size(50);
        assert_eq!(datagrams.stats().dropped_sending, 1);
        assert_eq!(packet(&mut datagrams, 1_000).0, 2);
        assert!(!datagrams.has_pending());
    }

    #[test]
    fn the_last_of_a_packet_bears_no_length_if_it_fills_it() {
        let mut datagrams = datagrams(500, 100, Overflow::DropOldest);
        datagrams.send(b"abc").unwrap();
        datagrams.send(b"").unwrap();
        datagrams.send(b"de").unwrap();
        assert_eq!(packet(&mut datagrams, 3).0, 0, "no room, no harm");
        let (frames, bytes) = packet(&mut datagrams, 10);
        assert_eq!((frames, &bytes[..]), (3, &b"\x31\x03abc\x31\x00\x30de"[..]));
    }

    #[test]
    fn a_full_receive_queue_drops_its_oldest() {
        let mut datagrams = datagrams(100, 2 * (10 + 32), Overflow::Refuse);
        datagrams.on_datagram(&[9; 85]);
        assert_eq!(datagrams.poll_event(), None, "never fits");
        for number in 0..4 {
            datagrams.on_datagram(&[number; 10]);
        }
        assert_eq!(datagrams.stats().dropped_receiving, 3);
        assert_eq!(datagrams.poll_event(), Some(DatagramEvent::Readable));
        assert_eq!(datagrams.poll_event(), None);
        assert_eq!(datagrams.recv(), Some(vec![2; 10]));
        assert_eq!(datagrams.recv(), Some(vec![3; 10]));
        assert_eq!(datagrams.recv(), None);
    }

    #[test]
    fn empty_datagrams_are_bounded_too() {
        let mut datagrams = datagrams(1 << 10, 1 << 10, Overflow::DropOldest);
        for _ in 0..10_000 {
            datagrams.on_datagram(&[]);
            datagrams.send(&[]).unwrap();
        }
        assert_eq!(datagrams.stats().dropped_receiving, 10_000 - 32);
        assert_eq!(packet(&mut datagrams, 10_000).0, 32);
    }

    proptest! {
        #[test]
        fn what_is_not_dropped_arrives_whole_and_in_order(
            lens in prop::collection::vec(0..200_usize, 1..100),
            room in 1..600_usize,
        ) {
            let mut from = datagrams(2_000, 0, Overflow::DropOldest);
            let mut to = datagrams(0, 1 << 20, Overflow::DropOldest);
            from.set_max_size(room - 1);
            let mut sent = Vec::new();
            for (number, len) in lens.iter().enumerate() {
                let datagram = vec![number as u8; *len];
                match from.send(&datagram) {
                    Ok(()) => sent.push(datagram),
                    Err(error) => prop_assert_eq!(
                        error,
                        SendDatagramError::TooLarge { len: *len, max: room - 1 }
                    ),
                }
            }
            let dropped = from.stats().dropped_sending as usize;
            let mut left = room * 100;
            while from.has_pending() {
                let (_, bytes) = packet(&mut from, room);
                for frame in Frames::new(&bytes) {
                    match frame.unwrap() {
                        Frame::Datagram(data) => to.on_datagram(data),
                        frame => prop_assert!(matches!(frame, Frame::Padding(1..=2))),
                    }
                }
                prop_assert!(left > 0, "each packet takes one at least");
                left -= 1;
            }
            let received: Vec<_> = core::iter::from_fn(|| to.recv()).collect();
            prop_assert_eq!(&received[..], &sent[dropped..]);
        }
    }
}
