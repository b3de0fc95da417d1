//! Objects and the tags that tell whose they are.

use std::collections::{BTreeMap, BTreeSet};

use aloka_core::value::Value;

use super::World;

/// EC2's resource type of a volume.
const VOLUME: &str = "volume";

/// An object in the account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// EC2's resource type, or `db`, `db-subnet-group`.
    pub kind: &'static str,
    /// Its id, identifier or name.
    pub id: String,
    /// The state that owns it (tag `aloka-lineage`).
    pub lineage: Option<String>,
    /// What it is there (tag `aloka-address`), as the tag has it.
    pub address: Option<String>,
    /// How many there were before it (tag `aloka-generation`).
    pub generation: Option<String>,
}

impl Object {
    pub(super) fn of(kind: &'static str, id: &str, tags: &Value) -> Self {
        let tag = |key| tags.get(key).as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            kind,
            id: id.to_owned(),
            lineage: tag("aloka-lineage"),
            address: tag("aloka-address"),
            generation: tag("aloka-generation"),
        }
    }
}

impl World {
    /// Objects that lack any of the three identity tags: nobody's, if the account is ours alone.
    pub fn untagged(&self) -> Vec<&Object> {
        let lacks = |o: &&Object| o.lineage.is_none() || o.address.is_none() || o.generation.is_none();
        self.objects.iter().filter(lacks).collect()
    }

    /// Sets of two or more objects that exist at once and say they are the same address of the same lineage. Such a
    /// set is legitimate only while a replacement is under way that makes the new object first. An instance's volume
    /// has the instance's tags, and is compared with volumes only.
    pub fn duplicates(&self) -> Vec<Vec<&Object>> {
        let mut same: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for object in &self.objects {
            if let (Some(lineage), Some(address)) = (&object.lineage, &object.address) {
                same.entry((lineage, address, object.kind == VOLUME)).or_default().push(object);
            }
        }
        same.into_values().filter(|objects| objects.len() > 1).collect()
    }

    /// The objects that say they belong to `lineage`.
    pub fn owned_by<'a>(&'a self, lineage: &'a str) -> impl Iterator<Item = &'a Object> {
        self.objects.iter().filter(move |object| object.lineage.as_deref() == Some(lineage))
    }

    /// Objects that nobody's state answers for, one sentence each: those that say they belong to `lineage` but are not
    /// in `recorded`, and those that say they belong to nobody. `recorded` holds identifiers, and names where AWS knows
    /// an object by its name; the volume of a recorded instance is recorded by its own identifier or not at all, so
    /// volumes are left to [`World::leaks`].
    pub fn orphans(&self, lineage: &str, recorded: &BTreeSet<String>) -> Vec<String> {
        let objects = self.objects.iter().filter(|object| object.kind != VOLUME && !recorded.contains(&object.id));
        let told = objects.filter_map(|object| {
            let Object { kind, id, .. } = object;
            let address = object.address.as_deref().unwrap_or("an unknown address");
            match object.lineage.as_deref() {
                Some(own) if own == lineage => Some(format!("{kind} {id} says it is {address}, and is not recorded")),
                Some(_) => None,
                None => Some(format!("{kind} {id} belongs to nobody")),
            }
        });
        told.collect()
    }

    /// Recorded identifiers and names that no object in the account has.
    pub fn missing<'a>(&self, recorded: &'a BTreeSet<String>) -> Vec<&'a str> {
        let there: BTreeSet<&str> = self.objects.iter().map(|object| object.id.as_str()).collect();
        recorded.iter().map(String::as_str).filter(|id| !there.contains(id)).collect()
    }
}
