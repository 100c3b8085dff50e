//! Scripted text messages (`docs/spec/engine.md`, section 3).

use std::collections::VecDeque;

use super::{journal::Journal, outcome::Halt, seat::Seats};
use crate::{Side, adapter::Callback, scenario::TextMessage};

/// The texts that wait, and since when they may go.
pub(super) struct Script {
    waiting: [VecDeque<TextMessage>; 2],
    /// When the wait for each side's next text began; `None` before the handshakes are complete.
    since_ms: Option<[u64; 2]>,
}

impl Script {
    /// Takes the scenario's texts; those that a side can't take are dropped with a warning.
    pub(super) fn new(
        messages: [Vec<TextMessage>; 2],
        seats: &Seats<'_>,
        journal: &mut Journal<'_>,
    ) -> Option<Self> {
        let mut waiting = messages.map(VecDeque::from);
        for seat in seats {
            let texts = &mut waiting[seat.side.index()];
            if !texts.is_empty() && !seat.capabilities.takes_messages {
                let side = seat.side.name();
                let count = texts.len();
                journal.warn(format!(
                    "{side} adapter ({}) has no send_sdu: its {count} scripted messages are not sent",
                    seat.spec
                ));
                texts.clear();
            }
        }
        let any = waiting.iter().any(|texts| !texts.is_empty());
        any.then_some(Self {
            waiting,
            since_ms: None,
        })
    }

    /// Hands over the texts that are due. False when none is left.
    pub(super) fn tick(
        &mut self,
        t_ms: u64,
        seats: &mut Seats<'_>,
        journal: &mut Journal<'_>,
    ) -> Result<bool, Halt> {
        if self.since_ms.is_none() {
            let mut complete = true;
            for seat in seats.iter_mut() {
                let done = seat.call(Callback::IsHandshakeComplete, |adapter, context| {
                    adapter.is_handshake_complete(context)
                })?;
                journal.events_of(seat)?;
                complete &= done.unwrap_or(true);
            }
            if !complete {
                return Ok(true);
            }
            self.since_ms = Some([t_ms; 2]);
        }
        if let Some(since_ms) = &mut self.since_ms {
            for side in Side::BOTH {
                let (since_ms, texts) =
                    (&mut since_ms[side.index()], &mut self.waiting[side.index()]);
                while let Some(text) = texts.front()
                    && t_ms - *since_ms >= text.delay_ms
                {
                    *since_ms += text.delay_ms;
                    let seat = &mut seats[side.index()];
                    seat.call(Callback::SendSdu, |adapter, context| {
                        adapter.send_sdu(context, text.text.as_bytes())
                    })?;
                    journal.events_of(seat)?;
                    texts.pop_front();
                }
            }
        }
        Ok(self.waiting.iter().any(|texts| !texts.is_empty()))
    }
}
