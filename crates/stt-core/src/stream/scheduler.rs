use std::collections::{BTreeMap, VecDeque};

use super::{send::Send, streams::Stream};
use crate::StreamId;

/// Which stream sends next (`docs/spec/stt-streams.md` §6.2).
///
/// A stream stands in a queue exactly while it could send from it, so that "nothing queued" means
/// "nothing to send". Queues that ran empty keep their memory.
#[derive(Debug, Default)]
pub(super) struct Scheduler {
    /// By priority, the highest first.
    levels: Vec<Level>,
    /// Streams with new bytes that the session's credit doesn't allow.
    without_credit: VecDeque<StreamId>,
}

#[derive(Debug)]
struct Level {
    priority: i32,
    again: VecDeque<StreamId>,
    new: VecDeque<StreamId>,
}

/// The places of one stream in the queues.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turn {
    pub(super) priority: i32,
    /// Waits to send lost bytes.
    again: bool,
    new: New,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum New {
    /// Has none.
    #[default]
    No,
    Queued,
    WithoutCredit,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    pub(super) id: StreamId,
    /// Lost bytes are to be sent, not new ones.
    pub(super) again: bool,
    level: usize,
}

impl Scheduler {
    /// Levels kept though empty: more are removed when one is added.
    const KEPT_LEVELS: usize = 8;

    /// Puts the stream into the queues where it belongs now, and out of the others.
    pub(super) fn update(&mut self, id: StreamId, send: &mut Send, credit: u64) {
        let again = send.has_lost();
        let new = if send.has_bare_fin() || (send.has_new_data() && credit > 0) {
            New::Queued
        } else if send.has_new_data() {
            New::WithoutCredit
        } else {
            New::No
        };
        let turn = &mut send.turn;
        if turn.again != again {
            let queue = &mut self.level(turn.priority).again;
            if again {
                queue.push_back(id);
            } else {
                remove(queue, id);
            }
            turn.again = again;
        }
        if turn.new != new {
            match turn.new {
                New::No => {}
                New::Queued => remove(&mut self.level(turn.priority).new, id),
                New::WithoutCredit => remove(&mut self.without_credit, id),
            }
            match new {
                New::No => {}
                New::Queued => self.level(turn.priority).new.push_back(id),
                New::WithoutCredit => self.without_credit.push_back(id),
            }
            turn.new = new;
        }
    }

    /// Moves the stream to another level; [`Scheduler::update`] is to follow.
    pub(super) fn set_priority(&mut self, id: StreamId, turn: &mut Turn, priority: i32) {
        self.remove(id, turn);
        turn.priority = priority;
    }

    /// Takes the stream out of all queues.
    pub(super) fn remove(&mut self, id: StreamId, turn: &mut Turn) {
        if turn.again {
            remove(&mut self.level(turn.priority).again, id);
        }
        match turn.new {
            New::No => {}
            New::Queued => remove(&mut self.level(turn.priority).new, id),
            New::WithoutCredit => remove(&mut self.without_credit, id),
        }
        turn.again = false;
        turn.new = New::No;
    }

    /// The stream whose turn it is, if any can send.
    pub(super) fn peek(&self) -> Option<Next> {
        self.levels.iter().enumerate().find_map(|(level, queues)| {
            let again = queues.again.front().map(|&id| (id, true));
            let (id, again) = again.or_else(|| queues.new.front().map(|&id| (id, false)))?;
            Some(Next { id, again, level })
        })
    }

    /// The stream whose turn it was has sent: it stands behind the others, or nowhere.
    pub(super) fn after_turn(&mut self, next: Next, send: &mut Send, credit: u64) {
        let level = &mut self.levels[next.level];
        // Alone and not done, as a bulk transfer is: it stays where it is.
        let alone = next.again && level.again.len() == 1 && send.has_lost()
            || !next.again && level.new.len() == 1 && credit > 0 && send.has_new_data();
        if alone {
            return;
        }
        if next.again {
            level.again.pop_front();
            send.turn.again = false;
        } else {
            level.new.pop_front();
            send.turn.new = New::No;
        }
        self.update(next.id, send, credit);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.peek().is_none()
    }

    /// A stream that waits for the session's credit, to be updated by the caller.
    pub(super) fn first_without_credit(&self) -> Option<StreamId> {
        self.without_credit.front().copied()
    }

    /// The session's credit is used up: streams that need it leave their queues.
    pub(super) fn withhold(&mut self, streams: &mut BTreeMap<StreamId, Box<Stream>>) {
        for level in &mut self.levels {
            for _ in 0..level.new.len() {
                let Some(id) = level.new.pop_front() else {
                    break;
                };
                let send = streams.get_mut(&id).and_then(|s| s.send.as_mut());
                match send {
                    Some(send) if !send.has_bare_fin() => {
                        send.turn.new = New::WithoutCredit;
                        self.without_credit.push_back(id);
                    }
                    _ => level.new.push_back(id),
                }
            }
        }
    }

    /// Gives memory back that no stream needs.
    pub(super) fn trim(&mut self) {
        self.levels
            .retain(|level| !level.again.is_empty() || !level.new.is_empty());
        self.levels.shrink_to_fit();
        self.without_credit.shrink_to_fit();
    }

    fn level(&mut self, priority: i32) -> &mut Level {
        let found = self
            .levels
            .binary_search_by(|level| priority.cmp(&level.priority));
        let at = match found {
            Ok(at) => at,
            Err(_) => {
                if self.levels.len() >= Self::KEPT_LEVELS {
                    self.levels
                        .retain(|level| !level.again.is_empty() || !level.new.is_empty());
                }
                let at = self
                    .levels
                    .partition_point(|level| level.priority > priority);
                let level = Level {
                    priority,
                    again: VecDeque::new(),
                    new: VecDeque::new(),
                };
                self.levels.insert(at, level);
                at
            }
        };
        &mut self.levels[at]
    }
}

fn remove(queue: &mut VecDeque<StreamId>, id: StreamId) {
    // Nearly always at the front.
    if let Some(at) = queue.iter().position(|&queued| queued == id) {
        queue.remove(at);
    }
}
