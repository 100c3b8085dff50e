use core::fmt;

use super::Value;

/// Values by name, in the order in which they are written: of the names' UTF-8 bytes
/// (`docs/spec/stt-value.md` §2.2).
///
/// One sorted run of pairs: reading one is pushing to its end. To build a large one in another
/// order collect an iterator, which sorts once; [`Dict::insert`] moves what comes after.
#[derive(Clone, Default, PartialEq)]
pub struct Dict {
    pairs: Vec<(String, Value)>,
}

impl Dict {
    /// A dict of nothing.
    pub const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            pairs: Vec::with_capacity(capacity),
        }
    }

    /// Sets the value of `key`; gives the one that it had.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        match self.position(&key) {
            Ok(at) => Some(core::mem::replace(&mut self.pairs[at].1, value)),
            Err(at) => {
                self.pairs.insert(at, (key, value));
                None
            }
        }
    }

    /// Adds a pair whose key is over all that there are.
    pub(super) fn push(&mut self, key: String, value: Value) {
        debug_assert!(self.pairs.last().is_none_or(|(last, _)| *last < key));
        self.pairs.push((key, value));
    }

    /// Takes the value of `key` out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.position(key).ok()?;
        Some(self.pairs.remove(at).1)
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let at = self.position(key).ok()?;
        Some(&self.pairs[at].1)
    }

    /// The pairs, sorted by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.pairs.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.pairs
            .binary_search_by(|(have, _)| have.as_str().cmp(key))
    }
}

impl FromIterator<(String, Value)> for Dict {
    /// Of two pairs with one key the later stays.
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(pairs: I) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        // Stable: of equal keys the last is the one that came last.
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        pairs.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                core::mem::swap(later, earlier);
            }
            same
        });
        Self { pairs }
    }
}

impl IntoIterator for Dict {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.pairs.into_iter()
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_and_each_key_once() {
        let pairs = [("b", 1), ("a", 2), ("b", 3), ("", 4), ("é", 5), ("z", 6)];
        let collected: Dict = pairs
            .iter()
            .map(|&(key, value)| (key.to_owned(), Value::from(value)))
            .collect();
        let mut inserted = Dict::new();
        for (key, value) in pairs {
            inserted.insert(key, value);
        }
        assert_eq!(collected, inserted);
        let keys: Vec<&str> = collected.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["", "a", "b", "z", "é"]);
        assert_eq!(collected.get("b"), Some(&Value::I64(3)));
        assert_eq!(inserted.remove("b"), Some(Value::I64(3)));
        assert_eq!(inserted.get("b"), None);
        assert_eq!(inserted.insert("a", true), Some(Value::I64(2)));
        assert_eq!((inserted.len(), inserted.is_empty()), (4, false));
    }
}
