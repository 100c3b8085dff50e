use std::task::Waker;

use super::{Shared, State, state::Stalled};
use crate::transport::{links::Output, udp::Sent};

impl Shared {
    /// Sends what a short write has given, in the caller's turn (3.3). Gives the driver's waker if
    /// it has to go on.
    pub(super) fn flush_short(&self, state: &mut State) -> Option<Waker> {
        if state.stalled.is_some() {
            return None;
        }
        let now = self.clock.now();
        let mut buffer = [0; SHORT];
        for _ in 0..PACKETS {
            let Some(transmit) = state.endpoint.poll_transmit(now, 1, &mut buffer) else {
                // An earlier deadline than the driver knows of.
                let deadline = state.endpoint.poll_timeout();
                let is_earlier = match (deadline, state.armed) {
                    (Some(deadline), Some(armed)) => deadline < armed,
                    (Some(_), None) => true,
                    (None, _) => false,
                };
                return is_earlier.then(|| state.call_driver()).flatten();
            };
            let contents = &buffer[..transmit.size];
            if let Some((socket, envelope)) = state.dispatch(&transmit, Output::Lent(contents))
                && socket.try_send(&envelope, contents) == Sent::Full
            {
                state.stalled = Some(Stalled {
                    socket,
                    envelope,
                    contents: contents.to_vec(),
                });
                break;
            }
        }
        state.call_driver()
    }
}

/// Room for one packet of an Ethernet frame.
const SHORT: usize = 1_500;
/// More than these are the driver's.
const PACKETS: usize = 3;
