//! What of an object of ours is not ours beside its [`tags`]: rules and routes that the state records elsewhere, groups and
//! subnets of others, what is set on creation only. A plan leaves it as it is.

use std::sync::Arc;

use super::tags;
use crate::intern;
use crate::kind::Kind;
use crate::ownership::{Direction, Elsewhere};
use crate::resource::OnChange;
use crate::rules::{self, Rule};
use crate::value::{Value, ValueMap};

/// What AWS shows of an attribute, in the form in which the record has it: where both say the same, the record stays as whoever
/// wrote it has it, so that neither tool sees a change in the other's words. `is_ours` tells keys of tags that aloka has set.
pub fn as_recorded(name: &str, recorded: &ValueMap, shown: Value, is_ours: impl Fn(&str) -> bool) -> Value {
    let before = recorded.get(name);
    match name {
        tags::OWN => tags::own(recorded, &shown, is_ours),
        // Terraform keeps a version as it is configured, `15`, and has what runs in `engine_version_actual`.
        "engine_version" => {
            let names =
                |before: &str| shown.as_str().and_then(|now| now.strip_prefix(before)?.strip_prefix('.')).is_some();
            before.filter(|before| before.as_str().is_some_and(names)).cloned().unwrap_or(shown)
        }
        _ => with_recorded_keys(shown, before),
    }
}

/// A block (a list of one map) with what only the record has of it: Terraform records more of some than is read here.
fn with_recorded_keys(shown: Value, recorded: Option<&Value>) -> Value {
    if let (Value::List(now), Some(Value::List(before))) = (&shown, recorded)
        && let ([Value::Map(now)], [Value::Map(before)]) = (now.as_slice(), before.as_slice())
        && before.keys().any(|key| !now.contains_key(key))
    {
        let mut whole = before.clone();
        whole.extend(now.iter().map(|(key, value)| (key.clone(), value.clone())));
        return Value::List(vec![Value::Map(whole)]);
    }
    shown
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

/// Gives the successor of an object the description that it has: AWS takes another one for a group on creation only, and so
/// Terraform would replace it for the description that aloka prefers.
pub fn description(after: &mut ValueMap, present: &ValueMap) {
    const NAME: &str = "description";
    if let Some(description) = present.get(NAME).filter(|value| value.as_str().is_some() && after.contains_key(NAME)) {
        after.insert(intern::key(NAME), description.clone());
    }
}

/// Leaves what is set on creation only as it is, so that a change of something else does not record it as declared.
/// `names` are attributes that are so for this object besides those of its kind.
pub fn create_only(after: &mut ValueMap, present: &ValueMap, kind: Kind, names: &[&str]) {
    let of_kind = kind.attributes().iter().filter(|attribute| attribute.on_change == OnChange::CreateOnly);
    for name in of_kind.map(|attribute| attribute.name).chain(names.iter().copied()) {
        if let Some(value) = present.get(name).filter(|value| !value.is_null()) {
            after.insert(intern::key(name), value.clone());
        }
    }
}
