//! A small map: sorted pairs in one block of memory, as most maps hold a handful of entries and there are many of them.
//! Copies share the block until one of them is changed: the tags of a server are the same map in its plan, in the call that
//! creates it, in every reply and in the record.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::intern::key;

/// A map, ordered by key. A copy is as cheap as a counter; the first change of a shared map copies it.
#[derive(Clone, PartialEq, Eq)]
pub struct SmallMap<K, V>(
    /// Never an empty block.
    Option<Arc<[(K, V)]>>,
);

impl<K, V> SmallMap<K, V> {
    /// An empty map.
    pub const fn new() -> Self {
        Self(None)
    }

    fn entries(&self) -> &[(K, V)] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// True if there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Entries by key.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter(self.entries().iter())
    }

    /// Keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator + Clone {
        self.entries().iter().map(|(key, _)| key)
    }

    /// Values by key.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator + Clone {
        self.entries().iter().map(|(_, value)| value)
    }

    /// From entries that are sorted by key, each key once.
    fn from_sorted(pairs: Vec<(K, V)>) -> Self {
        Self((!pairs.is_empty()).then(|| Arc::from(pairs)))
    }
}

impl<K: AsRef<str>, V> SmallMap<K, V> {
    fn search(&self, name: &str) -> Result<usize, usize> {
        self.entries().binary_search_by(|(key, _)| key.as_ref().cmp(name))
    }

    /// The value of `name`.
    pub fn get(&self, name: impl AsRef<str>) -> Option<&V> {
        let at = self.search(name.as_ref()).ok()?;
        self.entries().get(at).map(|(_, value)| value)
    }

    /// True if there is an entry for `name`.
    pub fn contains_key(&self, name: impl AsRef<str>) -> bool {
        self.search(name.as_ref()).is_ok()
    }
}

impl<K: AsRef<str> + Clone, V: Clone> SmallMap<K, V> {
    fn entries_mut(&mut self) -> &mut [(K, V)] {
        self.0.as_mut().map_or(&mut [], Arc::make_mut)
    }

    /// The value of `name`, to be changed.
    pub fn get_mut(&mut self, name: impl AsRef<str>) -> Option<&mut V> {
        let at = self.search(name.as_ref()).ok()?;
        self.entries_mut().get_mut(at).map(|(_, value)| value)
    }

    /// Sets the value of `key`; returns the one it had. Who sets many uses [`Extend`].
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let Some(known) = self.get_mut(&key) {
            return Some(std::mem::replace(known, value));
        }
        self.extend([(key, value)]);
        None
    }

    /// Sets the value of `key` unless it has one.
    pub fn insert_if_absent(&mut self, key: K, value: impl FnOnce() -> V) {
        if !self.contains_key(&key) {
            self.extend([(key, value())]);
        }
    }

    /// Removes the entry of `name`; returns its value.
    pub fn remove(&mut self, name: impl AsRef<str>) -> Option<V> {
        let at = self.search(name.as_ref()).ok()?;
        let mut pairs = self.entries().to_vec();
        let (_, value) = pairs.remove(at);
        *self = Self::from_sorted(pairs);
        Some(value)
    }

    /// Keeps the entries that `keep` says.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        let mut pairs = self.entries().to_vec();
        pairs.retain_mut(|(key, value)| keep(key, value));
        *self = Self::from_sorted(pairs);
    }

    /// Values by key, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries_mut().iter_mut().map(|(_, value)| value)
    }
}

/// Panics if there is no entry, as the standard maps do.
impl<K: AsRef<str>, V, Q: AsRef<str> + ?Sized> std::ops::Index<&Q> for SmallMap<K, V> {
    type Output = V;

    fn index(&self, name: &Q) -> &V {
        self.get(name).expect("no entry found for key")
    }
}

/// Entries of a map, by key.
pub struct Iter<'a, K, V>(std::slice::Iter<'a, (K, V)>);

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, value)| (key, value))
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

impl<'a, K, V> IntoIterator for &'a SmallMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        self.iter()
    }
}

impl<K: Clone, V: Clone> IntoIterator for SmallMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries().to_vec().into_iter()
    }
}

impl<K: AsRef<str>, V> FromIterator<(K, V)> for SmallMap<K, V> {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(entries: T) -> Self {
        let mut pairs: Vec<(K, V)> = entries.into_iter().collect();
        if !pairs.is_sorted_by(|a, b| a.0.as_ref() < b.0.as_ref()) {
            pairs.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref()));
            // Of entries with the same key the last one counts.
            pairs.dedup_by(|later, kept| {
                let same = later.0.as_ref() == kept.0.as_ref();
                if same {
                    std::mem::swap(later, kept);
                }
                same
            });
        }
        Self::from_sorted(pairs)
    }
}

impl<K: AsRef<str>, V, const N: usize> From<[(K, V); N]> for SmallMap<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: AsRef<str> + Clone, V: Clone> Extend<(K, V)> for SmallMap<K, V> {
    fn extend<T: IntoIterator<Item = (K, V)>>(&mut self, entries: T) {
        let mut entries = entries.into_iter().peekable();
        if entries.peek().is_some() {
            *self = self.entries().iter().cloned().chain(entries).collect();
        }
    }
}

impl<K, V> Default for SmallMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: AsRef<str> + fmt::Debug, V: fmt::Debug> fmt::Debug for SmallMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: AsRef<str>, V: Serialize> Serialize for SmallMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self {
            map.serialize_entry(key.as_ref(), value)?;
        }
        map.end()
    }
}

/// The keys are interned.
impl<'de, V: Deserialize<'de>> Deserialize<'de> for SmallMap<Arc<str>, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for MapVisitor<V> {
            type Value = SmallMap<Arc<str>, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, value)) = access.next_entry::<std::borrow::Cow<'de, str>, V>()? {
                    pairs.push((key(&name), value));
                }
                Ok(pairs.into_iter().collect())
            }
        }

        deserializer.deserialize_map(MapVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{ValueMap, common};

    #[test]
    fn behaves_as_a_map() {
        let map: ValueMap = [("b", 1), ("a", 2), ("b", 3)].into_iter().map(|(k, v)| (key(k), v.into())).collect();
        assert_eq!(map.keys().map(|k| &**k).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(map.get("b"), Some(&3.into()), "the last one counts");
        let mut other = map.clone();
        assert_eq!(other.insert(key("b"), 4.into()), Some(3.into()));
        assert_eq!(other.insert(key("c"), 5.into()), None);
        assert_eq!(other.remove("a"), Some(2.into()));
        assert_eq!(format!("{other:?}"), r#"{"b": Number(Number(4)), "c": Number(Number(5))}"#);
        assert_ne!(map, other);
        other.retain(|key, _| &**key == "b");
        assert_eq!(other.remove("b"), Some(4.into()));
        assert_eq!((other.is_empty(), &other), (true, &ValueMap::new()), "an emptied map is an empty one");
    }

    #[test]
    fn copies_share_until_one_is_changed() {
        let map: ValueMap = ["a", "b"].map(|name| (key(name), 1.into())).into();
        let mut copy = map.clone();
        assert!(std::ptr::eq(map.entries(), copy.entries()));
        copy.insert(key("a"), 2.into());
        assert_eq!((map.get("a"), copy.get("a")), (Some(&1.into()), Some(&2.into())));
        let equal: ValueMap = ["a", "b"].map(|name| (key(name), 1.into())).into();
        assert!(!std::ptr::eq(map.entries(), equal.entries()));
        assert!(std::ptr::eq(common(map).entries(), common(equal).entries()));
    }
}
