//! What of an object of ours is not ours: tags of others, rules and routes that the state records elsewhere, groups and
//! subnets of others, what is set on creation only. A plan leaves it as it is.

use std::sync::Arc;

use crate::identity;
use crate::map;
use crate::model::{Kind, OnChange};
use crate::ownership::{Direction, Elsewhere};
use crate::rules::{self, Rule};
use crate::value::{Value, ValueMap};

/// The tags of a map whose keys fit.
pub fn tags_where(tags: &Value, fits: impl Fn(&str) -> bool) -> Value {
    let entries = tags.as_map().into_iter().flatten().filter(|(key, _)| fits(key));
    Value::Map(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Of the tags that AWS shows those that are recorded as the object's own: keys that were, and keys of ours. The rest is in
/// `tags_all` alone, as Terraform has it: its provider's default tags, and what others put on the object.
pub fn own_tags(recorded: Option<&Value>, shown: &Value, is_ours: impl Fn(&str) -> bool) -> Value {
    match recorded.and_then(Value::as_map) {
        Some(recorded) => {
            tags_where(shown, |key| recorded.contains_key(key) || identity::is_identity(key) || is_ours(key))
        }
        None => shown.clone(),
    }
}

/// The tags that an object should have: those desired, and what others put on it. `is_removable` tells keys that aloka set
/// before and does not want any more.
pub fn with_tags_of_others(desired: &ValueMap, present: &Value, is_removable: impl Fn(&str) -> bool) -> ValueMap {
    let mut tags = desired.clone();
    for (key, value) in present.as_map().into_iter().flatten() {
        let is_old_form = identity::is_identity(key);
        if !desired.contains_key(key) && !is_old_form && !is_removable(key) {
            tags.insert(key.clone(), value.clone());
        }
    }
    tags
}

/// The direction of the attribute that lists rules.
fn direction(attribute: &str) -> Option<Direction> {
    [Direction::Ingress, Direction::Egress].into_iter().find(|direction| direction.attribute() == attribute)
}

/// Rules in this group that the state records elsewhere and nobody asked us to manage, as entries of Terraform's list:
/// those of `present` that `desired` lacks. With each the address that records it.
pub fn rules_of_others(
    attribute: &str,
    desired: &Value,
    present: &Value,
    own: Option<&str>,
    elsewhere: &Elsewhere,
) -> Vec<(String, Value)> {
    let (Some(direction), Some(group)) = (direction(attribute), own) else { return Vec::new() };
    let keys = |rules: &[Rule]| -> Vec<String> { rules.iter().map(Rule::key).collect() };
    let (desired, present) = (keys(&rules::explode(desired, own)), keys(&rules::explode(present, own)));
    let mut kept = Vec::new();
    for recorded in elsewhere.rules_of(group).iter().filter(|rule| rule.direction == direction && !rule.claimed) {
        let theirs = recorded.rules(own);
        let stays = |rule: &Rule| present.contains(&rule.key()) && !desired.contains(&rule.key());
        if theirs.iter().any(stays) {
            let entry = rules::narrowed(&recorded.entry, own, stays);
            kept.push((recorded.address.clone(), entry));
        }
    }
    kept
}

/// The present rules without those that the state records elsewhere, unless they are recorded here too.
pub fn without_rules(
    attribute: &str,
    recorded: &Value,
    present: &Value,
    own: Option<&str>,
    elsewhere: &Elsewhere,
) -> Value {
    let others = rules_of_others(attribute, recorded, present, own, elsewhere);
    let others: Vec<String> = others
        .iter()
        .flat_map(|(_, entry)| rules::explode(&Value::List(vec![entry.clone()]), own))
        .map(|rule| rule.key())
        .collect();
    if others.is_empty() {
        return present.clone();
    }
    let entries = present.as_list().unwrap_or_default().iter();
    let entries = entries.map(|entry| rules::narrowed(entry, own, |rule| !others.contains(&rule.key())));
    Value::List(entries.collect())
}

/// Identifiers of `present` that the state records elsewhere and `desired` lacks: other people's groups on a server,
/// other people's subnets in a group.
pub fn ids_of_others(desired: &Value, present: &Value, elsewhere: &Elsewhere) -> Vec<Arc<str>> {
    let desired = desired.as_list().unwrap_or_default();
    let others = present.as_list().unwrap_or_default().iter().filter(|id| !desired.contains(id));
    others.filter_map(Value::shared_str).filter(|id| elsewhere.address_of(id).is_some()).collect()
}

/// The present identifiers without those of others, unless they are recorded here too.
pub fn without_ids(recorded: &Value, present: &Value, elsewhere: &Elsewhere) -> Value {
    let others = ids_of_others(recorded, present, elsewhere);
    let is_ours = |id: &&Value| !id.as_str().is_some_and(|id| others.iter().any(|other| **other == *id));
    Value::List(present.as_list().unwrap_or_default().iter().filter(is_ours).cloned().collect())
}

/// Leaves what is set on creation only as it is, so that a change of something else does not record it as declared.
/// `names` are attributes that are so for this object besides those of its kind.
pub fn create_only(after: &mut ValueMap, present: &ValueMap, kind: Kind, names: &[&str]) {
    let of_kind = kind.attributes().iter().filter(|attribute| attribute.on_change == OnChange::CreateOnly);
    for name in of_kind.map(|attribute| attribute.name).chain(names.iter().copied()) {
        if let Some(value) = present.get(name).filter(|value| !value.is_null()) {
            after.insert(map::key(name), value.clone());
        }
    }
}
