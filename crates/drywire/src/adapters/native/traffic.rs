//! `native:traffic`: numbered SDUs at a constant rate in Mode A, checked by the receiver.

use drybox::{
    Side,
    adapter::{Adapter, AdapterConfig, AdapterFault, Capabilities, Context, Pulled, SduBatch},
    radio::Block,
};
use serde_json::json;

use super::{not_announced, settings::Settings};

/// The sequence number in front of every SDU, u64 little-endian.
const HEADER: usize = 8;

/// Sends `size_bytes` (100) at `rate_pps` (10) or every `interval_ms`, `count` times (without end),
/// and checks what arrives. Ends with an event `traffic_summary`.
#[derive(Debug, Default)]
pub struct Traffic {
    interval_ms: f64,
    size_bytes: usize,
    count: u64,
    sent: u64,
    /// The next SDU, built in place.
    sdu: Vec<u8>,
    received: Received,
}

#[derive(Debug, Default)]
struct Received {
    count: u64,
    corrupt: u64,
    late: u64,
    /// The highest sequence number seen, plus 1.
    next: u64,
}

impl Received {
    fn take(&mut self, sdu: &[u8], from: Side, scratch: &mut Vec<u8>) {
        self.count += 1;
        let Some((head, _)) = sdu.split_first_chunk::<HEADER>() else {
            self.corrupt += 1;
            return;
        };
        let sequence = u64::from_le_bytes(*head);
        fill(scratch, sequence, from, sdu.len());
        if scratch != sdu {
            self.corrupt += 1;
        } else if sequence < self.next {
            self.late += 1;
        } else {
            // Intact, so the number is the sender's, which counts from 0.
            self.next = sequence.saturating_add(1);
        }
    }
}

/// Builds the SDU with this number: its bytes are a function of number, sender and length.
fn fill(sdu: &mut Vec<u8>, sequence: u64, sender: Side, size: usize) {
    sdu.clear();
    sdu.extend_from_slice(&sequence.to_le_bytes());
    let mut state = sequence ^ (sender.index() as u64) << 63 ^ size as u64;
    while sdu.len() < size {
        // SplitMix64 (Steele, Lea and Flood, 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        sdu.extend_from_slice(&(z ^ (z >> 31)).to_le_bytes());
    }
    sdu.truncate(size);
}

impl Adapter for Traffic {
    fn open(&mut self, config: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        let settings = Settings::new(config);
        if settings.has("rate_pps") && settings.has("interval_ms") {
            return Err(settings.error("interval_ms", "give either rate_pps or interval_ms"));
        }
        let rate = settings.number("rate_pps", 10.0, 0.001..=1e6)?;
        self.interval_ms = settings.number("interval_ms", 1000.0 / rate, 0.001..=1e6)?;
        self.size_bytes = settings.whole("size_bytes", 100, HEADER as u64..=1 << 20)? as usize;
        self.count = settings.whole("count", u64::MAX, 0..=u64::MAX)?;
        Ok(Capabilities {
            bytelink: true,
            sdu_max_bytes: self.size_bytes.max(Capabilities::default().sdu_max_bytes),
            timer: false,
            ..Capabilities::default()
        })
    }

    fn init(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        let limit = context.config().sdu_max_bytes;
        if self.size_bytes > limit {
            let what = format!(
                "{} is over this link's sdu_max_bytes of {limit}",
                self.size_bytes
            );
            return Err(Settings::new(context.config()).error("size_bytes", &what));
        }
        Ok(())
    }

    fn start(&mut self, _: &mut Context) -> Result<(), AdapterFault> {
        self.sent = 0;
        self.received = Received::default();
        Ok(())
    }

    fn poll_link_tx(
        &mut self,
        context: &mut Context,
        budget: usize,
        out: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        let now = context.now_ms() as f64;
        let side = context.config().side;
        for _ in 0..budget {
            if self.sent == self.count || self.sent as f64 * self.interval_ms > now {
                break;
            }
            fill(&mut self.sdu, self.sent, side, self.size_bytes);
            out.push(&self.sdu);
            self.sent += 1;
        }
        Ok(())
    }

    fn on_link_rx(&mut self, context: &mut Context, sdus: &SduBatch) -> Result<(), AdapterFault> {
        let from = context.config().side.peer();
        for sdu in sdus.iter() {
            self.received.take(sdu, from, &mut self.sdu);
        }
        Ok(())
    }

    fn pull_tx_block(&mut self, _: &mut Context, _: &mut Block) -> Result<Pulled, AdapterFault> {
        Err(not_announced("pull_tx_block"))
    }

    fn push_rx_block(&mut self, _: &mut Context, _: &Block) -> Result<(), AdapterFault> {
        Err(not_announced("push_rx_block"))
    }

    fn send_sdu(&mut self, _: &mut Context, _: &[u8]) -> Result<(), AdapterFault> {
        Err(not_announced("send_sdu"))
    }

    fn stop(&mut self, context: &mut Context) -> Result<(), AdapterFault> {
        let Received {
            count,
            corrupt,
            late,
            next,
        } = self.received;
        let summary = json!({
            "sent": self.sent,
            "received": count,
            "corrupt": corrupt,
            "late": late,
            "highest": next.checked_sub(1),
        });
        context.emit_event("traffic_summary", summary);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_and_reordering_are_told_apart() {
        let sdu = |sequence| {
            let mut sdu = Vec::new();
            fill(&mut sdu, sequence, Side::Left, 100);
            sdu
        };
        let mut received = Received::default();
        let mut scratch = Vec::new();
        let mut damaged = sdu(3);
        damaged[99] ^= 1;
        for sdu in [sdu(0), sdu(2), sdu(1), damaged, b"short".to_vec()] {
            received.take(&sdu, Side::Left, &mut scratch);
        }
        received.take(&sdu(4), Side::Right, &mut scratch);
        let Received {
            count,
            corrupt,
            late,
            next,
        } = received;
        assert_eq!((count, corrupt, late, next), (6, 3, 1, 3));
    }
}
