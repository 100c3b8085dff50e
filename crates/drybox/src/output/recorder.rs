//! The one place through which a run writes.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    CaptureEvent, CaptureLayer, EventCounts, HEADER, OutputError, PcmTap, PublicKey, Row, Scrubber,
    Secrets, Summary,
    capture::{push_header, push_record},
    event::push_event,
    files,
    sink::Sink,
    wav::WavSink,
};
use crate::{
    radio::Block,
    side::{Direction, Side},
};

/// What a [`Recorder`] writes besides metrics and events.
#[derive(Debug, Clone, Default)]
pub struct RecorderOptions {
    /// Whether SDUs and PDUs are captured.
    pub capture: bool,
    /// Whether PCM is (Mode B).
    pub pcm: bool,
    /// The private keys of the run, which no output may hold.
    pub secrets: Secrets,
}

/// Writes a run's outputs as it goes (`docs/spec/outputs.md`).
///
/// Rows, events and records are appended to buffers of 64 KiB; none of them allocates once the
/// buffers have their size. After an error the run is over: nothing more is written, and
/// [`finish`](Self::finish) fails alike. Without `finish`, what was recorded is written out on drop
/// as far as possible, but not the files that belong to the end.
pub struct Recorder {
    dir: Option<PathBuf>,
    metrics: Sink,
    events: Sink,
    capture: Option<Sink>,
    /// Left tx, left rx, right tx, right rx.
    pcm: Option<[WavSink; 4]>,
    counts: EventCounts,
    scrubber: Scrubber,
    /// Whether nothing is written at all.
    nowhere: bool,
}

/// The outputs of a run in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// `metrics.csv`.
    pub metrics: Vec<u8>,
    /// `events.jsonl`.
    pub events: Vec<u8>,
    /// `capture.dbxcap`, if asked for.
    pub capture: Option<Vec<u8>>,
    /// `left_tx.wav`, `left_rx.wav`, `right_tx.wav` and `right_rx.wav`, if asked for.
    pub pcm: Option<[Vec<u8>; 4]>,
    /// `summary.json`.
    pub summary: String,
    /// `scenario.resolved.yaml`.
    pub scenario: String,
    /// `pubkeys.txt`.
    pub pubkeys: String,
}

impl Recorder {
    /// Records into a folder, which is created; outputs of an earlier run in it are replaced.
    pub fn to_dir(dir: &Path, options: RecorderOptions) -> Result<Self, OutputError> {
        files::prepare(dir)?;
        let open = |name: &str| Sink::create(dir.join(name));
        let mut recorder = Self::with_sinks(open, options)?;
        recorder.dir = Some(dir.to_owned());
        // An unwritable disk is found now rather than 64 KiB later.
        recorder.flush()?;
        Ok(recorder)
    }

    /// Keeps everything in memory; `finish` hands it out.
    pub fn in_memory(options: RecorderOptions) -> Self {
        let open = |name: &str| Ok::<_, Infallible>(Sink::memory(name));
        let Ok(recorder) = Self::with_sinks(open, options);
        recorder
    }

    /// Writes nothing and only counts events: what a run costs without its outputs.
    pub fn nowhere() -> Self {
        Self {
            nowhere: true,
            ..Self::in_memory(RecorderOptions::default())
        }
    }

    fn with_sinks<E>(
        open: impl Fn(&str) -> Result<Sink, E>,
        options: RecorderOptions,
    ) -> Result<Self, E> {
        let RecorderOptions {
            capture,
            pcm,
            secrets,
        } = options;
        let mut metrics = open(files::METRICS)?;
        metrics.buffer().extend_from_slice(HEADER.as_bytes());
        let capture = if capture {
            let mut sink = open(files::CAPTURE)?;
            push_header(sink.buffer());
            Some(sink)
        } else {
            None
        };
        let wav = |side, tap| open(files::pcm_name(side, tap)).map(WavSink::new);
        let pcm = if pcm {
            Some([
                wav(Side::Left, PcmTap::Tx)?,
                wav(Side::Left, PcmTap::Rx)?,
                wav(Side::Right, PcmTap::Tx)?,
                wav(Side::Right, PcmTap::Rx)?,
            ])
        } else {
            None
        };
        Ok(Self {
            dir: None,
            metrics,
            events: open(files::EVENTS)?,
            capture,
            pcm,
            counts: EventCounts::default(),
            scrubber: Scrubber::new(secrets),
            nowhere: false,
        })
    }

    /// Appends a row to `metrics.csv`.
    pub fn row(&mut self, row: &Row<'_>) -> Result<(), OutputError> {
        if self.nowhere {
            return Ok(());
        }
        row.encode(self.metrics.buffer(), &self.scrubber);
        self.metrics.commit()
    }

    /// Appends an event to `events.jsonl` and counts it.
    ///
    /// [`OutputError::EventTooLarge`] is the adapter's fault, and nothing was written then.
    pub fn event(
        &mut self,
        t_ms: u64,
        side: Side,
        kind: &str,
        payload: &Value,
    ) -> Result<(), OutputError> {
        if self.nowhere {
            self.counts.add(side, kind);
            return Ok(());
        }
        push_event(
            self.events.buffer(),
            (t_ms, side),
            kind,
            payload,
            &self.scrubber,
        )?;
        self.counts.add(side, &self.scrubber.text(kind));
        self.events.commit()
    }

    /// Appends a record to `capture.dbxcap`, if there is one.
    pub fn capture(
        &mut self,
        t_ms: u64,
        direction: Direction,
        layer: CaptureLayer,
        event: CaptureEvent,
        data: &[u8],
    ) -> Result<(), OutputError> {
        let Some(sink) = &mut self.capture else {
            return Ok(());
        };
        let what = (direction, layer, event);
        push_record(sink.buffer(), t_ms, what, data, &self.scrubber)?;
        sink.commit()
    }

    /// Appends a block of PCM, if it is recorded.
    pub fn pcm(&mut self, side: Side, tap: PcmTap, block: &Block) -> Result<(), OutputError> {
        let Some(files) = &mut self.pcm else {
            return Ok(());
        };
        let file = &mut files[2 * side.index() + tap as usize];
        file.push(block, &self.scrubber)
    }

    /// Whether [`capture`](Self::capture) does anything.
    pub const fn captures(&self) -> bool {
        self.capture.is_some()
    }

    /// Whether [`pcm`](Self::pcm) does anything.
    pub const fn records_pcm(&self) -> bool {
        self.pcm.is_some()
    }

    /// How many events there were, for the summary.
    pub const fn event_counts(&self) -> &EventCounts {
        &self.counts
    }

    /// Removes this run's private keys from messages as well.
    pub const fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }

    /// Writes out what is buffered.
    pub fn flush(&mut self) -> Result<(), OutputError> {
        self.metrics.flush()?;
        self.events.flush()?;
        if let Some(capture) = &mut self.capture {
            capture.flush()?;
        }
        self.pcm.iter_mut().flatten().try_for_each(WavSink::flush)
    }

    /// The metrics and events of a run in memory that nobody sums up; empty for one in a folder.
    pub fn into_rows_and_events(mut self) -> (Vec<u8>, Vec<u8>) {
        (self.metrics.take_memory(), self.events.take_memory())
    }

    /// Completes the outputs; those of a run in memory are returned.
    pub fn finish(
        mut self,
        summary: &Summary,
        resolved_yaml: &str,
        public_keys: &[PublicKey],
    ) -> Result<Option<Recorded>, OutputError> {
        self.flush()?;
        let scenario = self.scrubber.text(resolved_yaml).into_owned();
        let pubkeys = PublicKey::to_text(public_keys);
        let pubkeys = self.scrubber.text(&pubkeys).into_owned();
        let summary = summary.to_json(&self.scrubber);
        if let Some(dir) = &self.dir {
            files::write_whole(dir, files::PUBKEYS, pubkeys.as_bytes())?;
            files::write_whole(dir, files::SCENARIO, scenario.as_bytes())?;
            files::write_whole(dir, files::SUMMARY, summary.as_bytes())?;
            return Ok(None);
        }
        Ok(Some(Recorded {
            metrics: self.metrics.take_memory(),
            events: self.events.take_memory(),
            capture: self.capture.as_mut().map(Sink::take_memory),
            pcm: (self.pcm.as_mut()).map(|files| files.each_mut().map(WavSink::take_memory)),
            summary,
            scenario,
            pubkeys,
        }))
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder")
            .field("dir", &self.dir)
            .field("capture", &self.captures())
            .field("pcm", &self.records_pcm())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use super::*;
    use crate::output::{RowLayer, tests::summary};

    /// A disk with room for so many bytes.
    #[derive(Clone)]
    struct Disk {
        room: usize,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(self.room);
            if n == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= n;
            self.written.lock().unwrap().extend_from_slice(&bytes[..n]);
            Ok(n)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn on(disk: &Disk) -> Recorder {
        let open = |name: &str| {
            Ok::<_, Infallible>(if name == files::METRICS {
                Sink::writer(name, disk.clone())
            } else {
                Sink::memory(name)
            })
        };
        let Ok(recorder) = Recorder::with_sinks(open, RecorderOptions::default());
        recorder
    }

    const ROW: Row<'_> = Row::new(1, Side::Left, RowLayer::Bearer, "tx");
    const LINE: &str = "1,L,bearer,tx,,,,,,,,,,,,,,\n";

    #[test]
    fn a_full_disk_is_an_error_with_file_and_cause() {
        let disk = Disk {
            room: 100_000,
            written: Arc::default(),
        };
        let mut recorder = on(&disk);
        let rows = (0..1_000_000).position(|_| recorder.row(&ROW).is_err());
        // At the second flush of 64 KiB.
        let rows = rows.expect("no error") + 1;
        assert!((128 * 1024..129 * 1024).contains(&(HEADER.len() + rows * LINE.len())));
        // Nothing is written twice, and no later call hides the failure.
        let error = recorder.finish(&summary(), "", &[]).unwrap_err();
        assert!(
            error.to_string().starts_with("cannot write metrics.csv: "),
            "{error}"
        );
        assert_eq!(disk.written.lock().unwrap().len(), 100_000);

        let small = Disk { room: 7, ..disk };
        let mut recorder = on(&small);
        let error = recorder.flush().unwrap_err();
        assert!(!error.is_adapter_fault());
        assert!(
            error.to_string().starts_with("cannot write metrics.csv: "),
            "{error}"
        );
        let error = on(&small).finish(&summary(), "", &[]).unwrap_err();
        assert!(matches!(error, OutputError::Write { .. }), "{error}");
    }

    #[test]
    fn an_abandoned_run_leaves_whole_lines() {
        let disk = Disk {
            room: usize::MAX,
            written: Arc::default(),
        };
        let mut recorder = on(&disk);
        recorder.row(&ROW).unwrap();
        assert!(disk.written.lock().unwrap().is_empty());
        drop(recorder);
        assert_eq!(
            *disk.written.lock().unwrap(),
            format!("{HEADER}{LINE}").into_bytes()
        );
    }

    #[test]
    fn a_recorder_to_nowhere_keeps_counts_alone() {
        let mut recorder = Recorder::nowhere();
        recorder.row(&ROW).unwrap();
        recorder.event(1, Side::Left, "x", &Value::Null).unwrap();
        assert_eq!(recorder.event_counts().of(Side::Left).len(), 1);
        assert_eq!(recorder.into_rows_and_events(), (HEADER.into(), Vec::new()));
    }

    #[test]
    fn writing_does_not_allocate_once_buffers_have_their_size() {
        let disk = Disk {
            room: usize::MAX,
            written: Arc::default(),
        };
        let mut recorder = on(&disk);
        let capacity = recorder.metrics.buffer().capacity();
        for _ in 0..20_000 {
            recorder.row(&ROW).unwrap();
        }
        assert_eq!(recorder.metrics.buffer().capacity(), capacity);
    }
}
