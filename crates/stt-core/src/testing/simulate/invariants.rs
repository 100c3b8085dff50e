//! What holds inside a session at every moment.

use super::plan::{Fault, Plan};
use crate::{
    Connection, Side,
    connection::Watched,
    testing::{EcnField, LinkConfig},
};

/// Packets of ECN's test of a path.
const TEST: u64 = 10;

/// What was seen of both ends before.
#[derive(Default)]
pub(super) struct Invariants([Option<(Watched, [u64; 2])>; 2]);

impl Invariants {
    /// Looks at the session of `side`. `marked`: datagrams that each end has sent marked, if all are of
    /// this session.
    pub(super) fn check(
        &mut self,
        plan: &Plan,
        side: Side,
        connection: &Connection,
        marked: Option<[u64; 2]>,
    ) -> Result<(), String> {
        let watched = connection.watch();
        if let Some((window, least)) = watched.window
            && window < least
        {
            return Err(format!(
                "{side:?}: a window of {window} bytes, under {least}"
            ));
        }
        if watched.ecn_has_failed
            && plan.carries_ecn(side)
            && connection.stats().packets_lost < TEST
        {
            return Err(format!("{side:?} gives ECN up where it comes through"));
        }
        let Some(marked) = marked else {
            return Ok(());
        };
        let counts = watched.marks;
        let sent = marked[!side as usize];
        if counts.ect0 + counts.ect1 + counts.ce > sent {
            return Err(format!("{side:?} counts {counts:?} marks of {sent}"));
        }
        let sent = marked[side as usize];
        if plan.spoils_ecn(side) && sent > TEST * (1 + u64::from(watched.path_generation)) {
            return Err(format!(
                "{side:?} has marked {sent}, and no mark comes through"
            ));
        }
        let before = self.0[side as usize].replace((watched, marked));
        if let Some((before, marked_before)) = before
            && before.ecn_has_failed
            && before.path_generation == watched.path_generation
            && (!watched.ecn_has_failed || marked_before[side as usize] != sent)
        {
            return Err(format!("{side:?} marks where it has given ECN up"));
        }
        Ok(())
    }
}

impl Plan {
    /// What a link that leads to `to` does: whose driver can't read the ECN field might as well have a
    /// link that clears it.
    pub(super) fn link_to(&self, to: Side, link: LinkConfig) -> LinkConfig {
        if self.sessions[to as usize].ecn {
            return link;
        }
        LinkConfig {
            ecn: EcnField::Cleared,
            ecn_share: 1_000_000,
            ..link
        }
    }

    /// Whether each mark of `sender` comes through as long as its packet does.
    fn carries_ecn(&self, sender: Side) -> bool {
        self.links(sender).all(|link| link.ecn == EcnField::Kept)
    }

    /// Whether none does.
    fn spoils_ecn(&self, sender: Side) -> bool {
        self.links(sender).all(|link| {
            matches!(link.ecn, EcnField::Cleared | EcnField::Dropped) && link.ecn_share == 1_000_000
        })
    }

    /// What `sender` sends into, at any time.
    fn links(&self, sender: Side) -> impl Iterator<Item = LinkConfig> {
        let changes = self.faults.iter().filter_map(|(_, fault)| match fault {
            Fault::Change(link) => Some(*link),
            _ => None,
        });
        core::iter::once(self.link)
            .chain(changes)
            .map(move |link| self.link_to(!sender, link))
    }
}
