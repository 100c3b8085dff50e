//! A node's sockets by their numbers (`docs/spec/stt-node.md` 2.4).

use std::{sync::Arc, time::Duration};

use stt_core::Timestamp;
use tokio::task::AbortHandle;

use super::State;
use crate::transport::{path::Route, udp::UdpSocket};

/// The node's own socket, number 0, and those that sessions have moved to.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    slots: Vec<Option<Slot>>,
    /// Where a free number is looked for first: each rests for as long as it can.
    next: usize,
    /// Sessions have moved, or ended.
    is_stale: bool,
}

#[derive(Debug)]
struct Slot {
    socket: Arc<UdpSocket>,
    driver: Option<AbortHandle>,
    /// Since when no session is there.
    vacant_since: Option<Timestamp>,
}

impl Sockets {
    /// Takes a socket in; its number, unless all are taken.
    pub(crate) fn add(&mut self, socket: Arc<UdpSocket>) -> Option<u8> {
        let slot = Slot {
            socket,
            driver: None,
            vacant_since: None,
        };
        if self.slots.len() < MOST {
            self.slots.push(Some(slot));
            return u8::try_from(self.slots.len() - 1).ok();
        }
        let free = (0..MOST)
            .map(|i| (self.next + i) % MOST)
            .find(|&number| self.slots[number].is_none())?;
        self.slots[free] = Some(slot);
        self.next = (free + 1) % MOST;
        u8::try_from(free).ok()
    }

    /// Which task drives a socket.
    pub(crate) fn driven_by(&mut self, number: u8, driver: AbortHandle) {
        if let Some(Some(slot)) = self.slots.get_mut(usize::from(number)) {
            slot.driver = Some(driver);
        }
    }

    /// The socket of this number, if it is open.
    pub(crate) fn get(&self, number: u8) -> Option<&Arc<UdpSocket>> {
        let slot = self.slots.get(usize::from(number))?.as_ref()?;
        Some(&slot.socket)
    }

    /// Sessions have moved, or ended: some sockets may be vacant now.
    pub(crate) const fn changed(&mut self) {
        self.is_stale = true;
    }

    /// Lets all go.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
    }

    /// When the next vacant one is closed.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let slots = self.slots.iter().flatten();
        let vacant = slots.filter_map(|slot| slot.vacant_since);
        vacant.min().map(|since| since + REST)
    }

    fn has_moved(&self) -> bool {
        self.slots.len() > 1
    }
}

impl State {
    /// Closes sockets that no session has used for a while.
    pub(super) fn close_vacant(&mut self, now: Timestamp) {
        if !self.sockets.has_moved() {
            return;
        }
        if std::mem::take(&mut self.sockets.is_stale) {
            self.find_vacant(now);
        }
        for slot in self.sockets.slots.iter_mut().skip(1) {
            let since = slot.as_ref().and_then(|slot| slot.vacant_since);
            if since.is_some_and(|since| since + REST <= now)
                && let Some(Slot { driver, .. }) = slot.take()
                && let Some(driver) = driver
            {
                driver.abort();
            }
        }
    }

    fn find_vacant(&mut self, now: Timestamp) {
        let mut used = [false; MOST];
        for (handle, entry) in &self.entries {
            if entry.core.close_reason().is_some() {
                continue;
            }
            let connection = self.endpoint.connection_ref(*handle);
            let active = connection.map(|connection| connection.path());
            for path in [active, entry.moving].into_iter().flatten() {
                if let Some(Route::Udp { socket, .. }) = Route::from_path(&path) {
                    used[usize::from(socket)] = true;
                }
            }
        }
        for (slot, is_used) in self.sockets.slots.iter_mut().zip(used).skip(1) {
            if let Some(slot) = slot {
                let since = slot.vacant_since.get_or_insert(now);
                slot.vacant_since = (!is_used).then_some(*since);
            }
        }
    }
}

/// As many as the numbers of paths tell apart.
const MOST: usize = 256;
/// What is on its way to a socket that was left still arrives in this time.
const REST: Duration = Duration::from_secs(3);
