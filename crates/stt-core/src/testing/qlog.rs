//! Traces of sessions in the shape of qlog (draft-ietf-quic-qlog-main-schema, and its names for
//! QUIC's events), as a JSON text sequence (RFC 7464): one record to an event, for qlog's tools.

use core::fmt::Write as _;
use std::{
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    Side, Stats, Timestamp,
    observer::{Observation, Observed, Observer, Packet, Stage},
    wire::{Frame, Frames},
};

/// Writes a trace. Cloned, it writes to the same one.
#[derive(Clone)]
pub struct Qlog(Arc<Mutex<Sink>>);

struct Sink {
    out: Box<dyn Write + Send>,
    /// The first write that failed; nothing is written after it.
    error: Option<io::Error>,
}

impl Qlog {
    /// Begins a trace with this title.
    pub fn new(title: &str, out: Box<dyn Write + Send>) -> Self {
        let qlog = Self(Arc::new(Mutex::new(Sink { out, error: None })));
        qlog.record(&format!(
            r#"{{"file_schema":"urn:ietf:params:qlog:file:sequential","serialization_format":"application/qlog+json-seq","title":{},"trace":{{"vantage_point":{{"name":"both ends","type":"unknown"}},"common_fields":{{"time_format":"relative_to_epoch","reference_time":{{"clock_type":"monotonic","epoch":"unknown"}}}},"event_schemas":[]}}}}"#,
            text(title)
        ));
        qlog
    }

    /// What is to be set in the configuration of sessions.
    pub fn observer(&self) -> Observer {
        let qlog = self.clone();
        Observer::new(move |observation| qlog.observe(observation))
    }

    /// Something that no session has done: a fault of the link, say.
    pub fn mark(&self, now: Timestamp, message: &str) {
        let data = format!(r#"{{"type":"note","message":{}}}"#, text(message));
        self.event(now, None, "simulation:marker", &data);
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// The first write that failed.
    pub fn finish(&self) -> io::Result<()> {
        let mut sink = self.sink();
        match sink.error.take() {
            Some(error) => Err(error),
            None => sink.out.flush(),
        }
    }

    fn observe(&self, observation: &Observation<'_>) {
        let end = Some((observation.session, observation.side));
        let now = observation.now;
        match &observation.what {
            Observed::PacketSent(packet) => {
                self.event(now, end, "transport:packet_sent", &shown(packet));
            }
            Observed::PacketReceived(packet) => {
                self.event(now, end, "transport:packet_received", &shown(packet));
            }
            Observed::PacketDropped { size, duplicate } => {
                let trigger = if *duplicate {
                    "duplicate"
                } else {
                    "decryption_failure"
                };
                let data = format!(r#"{{"raw":{{"length":{size}}},"trigger":"{trigger}"}}"#);
                self.event(now, end, "transport:packet_dropped", &data);
            }
            Observed::PacketLost { number } => {
                let data =
                    format!(r#"{{"header":{{"packet_type":"1RTT","packet_number":{number}}}}}"#);
                self.event(now, end, "recovery:packet_lost", &data);
            }
            Observed::Metrics(stats) => {
                self.event(now, end, "recovery:metrics_updated", &metrics(stats));
            }
            Observed::KeysUpdated { epoch, by_peer } => {
                let trigger = if *by_peer {
                    "remote_update"
                } else {
                    "local_update"
                };
                let keys = ["client_1rtt_secret", "server_1rtt_secret"];
                let key = keys[observation.side as usize];
                let data =
                    format!(r#"{{"key_type":"{key}","key_phase":{epoch},"trigger":"{trigger}"}}"#);
                self.event(now, end, "security:key_updated", &data);
            }
            Observed::Path(path) => {
                let data = format!(r#"{{"path_id":"{}"}}"#, hex(path.as_bytes()));
                self.event(now, end, "connectivity:path_assigned", &data);
            }
            Observed::Stage(stage) => {
                let new = match stage {
                    Stage::Confirmed => "handshake_confirmed",
                    Stage::Closing => "closing",
                    Stage::Draining => "draining",
                    Stage::Closed => "closed",
                };
                let data = format!(r#"{{"new":"{new}"}}"#);
                self.event(now, end, "connectivity:connection_state_updated", &data);
            }
        }
    }

    /// One event; those of a session name it and the end, as qlog's tools tell traces apart.
    fn event(&self, now: Timestamp, end: Option<([u8; 8], Side)>, name: &str, data: &str) {
        let group = end.map_or_else(String::new, |(session, side)| {
            let side = ["client", "server"][side as usize];
            format!(r#","group_id":"{} {side}""#, hex(&session))
        });
        let (millis, rest) = (now.as_nanos() / 1_000_000, now.as_nanos() % 1_000_000);
        self.record(&format!(
            r#"{{"time":{millis}.{rest:06},"name":"{name}"{group},"data":{data}}}"#
        ));
    }

    fn record(&self, json: &str) {
        let mut sink = self.sink();
        if sink.error.is_none()
            && let Err(error) = writeln!(sink.out, "\u{1e}{json}")
        {
            sink.error = Some(error);
        }
    }

    fn sink(&self) -> MutexGuard<'_, Sink> {
        // A panic elsewhere is what the trace is for: it goes on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shown(packet: &Packet<'_>) -> String {
    let frames: Vec<String> = Frames::new(packet.frames)
        .map(|frame| match frame {
            Ok(frame) => frame_shown(&frame),
            Err(error) => format!(
                r#"{{"frame_type":"unknown","message":{}}}"#,
                text(&error.to_string())
            ),
        })
        .collect();
    format!(
        r#"{{"header":{{"packet_type":"1RTT","packet_number":{},"key_phase_bit":{}}},"raw":{{"length":{},"payload_length":{}}},"path_id":"{}","frames":[{}]}}"#,
        packet.number,
        packet.phase,
        packet.size,
        packet.frames.len(),
        hex(packet.path.as_bytes()),
        frames.join(",")
    )
}

fn frame_shown(frame: &Frame<'_>) -> String {
    let object = |kind: &str, fields: String| format!(r#"{{"frame_type":"{kind}"{fields}}}"#);
    match frame {
        Frame::Padding(run) => object("padding", format!(r#","length":{run}"#)),
        Frame::Ping => object("ping", String::new()),
        Frame::Ack(ack) => {
            let ranges: Vec<String> = ack
                .ranges()
                .map(|range| format!("[{},{}]", range.start(), range.end()))
                .collect();
            let (millis, rest) = (ack.delay_us() / 1_000, ack.delay_us() % 1_000);
            let mut fields = format!(
                r#","ack_delay":{millis}.{rest:03},"acked_ranges":[{}]"#,
                ranges.join(",")
            );
            if let Some(ecn) = ack.ecn() {
                let counts = format!(
                    r#","ect0":{},"ect1":{},"ce":{}"#,
                    ecn.ect0, ecn.ect1, ecn.ce
                );
                fields.push_str(&counts);
            }
            object("ack", fields)
        }
        Frame::Reset {
            id,
            code,
            final_size,
        } => object(
            "reset_stream",
            format!(
                r#","stream_id":{},"error_code":{code},"final_size":{final_size}"#,
                id.as_u64()
            ),
        ),
        Frame::Stop { id, code } => object(
            "stop_sending",
            format!(r#","stream_id":{},"error_code":{code}"#, id.as_u64()),
        ),
        Frame::Stream(stream) => object(
            "stream",
            format!(
                r#","stream_id":{},"offset":{},"length":{},"fin":{}"#,
                stream.id.as_u64(),
                stream.offset,
                stream.data.len(),
                stream.fin
            ),
        ),
        Frame::MaxData(max) => object("max_data", format!(r#","maximum":{max}"#)),
        Frame::MaxStreamData { id, max } => object(
            "max_stream_data",
            format!(r#","stream_id":{},"maximum":{max}"#, id.as_u64()),
        ),
        Frame::MaxStreams { dir, max } => {
            let kind = ["bidirectional", "unidirectional"][*dir as usize];
            object(
                "max_streams",
                format!(r#","stream_type":"{kind}","maximum":{max}"#),
            )
        }
        // Its token would end the session: it is left out.
        Frame::NewId(new) => object(
            "new_connection_id",
            format!(
                r#","sequence_number":{},"retire_prior_to":{},"connection_id":"{}""#,
                new.sequence,
                new.retire_prior_to,
                hex(new.id.as_bytes())
            ),
        ),
        Frame::RetireId { sequence } => object(
            "retire_connection_id",
            format!(r#","sequence_number":{sequence}"#),
        ),
        Frame::PathChallenge(data) => {
            object("path_challenge", format!(r#","data":"{}""#, hex(data)))
        }
        Frame::PathResponse(data) => object("path_response", format!(r#","data":"{}""#, hex(data))),
        Frame::Close {
            application,
            code,
            reason,
        } => {
            let space = if *application {
                "application"
            } else {
                "transport"
            };
            let reason = text(&String::from_utf8_lossy(reason));
            object(
                "connection_close",
                format!(r#","error_space":"{space}","error_code":{code},"reason":{reason}"#),
            )
        }
        Frame::Datagram(data) => object("datagram", format!(r#","length":{}"#, data.len())),
    }
}

fn metrics(stats: &Stats) -> String {
    let millis = |span: core::time::Duration| {
        let micros = span.as_micros();
        format!("{}.{:03}", micros / 1_000, micros % 1_000)
    };
    format!(
        r#"{{"min_rtt":{},"smoothed_rtt":{},"congestion_window":{},"bytes_in_flight":{}}}"#,
        millis(stats.min_rtt),
        millis(stats.rtt),
        stats.congestion_window,
        stats.bytes_in_flight
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A JSON string.
fn text(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control @ '\0'..='\u{1f}' => {
                // Writing to a string can't fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
