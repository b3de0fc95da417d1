//! A small map of values: sorted pairs in one block of memory, as most maps hold a handful of entries and there are
//! many of them. Copies share the block until one of them is changed: the tags of a server are the same map in its
//! plan, in the call that creates it, in every reply and in the record.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::Value;

/// The key of an entry. Names are shared, see [`key`].
pub type Key = Arc<str>;

/// A map of values, ordered by key. A copy is as cheap as a counter; the first change of a shared map copies it.
#[derive(Clone, PartialEq, Eq)]
pub struct SmallMap<K>(
    /// Never an empty block.
    Option<Arc<[(K, Value)]>>,
);

/// A map of values by name.
pub type ValueMap = SmallMap<Key>;

/// Texts of late by hash: one copy serves all who ask for an equal text. Nobody can tell but by the memory it takes. Each
/// thread has its own, so that threads that work side by side do not count on the same counters.
struct Recent(Vec<Option<Arc<str>>>);

/// A text may be in so many places.
const WAYS: usize = 4;

impl Recent {
    fn new(sets: usize) -> Self {
        Self(vec![None; sets * WAYS])
    }

    fn get(&mut self, text: &str) -> Arc<str> {
        let hash = hash(text);
        let sets = self.0.len() / WAYS;
        let first = usize::try_from(hash >> 32).unwrap_or(0) % sets.max(1) * WAYS;
        let Some(set) = self.0.get_mut(first..first + WAYS) else { return Arc::from(text) };
        let is_it = |known: &&Arc<str>| ***known == *text;
        if let Some(known) = set.iter().flatten().find(is_it) {
            return known.clone();
        }
        let new: Arc<str> = Arc::from(text);
        let place = match set.iter().position(Option::is_none) {
            Some(empty) => empty,
            None => usize::try_from(hash >> 8).unwrap_or(0) % WAYS,
        };
        if let Some(place) = set.get_mut(place) {
            *place = Some(new.clone());
        }
        new
    }
}

/// Eight bytes at a time, each mixed in by a multiplication (FxHash). Only its upper half is any good.
fn hash(text: &str) -> u64 {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let hash = words.iter().fold(0, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    mix(hash, rest.iter().fold(0x80, |word, byte| (word << 8) | u64::from(*byte)))
}

thread_local! {
    /// Names of attributes, arguments and fields: a few hundred, which all have a place.
    static NAMES: RefCell<Recent> = RefCell::new(Recent::new(512));
    /// Other texts: many objects have the same type, zone, subnet and tags.
    static TEXTS: RefCell<Recent> = RefCell::new(Recent::new(128));
}

/// Longer texts are hardly ever the same as another.
const SHARED_LEN_MAX: usize = 64;

/// The key for a name: the same copy as any other for this name in this thread.
pub fn key(name: &str) -> Key {
    if name.len() > SHARED_LEN_MAX {
        return Arc::from(name);
    }
    NAMES.with_borrow_mut(|names| names.get(name))
}

/// The text as a shared one: the same copy as a recent equal text, if there is one.
pub fn text(text: &str) -> Arc<str> {
    if text.len() > SHARED_LEN_MAX {
        return Arc::from(text);
    }
    TEXTS.with_borrow_mut(|texts| texts.get(text))
}

/// How many maps are remembered.
const RECENT_MAPS_MAX: usize = 16;

thread_local! {
    /// Maps given to [`common`] lately, the latest first.
    static RECENT_MAPS: RefCell<VecDeque<ValueMap>> = const { RefCell::new(VecDeque::new()) };
}

/// The map as a shared one: the same copy as an equal one of late, if there is one. For maps that are built anew for
/// each object and are hardly ever different: disks, metadata options.
pub fn common(map: ValueMap) -> ValueMap {
    RECENT_MAPS.with_borrow_mut(|recent| {
        if let Some(known) = recent.iter().find(|known| **known == map) {
            return known.clone();
        }
        recent.truncate(RECENT_MAPS_MAX - 1);
        recent.push_front(map.clone());
        map
    })
}

impl<K> SmallMap<K> {
    /// An empty map.
    pub const fn new() -> Self {
        Self(None)
    }

    fn entries(&self) -> &[(K, Value)] {
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
    pub fn iter(&self) -> Iter<'_, K> {
        Iter(self.entries().iter())
    }

    /// Keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator + Clone {
        self.entries().iter().map(|(key, _)| key)
    }

    /// Values by key.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator + Clone {
        self.entries().iter().map(|(_, value)| value)
    }

    /// From entries that are sorted by key, each key once.
    fn from_sorted(pairs: Vec<(K, Value)>) -> Self {
        Self((!pairs.is_empty()).then(|| Arc::from(pairs)))
    }
}

impl<K: AsRef<str>> SmallMap<K> {
    fn search(&self, name: &str) -> Result<usize, usize> {
        self.entries().binary_search_by(|(key, _)| key.as_ref().cmp(name))
    }

    /// The value of `name`.
    pub fn get(&self, name: impl AsRef<str>) -> Option<&Value> {
        let at = self.search(name.as_ref()).ok()?;
        self.entries().get(at).map(|(_, value)| value)
    }

    /// True if there is an entry for `name`.
    pub fn contains_key(&self, name: impl AsRef<str>) -> bool {
        self.search(name.as_ref()).is_ok()
    }
}

impl<K: AsRef<str> + Clone> SmallMap<K> {
    fn entries_mut(&mut self) -> &mut [(K, Value)] {
        self.0.as_mut().map_or(&mut [], Arc::make_mut)
    }

    /// The value of `name`, to be changed.
    pub fn get_mut(&mut self, name: impl AsRef<str>) -> Option<&mut Value> {
        let at = self.search(name.as_ref()).ok()?;
        self.entries_mut().get_mut(at).map(|(_, value)| value)
    }

    /// Sets the value of `key`; returns the one it had. Who sets many uses [`Extend`].
    pub fn insert(&mut self, key: K, value: Value) -> Option<Value> {
        if let Some(known) = self.get_mut(&key) {
            return Some(std::mem::replace(known, value));
        }
        self.extend([(key, value)]);
        None
    }

    /// Sets the value of `key` unless it has one.
    pub fn insert_if_absent(&mut self, key: K, value: impl FnOnce() -> Value) {
        if !self.contains_key(&key) {
            self.extend([(key, value())]);
        }
    }

    /// Removes the entry of `name`; returns its value.
    pub fn remove(&mut self, name: impl AsRef<str>) -> Option<Value> {
        let at = self.search(name.as_ref()).ok()?;
        let mut pairs = self.entries().to_vec();
        let (_, value) = pairs.remove(at);
        *self = Self::from_sorted(pairs);
        Some(value)
    }

    /// Keeps the entries that `keep` says.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut Value) -> bool) {
        let mut pairs = self.entries().to_vec();
        pairs.retain_mut(|(key, value)| keep(key, value));
        *self = Self::from_sorted(pairs);
    }

    /// Values by key, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.entries_mut().iter_mut().map(|(_, value)| value)
    }
}

/// Panics if there is no entry, as the standard maps do.
impl<K: AsRef<str>, Q: AsRef<str> + ?Sized> std::ops::Index<&Q> for SmallMap<K> {
    type Output = Value;

    fn index(&self, name: &Q) -> &Value {
        self.get(name).expect("no entry found for key")
    }
}

/// Entries of a map, by key.
pub struct Iter<'a, K>(std::slice::Iter<'a, (K, Value)>);

impl<K> Clone for Iter<'_, K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<'a, K> Iterator for Iter<'a, K> {
    type Item = (&'a K, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K> DoubleEndedIterator for Iter<'_, K> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, value)| (key, value))
    }
}

impl<K> ExactSizeIterator for Iter<'_, K> {}

impl<'a, K> IntoIterator for &'a SmallMap<K> {
    type Item = (&'a K, &'a Value);
    type IntoIter = Iter<'a, K>;

    fn into_iter(self) -> Iter<'a, K> {
        self.iter()
    }
}

impl<K: Clone> IntoIterator for SmallMap<K> {
    type Item = (K, Value);
    type IntoIter = std::vec::IntoIter<(K, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries().to_vec().into_iter()
    }
}

impl<K: AsRef<str>> FromIterator<(K, Value)> for SmallMap<K> {
    fn from_iter<T: IntoIterator<Item = (K, Value)>>(entries: T) -> Self {
        let mut pairs: Vec<(K, Value)> = entries.into_iter().collect();
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

impl<K: AsRef<str>, const N: usize> From<[(K, Value); N]> for SmallMap<K> {
    fn from(entries: [(K, Value); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: AsRef<str> + Clone> Extend<(K, Value)> for SmallMap<K> {
    fn extend<T: IntoIterator<Item = (K, Value)>>(&mut self, entries: T) {
        let mut entries = entries.into_iter().peekable();
        if entries.peek().is_some() {
            *self = self.entries().iter().cloned().chain(entries).collect();
        }
    }
}

impl<K> Default for SmallMap<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: AsRef<str> + fmt::Debug> fmt::Debug for SmallMap<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: AsRef<str>> Serialize for SmallMap<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self {
            map.serialize_entry(key.as_ref(), value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for ValueMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor;

        impl<'de> Visitor<'de> for MapVisitor {
            type Value = ValueMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<ValueMap, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, value)) = access.next_entry::<std::borrow::Cow<'de, str>, Value>()? {
                    pairs.push((key(&name), value));
                }
                Ok(pairs.into_iter().collect())
            }
        }

        deserializer.deserialize_map(MapVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn common_names_are_shared() {
        assert!(Arc::ptr_eq(&key("vpc_id"), &key("vpc_id")));
        let long = "x".repeat(SHARED_LEN_MAX + 1);
        assert!(!Arc::ptr_eq(&text(&long), &text(&long)));
        assert!(Arc::ptr_eq(&text("t3.small"), &text("t3.small")));
        let (name, other) = (key("SubnetId"), text("subnet-0123456789abcdef0"));
        for number in 0..100_000 {
            text(&format!("i-{number:017x}"));
        }
        assert!(Arc::ptr_eq(&name, &key("SubnetId")), "texts do not drive names out");
        assert!(!Arc::ptr_eq(&other, &text(&other)), "texts drive out texts");
        for length in 0..40 {
            let text = "abcdefg\u{e9}hij".repeat(4).chars().take(length).collect::<String>();
            assert_eq!((&*key(&text), &*super::text(&text)), (&*text, &*text));
        }
        assert_eq!(*text("t3.medium"), *"t3.medium");
    }
}
