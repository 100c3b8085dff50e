use core::time::Duration;

use crate::{PathId, Timestamp, handshake::Refusal};

/// Tells of refused HELLOs: at most one of each kind in a second, however many come
/// (`docs/spec/stt-handshake.md` §15).
#[derive(Default)]
pub(super) struct Refusals {
    kinds: [Kind; KINDS],
    /// Whether any may be waiting.
    news: bool,
}

#[derive(Default)]
struct Kind {
    waiting: Option<Refused>,
    told: Option<Timestamp>,
    unreported: u64,
}

/// A refused HELLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) path: PathId,
    pub(super) refusal: Refusal,
    /// How many of this kind went untold before it.
    pub(super) unreported: u64,
}

impl Refusals {
    pub(super) fn add(&mut self, now: Timestamp, path: PathId, refusal: Refusal) {
        let kind = &mut self.kinds[kind(&refusal)];
        let is_early = kind
            .told
            .is_some_and(|told| now.saturating_since(told) < PAUSE);
        if is_early || kind.waiting.is_some() {
            kind.unreported += 1;
            return;
        }
        self.news = true;
        kind.told = Some(now);
        kind.waiting = Some(Refused {
            path,
            refusal,
            unreported: core::mem::take(&mut kind.unreported),
        });
    }

    pub(super) fn poll(&mut self) -> Option<Refused> {
        if !self.news {
            return None;
        }
        let first = self.kinds.iter_mut().find_map(|kind| kind.waiting.take());
        self.news = first.is_some();
        first
    }
}

const fn kind(refusal: &Refusal) -> usize {
    match refusal {
        Refusal::Downgrade => 0,
        Refusal::Full => 1,
        Refusal::Malformed(_) => 2,
        Refusal::NoCommonAead => 3,
        Refusal::Parameters(_) => 4,
        Refusal::NotAllowed(_) => 5,
        Refusal::WrongSeed => 6,
        Refusal::WrongVersion { .. } => 7,
        Refusal::WeakKey => 8,
    }
}

const KINDS: usize = 9;
const PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_kind_in_a_second_with_the_number_untold() {
        let path = PathId::new(b"p").unwrap();
        let mut refusals = Refusals::default();
        let at = Timestamp::from_millis;
        for millis in 0..10 {
            refusals.add(at(millis), path, Refusal::WrongSeed);
        }
        refusals.add(at(5), path, Refusal::Full);
        let told = |refusal, unreported| {
            Some(Refused {
                path,
                refusal,
                unreported,
            })
        };
        assert_eq!(refusals.poll(), told(Refusal::Full, 0));
        assert_eq!(refusals.poll(), told(Refusal::WrongSeed, 0));
        assert_eq!(refusals.poll(), None);
        refusals.add(at(999), path, Refusal::WrongSeed);
        assert_eq!(refusals.poll(), None);
        refusals.add(at(1_000), path, Refusal::WrongSeed);
        assert_eq!(refusals.poll(), told(Refusal::WrongSeed, 10));
    }
}
