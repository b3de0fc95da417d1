//! A bucket and a table as far as they keep a state: what S3 and DynamoDB promise of conditional writes, and no more.
//!
//! Every request takes effect at once and whole, or not at all. It knows nothing of states, locks or time.
//! Sources: the API references of PutObject, DeleteObject (`If-Match`, `If-None-Match`) and PutItem, DeleteItem
//! (`ConditionExpression`); tried on emulators, see docs/TESTING.md.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};

/// On what a request depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// On nothing.
    Always,
    /// Nothing is there: `If-None-Match: *`, `attribute_not_exists`.
    Absent,
    /// Exactly this is there: `If-Match` with a tag; for an item, its value.
    Is(&'a str),
}

impl Condition<'_> {
    fn holds(self, there: Option<&str>) -> bool {
        match self {
            Self::Always => true,
            Self::Absent => there.is_none(),
            Self::Is(wanted) => there == Some(wanted),
        }
    }
}

/// The condition did not hold; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something else is there: HTTP 412, `ConditionalCheckFailedException`.
    #[error("PreconditionFailed")]
    PreconditionFailed,
    /// Nothing is there, and something was to be: HTTP 404.
    #[error("NoSuchKey")]
    NoSuchKey,
}

/// One version of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// What is in it.
    pub body: Vec<u8>,
    /// User metadata.
    pub metadata: BTreeMap<String, String>,
    /// The ETag: the same for the same bytes, whoever wrote them.
    pub tag: String,
}

/// Objects by key, with all their versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bucket {
    /// Oldest first; `None` is a delete marker.
    versions: BTreeMap<String, Vec<Option<Object>>>,
    forgets: bool,
}

impl Bucket {
    /// An empty bucket that keeps versions.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty bucket without versioning.
    pub fn unversioned() -> Self {
        Self { forgets: true, ..Self::default() }
    }

    /// The current version.
    pub fn get(&self, key: &str) -> Option<&Object> {
        self.versions.get(key)?.last()?.as_ref()
    }

    /// All versions that were kept, with their numbers, the newest first; `None` is a delete marker.
    pub fn versions(&self, key: &str) -> Vec<(usize, Option<&Object>)> {
        let versions = self.versions.get(key).map(Vec::as_slice).unwrap_or_default();
        versions.iter().map(Option::as_ref).enumerate().rev().collect()
    }

    /// Stores an object, and gives its tag.
    ///
    /// # Errors
    /// When the condition does not hold.
    pub fn put(
        &mut self,
        key: &str,
        body: Vec<u8>,
        metadata: BTreeMap<String, String>,
        condition: Condition<'_>,
    ) -> Result<String, Refusal> {
        self.check(key, condition)?;
        let tag = tag(&body);
        self.append(key, Some(Object { body, metadata, tag: tag.clone() }));
        Ok(tag)
    }

    /// Deletes an object; one that is not there is deleted already.
    ///
    /// # Errors
    /// When the condition does not hold.
    pub fn delete(&mut self, key: &str, condition: Condition<'_>) -> Result<(), Refusal> {
        self.check(key, condition)?;
        if self.get(key).is_some() {
            self.append(key, None);
        }
        Ok(())
    }

    fn check(&self, key: &str, condition: Condition<'_>) -> Result<(), Refusal> {
        let there = self.get(key).map(|object| object.tag.as_str());
        match (condition.holds(there), condition, there) {
            (true, _, _) => Ok(()),
            (false, Condition::Is(_), None) => Err(Refusal::NoSuchKey),
            (false, _, _) => Err(Refusal::PreconditionFailed),
        }
    }

    /// The keys of the objects there are, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.versions
            .iter()
            .filter(|(_, versions)| versions.last().is_some_and(Option::is_some))
            .map(|(key, _)| key.as_str())
    }

    fn append(&mut self, key: &str, version: Option<Object>) {
        if self.forgets {
            match version {
                Some(_) => self.versions.insert(key.to_owned(), vec![version]),
                None => self.versions.remove(key),
            };
        } else {
            self.versions.entry(key.to_owned()).or_default().push(version);
        }
    }
}

fn tag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// Items with one text each.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Table {
    items: BTreeMap<String, String>,
}

impl Table {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// The item, as a consistent read shows it.
    pub fn get(&self, id: &str) -> Option<&str> {
        self.items.get(id).map(String::as_str)
    }

    /// Stores an item.
    ///
    /// # Errors
    /// When the condition does not hold.
    pub fn put(&mut self, id: &str, text: &str, condition: Condition<'_>) -> Result<(), Refusal> {
        self.check(id, condition)?;
        self.items.insert(id.to_owned(), text.to_owned());
        Ok(())
    }

    /// Deletes an item; one that is not there is deleted already.
    ///
    /// # Errors
    /// When the condition does not hold.
    pub fn delete(&mut self, id: &str, condition: Condition<'_>) -> Result<(), Refusal> {
        self.check(id, condition)?;
        self.items.remove(id);
        Ok(())
    }

    fn check(&self, id: &str, condition: Condition<'_>) -> Result<(), Refusal> {
        if condition.holds(self.get(id)) { Ok(()) } else { Err(Refusal::PreconditionFailed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(bucket: &mut Bucket, body: &str, condition: Condition<'_>) -> Result<String, Refusal> {
        bucket.put("k", body.as_bytes().to_vec(), BTreeMap::new(), condition)
    }

    #[test]
    fn an_object_changes_only_if_its_condition_holds() {
        for mut bucket in [Bucket::new(), Bucket::unversioned()] {
            assert_eq!(put(&mut bucket, "a", Condition::Is("x")), Err(Refusal::NoSuchKey));
            let first = put(&mut bucket, "a", Condition::Absent).expect("free");
            assert_eq!(put(&mut bucket, "b", Condition::Absent), Err(Refusal::PreconditionFailed));
            assert_eq!(put(&mut bucket, "b", Condition::Is("x")), Err(Refusal::PreconditionFailed));
            let second = put(&mut bucket, "b", Condition::Is(&first)).expect("it is the first");
            assert_eq!(put(&mut bucket, "c", Condition::Is(&first)), Err(Refusal::PreconditionFailed));
            assert_eq!(bucket.get("k").map(|object| object.body.as_slice()), Some(&b"b"[..]));
            assert_eq!(bucket.delete("k", Condition::Is(&first)), Err(Refusal::PreconditionFailed));
            assert_eq!(bucket.delete("k", Condition::Is(&second)), Ok(()));
            assert_eq!(bucket.get("k"), None);
            assert_eq!(bucket.delete("k", Condition::Always), Ok(()));
            assert!(put(&mut bucket, "a", Condition::Absent).is_ok(), "a delete marker is no object");
        }
    }

    #[test]
    fn versions_are_kept() {
        let mut bucket = Bucket::new();
        for body in ["a", "b", "a"] {
            put(&mut bucket, body, Condition::Always).expect("no condition");
        }
        bucket.delete("k", Condition::Always).expect("no condition");
        let versions = bucket.versions("k");
        let bodies: Vec<_> = versions.iter().map(|(_, object)| object.map(|o| o.body.clone())).collect();
        assert_eq!(bodies, [None, Some(b"a".to_vec()), Some(b"b".to_vec()), Some(b"a".to_vec())]);
        assert_eq!(versions[1].1.map(|o| &o.tag), versions[3].1.map(|o| &o.tag), "the same bytes, the same tag");
    }

    #[test]
    fn an_item_changes_only_if_its_condition_holds() {
        let mut table = Table::new();
        assert_eq!(table.put("id", "a", Condition::Is("x")), Err(Refusal::PreconditionFailed));
        assert_eq!(table.put("id", "a", Condition::Absent), Ok(()));
        assert_eq!(table.put("id", "b", Condition::Absent), Err(Refusal::PreconditionFailed));
        assert_eq!(table.put("id", "b", Condition::Is("a")), Ok(()));
        assert_eq!(table.delete("id", Condition::Is("a")), Err(Refusal::PreconditionFailed));
        assert_eq!(table.delete("id", Condition::Is("b")), Ok(()));
        assert_eq!(table.get("id"), None);
    }
}
