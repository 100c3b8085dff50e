//! The hosts that one byte can name (spec 7.3).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::field::length_prefix;
use crate::{Address, AddressError, FieldError, FieldReader, HostIndex, InlineAddress};

/// What the saved form begins with: a magic and a version.
const MAGIC: [u8; 5] = *b"STHC\x01";

/// Longest name in bytes.
const NAME_MAX: usize = 126;

/// A host that a cache remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Where it is.
    pub address: InlineAddress,
    /// What people call it; 0 to 126 bytes.
    pub name: String,
}

/// Up to 127 hosts by index. Indexes stay while their host stays; a freed slot is used again.
#[derive(Clone, Debug, Default)]
pub struct HostCache {
    /// Slot `i` is index `i + 1`; with each host, when it was last used.
    slots: Vec<Option<(Host, u64)>>,
    /// Counts uses; larger is later.
    uses: u64,
}

impl HostCache {
    /// Most hosts.
    pub const CAPACITY: usize = HostIndex::MAX as usize;

    /// An empty cache.
    pub const fn new() -> Self {
        Self {
            slots: Vec::new(),
            uses: 0,
        }
    }

    /// Remembers a host in the lowest free slot. An address that is there already keeps its slot and takes the new name. Counts
    /// as a use.
    ///
    /// # Errors
    /// The cache is full, or the name is no name.
    pub fn insert(
        &mut self,
        address: InlineAddress,
        name: &str,
    ) -> Result<HostIndex, HostCacheError> {
        check_name(name)?;
        let slot = match self.find(address.as_str()) {
            Some(index) => index,
            None => self.free_slot().ok_or(HostCacheError::Full)?,
        };
        self.put(
            slot,
            Host {
                address,
                name: name.into(),
            },
        );
        Ok(slot)
    }

    /// As [`insert`](Self::insert), but a full cache gives up its least recently used host, which is returned.
    ///
    /// # Errors
    /// The name is no name.
    pub fn insert_evicting(
        &mut self,
        address: InlineAddress,
        name: &str,
    ) -> Result<(HostIndex, Option<Host>), HostCacheError> {
        match self.insert(address, name) {
            Err(HostCacheError::Full) => {}
            result => return result.map(|index| (index, None)),
        }
        let oldest = self.by_use().next().ok_or(HostCacheError::Full)?;
        let evicted = self.put(
            oldest,
            Host {
                address,
                name: name.into(),
            },
        );
        Ok((oldest, evicted))
    }

    /// Forgets a host and frees its slot.
    pub fn remove(&mut self, index: HostIndex) -> Option<Host> {
        self.slots
            .get_mut(slot_of(index))?
            .take()
            .map(|(host, _)| host)
    }

    /// Notes that a host was used; false if there is none.
    pub fn touch(&mut self, index: HostIndex) -> bool {
        let Some(Some((_, used))) = self.slots.get_mut(slot_of(index)) else {
            return false;
        };
        self.uses += 1;
        *used = self.uses;
        true
    }

    /// Where an address leads, if it names one host: the text of an inline address, or of a cached host, whose use is noted.
    pub fn resolve<'a>(&'a mut self, address: &'a Address) -> Option<&'a str> {
        match address {
            Address::Inline(inline) => Some(inline.as_str()),
            Address::Cached(index) => {
                self.touch(*index);
                self.get(*index).map(|host| host.address.as_str())
            }
            Address::Local | Address::Broadcast => None,
        }
    }

    /// The host in a slot.
    pub fn get(&self, index: HostIndex) -> Option<&Host> {
        self.slots
            .get(slot_of(index))?
            .as_ref()
            .map(|(host, _)| host)
    }

    /// The slot of an address.
    pub fn find(&self, address: &str) -> Option<HostIndex> {
        self.iter()
            .find(|(_, host)| host.address.as_str() == address)
            .map(|(index, _)| index)
    }

    /// All hosts, by index.
    pub fn iter(&self) -> impl Iterator<Item = (HostIndex, &Host)> {
        (1..).zip(&self.slots).filter_map(|(index, slot)| {
            Some((HostIndex::new(index)?, slot.as_ref().map(|(host, _)| host)?))
        })
    }

    /// How many hosts there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The saved form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        // At most 127.
        out.push(self.len() as u8);
        for (index, host) in self
            .by_use()
            .filter_map(|index| Some((index, self.get(index)?)))
        {
            out.push(index.get());
            for text in [host.address.as_str(), &host.name] {
                // Both are at most 126 bytes, so the prefix is one byte and can't fail.
                if let Ok((prefix, len)) = length_prefix(text.len()) {
                    out.extend_from_slice(&prefix[..len]);
                }
                out.extend_from_slice(text.as_bytes());
            }
        }
        out
    }

    /// Reads the saved form.
    ///
    /// # Errors
    /// It is no saved form, or of another version, is cut short, or says something twice.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HostCacheError> {
        let mut reader = FieldReader::new(bytes);
        if reader.array()? != MAGIC {
            return Err(HostCacheError::NotACache);
        }
        let mut cache = Self::new();
        for _ in 0..reader.u8()? {
            let number = reader.u8()?;
            let index = HostIndex::new(number).ok_or(HostCacheError::BadIndex { index: number })?;
            let address = InlineAddress::new(reader.lstr()?)?;
            let name = reader.lstr()?;
            check_name(name)?;
            if cache.get(index).is_some() || cache.find(address.as_str()).is_some() {
                return Err(HostCacheError::Duplicate { index: number });
            }
            cache.put(
                index,
                Host {
                    address,
                    name: name.into(),
                },
            );
        }
        reader.finish()?;
        Ok(cache)
    }

    fn free_slot(&self) -> Option<HostIndex> {
        (1..=HostIndex::MAX)
            .filter_map(HostIndex::new)
            .find(|index| self.get(*index).is_none())
    }

    /// Slots in use, from the least to the most recently used.
    fn by_use(&self) -> impl Iterator<Item = HostIndex> {
        let mut order: Vec<(u64, HostIndex)> = (1..)
            .zip(&self.slots)
            .filter_map(|(index, slot)| Some((slot.as_ref()?.1, HostIndex::new(index)?)))
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, index)| index)
    }

    /// Fills a slot, notes the use and gives what was there.
    fn put(&mut self, index: HostIndex, host: Host) -> Option<Host> {
        let slot = slot_of(index);
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, None);
        }
        self.uses += 1;
        self.slots[slot]
            .replace((host, self.uses))
            .map(|(host, _)| host)
    }
}

impl PartialEq for HostCache {
    /// Equal hosts in equal slots, used in the same order.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter()) && self.by_use().eq(other.by_use())
    }
}

impl Eq for HostCache {}

/// Why a host can't be remembered, or a saved form not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostCacheError {
    /// All 127 slots are taken.
    Full,
    /// A name over 126 bytes, or with a control character.
    BadName,
    /// The bytes are no saved form of this version.
    NotACache,
    /// An index outside 1 to 127.
    BadIndex {
        /// The index.
        index: u8,
    },
    /// An index or an address stands there twice.
    Duplicate {
        /// The index of the second.
        index: u8,
    },
    /// An address is none.
    Address(AddressError),
    /// A field can't be read.
    Field(FieldError),
}

impl fmt::Display for HostCacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("host cache is full, remove a host or evict the oldest"),
            Self::BadName => {
                write!(
                    f,
                    "host name must be at most {NAME_MAX} bytes without control characters"
                )
            }
            Self::NotACache => f.write_str("not a saved host cache of version 1"),
            Self::BadIndex { index } => write!(f, "host index {index} is outside 1 to 127"),
            Self::Duplicate { index } => {
                write!(f, "saved host {index} repeats an index or an address")
            }
            Self::Address(error) => error.fmt(f),
            Self::Field(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for HostCacheError {}

impl From<AddressError> for HostCacheError {
    fn from(error: AddressError) -> Self {
        Self::Address(error)
    }
}

impl From<FieldError> for HostCacheError {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

const fn slot_of(index: HostIndex) -> usize {
    index.get() as usize - 1
}

fn check_name(name: &str) -> Result<(), HostCacheError> {
    if name.len() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(HostCacheError::BadName);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::vec;

    fn address(n: usize) -> InlineAddress {
        InlineAddress::new(&format!("host{n}:99")).unwrap()
    }

    fn full() -> HostCache {
        let mut cache = HostCache::new();
        for n in 1..=127 {
            assert_eq!(
                cache.insert(address(n), "h").map(HostIndex::get),
                Ok(n as u8)
            );
        }
        cache
    }

    #[test]
    fn freed_slots_are_used_again_and_a_known_address_keeps_its_own() {
        let mut cache = full();
        assert_eq!(cache.insert(address(200), "x"), Err(HostCacheError::Full));
        assert_eq!(
            cache.remove(HostIndex::new(5).unwrap()).unwrap().address,
            address(5)
        );
        assert_eq!(cache.len(), 126);
        assert_eq!(cache.insert(address(200), "x").unwrap().get(), 5);
        assert_eq!(cache.insert(address(9), "renamed").unwrap().get(), 9);
        assert_eq!(
            cache.get(HostIndex::new(9).unwrap()).unwrap().name,
            "renamed"
        );
        assert_eq!(cache.len(), 127);
    }

    #[test]
    fn only_the_least_recently_used_host_gives_way_and_only_on_request() {
        let mut cache = full();
        let first = HostIndex::new(1).unwrap();
        assert_eq!(cache.resolve(&Address::Cached(first)), Some("host1:99"));
        let (index, evicted) = cache.insert_evicting(address(200), "new").unwrap();
        assert_eq!((index.get(), evicted.unwrap().address), (2, address(2)));
        assert_eq!(cache.find("host2:99"), None);
        let (index, evicted) = cache.insert_evicting(address(200), "again").unwrap();
        assert_eq!((index.get(), evicted), (2, None));
    }

    #[test]
    fn the_saved_form_comes_back_with_its_order_of_use() {
        let mut cache = full();
        cache.remove(HostIndex::new(64).unwrap());
        cache.touch(HostIndex::new(3).unwrap());
        let bytes = cache.to_bytes();
        let mut back = HostCache::from_bytes(&bytes).unwrap();
        assert_eq!(back, cache);
        assert_eq!(back.to_bytes(), bytes);
        assert_eq!(back.insert(address(300), "").unwrap().get(), 64);
        assert_eq!(back.insert_evicting(address(301), "").unwrap().0.get(), 1);
        assert_eq!(HostCache::from_bytes(b"STHC\x01\x00"), Ok(HostCache::new()));
    }

    #[test]
    fn a_damaged_saved_form_is_refused() {
        let one = b"STHC\x01\x01\x07\x81a\x81n";
        assert_eq!(HostCache::from_bytes(one).unwrap().len(), 1);
        for cut in 0..one.len() {
            assert!(HostCache::from_bytes(&one[..cut]).is_err(), "cut at {cut}");
        }
        let cases: [(&[u8], HostCacheError); 6] = [
            (b"STHC\x02\x00", HostCacheError::NotACache),
            (
                b"STHC\x01\x00x",
                HostCacheError::Field(FieldError::Trailing { at: 6, len: 1 }),
            ),
            (
                b"STHC\x01\x01\x80\x81a\x80",
                HostCacheError::BadIndex { index: 128 },
            ),
            (
                b"STHC\x01\x02\x01\x81a\x80\x02\x81a\x80",
                HostCacheError::Duplicate { index: 2 },
            ),
            (
                b"STHC\x01\x01\x01\x80\x80",
                HostCacheError::Address(AddressError::Empty),
            ),
            (b"STHC\x01\x01\x01\x81a\x81\x07", HostCacheError::BadName),
        ];
        for (bytes, error) in cases {
            assert_eq!(HostCache::from_bytes(bytes), Err(error), "{bytes:02x?}");
        }
        assert_eq!(
            HostCache::new().insert(address(1), &"n".repeat(127)),
            Err(HostCacheError::BadName)
        );
        let names: Vec<u8> = HostCache::from_bytes(one)
            .unwrap()
            .iter()
            .map(|(i, _)| i.get())
            .collect();
        assert_eq!(names, vec![7]);
    }
}
