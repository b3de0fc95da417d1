//! Whose each tag of an object of ours is. Terraform records an object's own tags in `tags` and all it has in `tags_all`, and so
//! does aloka. A key that only `tags_all` has is somebody else's: of the `default_tags` of Terraform's provider, or of who put
//! it on the object. Such a tag stays, is never taken off, and is never recorded in `tags`, as Terraform would plan to take it
//! from there again.

use std::sync::Arc;

use crate::identity;
use crate::value::{Value, ValueMap};

pub use crate::resource::{ALL_TAGS as ALL, OWN_TAGS as OWN};

fn map_of<'a>(attributes: &'a ValueMap, name: &str) -> Option<&'a ValueMap> {
    attributes.get(name).and_then(Value::as_map)
}

/// The tags of a map whose keys fit.
pub fn only(tags: &Value, fits: impl Fn(&str) -> bool) -> Value {
    let entries = tags.as_map().into_iter().flatten().filter(|(key, _)| fits(key));
    Value::Map(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// True if these attributes say that the tag is somebody else's.
pub fn is_theirs(attributes: &ValueMap, key: &str) -> bool {
    let has = |name| map_of(attributes, name).is_some_and(|tags| tags.contains_key(key));
    has(ALL) && !has(OWN) && !identity::is_identity(key)
}

/// Of the tags that AWS shows those that are the object's own: the recorded ones, those that identify it, and those that
/// `is_ours` tells aloka has set, unless they were somebody else's before. Of an object of which no tags are recorded, all.
pub fn own(recorded: &ValueMap, shown: &Value, is_ours: impl Fn(&str) -> bool) -> Value {
    if map_of(recorded, OWN).is_none() && map_of(recorded, ALL).is_none() {
        return shown.clone();
    }
    let is_recorded = |key: &str| map_of(recorded, OWN).is_some_and(|tags| tags.contains_key(key));
    only(shown, |key| is_recorded(key) || identity::is_identity(key) || (is_ours(key) && !is_theirs(recorded, key)))
}

/// The own tags that an object should have: those desired, and what else is on it. What somebody else has set is left to them,
/// unless the variables name the key (`is_named`) and want another value. `is_removable` tells keys that aloka set before
/// and does not want any more.
pub fn desired(
    desired: &ValueMap,
    present: &ValueMap,
    is_named: impl Fn(&str) -> bool,
    is_removable: impl Fn(&str) -> bool,
) -> ValueMap {
    let all = map_of(present, ALL);
    let is_left = |key: &str, value: &Value| {
        is_theirs(present, key) && !(is_named(key) && all.and_then(|all| all.get(key)) != Some(value))
    };
    let mut tags: ValueMap = desired
        .iter()
        .filter(|(key, value)| !is_left(key, value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    for (key, value) in map_of(present, OWN).into_iter().flatten() {
        if !desired.contains_key(key) && !identity::is_identity(key) && !is_removable(key) {
            tags.insert(key.clone(), value.clone());
        }
    }
    tags
}

/// All tags of an object whose own ones are these from now on: those of others stay.
pub fn all(attributes: &ValueMap, own: &Value) -> Value {
    let others = map_of(attributes, ALL).into_iter().flatten();
    let others = others.filter(|(key, _)| is_theirs(attributes, key) && !key.starts_with("aws:"));
    let own = own.as_map().into_iter().flatten();
    Value::Map(others.chain(own).map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// What is recorded of an object with these attributes once it has these tags: those of others are not among its own.
pub fn recorded(attributes: &ValueMap, wanted: &Value) -> [(Arc<str>, Value); 2] {
    let own = only(wanted, |key| !is_theirs(attributes, key));
    [(crate::intern::key(OWN), own), (crate::intern::key(ALL), all(attributes, wanted))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(own: &[&str], others: &[&str]) -> ValueMap {
        let tags = |keys: &mut dyn Iterator<Item = &&str>| Value::map(keys.map(|key| (*key, Value::str("old"))));
        ValueMap::from([
            (crate::intern::key(OWN), tags(&mut own.iter())),
            (crate::intern::key(ALL), tags(&mut own.iter().chain(others))),
        ])
    }

    fn keys(tags: &Value) -> Vec<&str> {
        tags.as_map().into_iter().flatten().map(|(key, _)| &**key).collect()
    }

    /// Each key by where it is recorded and what is wanted of it: the keys of the own tags that are wanted then.
    #[test]
    fn a_tag_of_others_is_neither_taken_off_nor_taken_over() {
        let present = record(&["Name", "Old"], &["CostCenter", "Project", "Team"]);
        let wanted = Value::map([
            ("Name", Value::str("new")),
            ("Project", Value::str("ours")),
            ("Team", Value::str("web")),
            ("aloka-address", Value::str("x")),
        ]);
        let all_wanted = wanted.as_map().expect("a map");
        let result = Value::Map(desired(all_wanted, &present, |key| key == "Team", |key| key == "Old"));
        assert_eq!(keys(&result), ["Name", "Team", "aloka-address"]);
        // The same value is no change, named or not.
        let same = Value::map([("Team", Value::str("old"))]);
        let result = desired(same.as_map().expect("a map"), &present, |_| true, |_| true);
        assert!(result.is_empty(), "{result:?}");
    }

    #[test]
    fn what_is_recorded_tells_own_tags_from_those_of_others() {
        let present = record(&["Name"], &["CostCenter", "Team", "aws:cloudformation:stack-name"]);
        let wanted = Value::map([("Name", Value::str("new")), ("Team", Value::str("web"))]);
        let [(_, own), (_, all)] = recorded(&present, &wanted);
        assert_eq!((keys(&own), keys(&all)), (vec!["Name"], vec!["CostCenter", "Name", "Team"]));
        assert_eq!(all.get("Team").as_str(), Some("web"));
    }

    /// Terraform records null where no tags are configured, and leaves out what `ignore_tags` names.
    #[test]
    fn of_what_aws_shows_the_own_tags_are_told_by_the_record() {
        let shown = Value::map(["Name", "CostCenter", "Fresh", "aloka-lineage"].map(|key| (key, Value::str("v"))));
        let is_ours = |key: &str| matches!(key, "CostCenter" | "Fresh");
        let null = || (crate::intern::key(OWN), Value::Null);
        let all = || (crate::intern::key(ALL), Value::map([("CostCenter", Value::str("v"))]));
        for (recorded, expected) in [
            (ValueMap::new(), vec!["CostCenter", "Fresh", "Name", "aloka-lineage"]),
            (ValueMap::from([null()]), vec!["CostCenter", "Fresh", "Name", "aloka-lineage"]),
            (ValueMap::from([null(), all()]), vec!["Fresh", "aloka-lineage"]),
            (record(&["Name"], &["CostCenter"]), vec!["Fresh", "Name", "aloka-lineage"]),
            (record(&["Name", "CostCenter"], &[]), vec!["CostCenter", "Fresh", "Name", "aloka-lineage"]),
        ] {
            assert_eq!(keys(&own(&recorded, &shown, is_ours)), expected, "{recorded:?}");
        }
    }
}
