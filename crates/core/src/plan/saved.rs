//! Whether a saved plan still holds: the plan that is made now, from its variables, the state and what AWS answers, must be the
//! same, as a whole.
//!
//! A saved plan is a file, and whoever can write it can write anything into it. So nothing of it is carried out: what is
//! carried out is the plan made now, once it is known to be the one that was saved and shown.

use super::{Change, Node, OutputChange, Plan};
use crate::state::Target;
use crate::value::Value;

/// One way in which the saved plan is not the one that is made now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The object, if it is about one.
    pub target: Option<Target>,
    /// What was and what is, as `` `name` was "a" and is "b" now ``.
    pub what: String,
}

fn about(target: &Target, what: impl Into<String>) -> Difference {
    Difference { target: Some(target.clone()), what: what.into() }
}

fn general(what: impl Into<String>) -> Difference {
    Difference { target: None, what: what.into() }
}

/// How the plan made now differs from the saved one; empty if it is the same. The hashes of secrets and what the state marks as
/// sensitive are not compared: a saved plan has neither.
pub fn differences(saved: &Plan, now: &Plan) -> Vec<Difference> {
    let now = &*now.masked();
    let place = |plan: &Plan| format!("{} in {}", plan.account.as_deref().unwrap_or("unknown account"), plan.region);
    if (&saved.account, &saved.region) != (&now.account, &now.region) {
        return vec![general(format!("it was made for {}, this is {}", place(saved), place(now)))];
    }
    let observed = observed(saved, now);
    if observed.is_empty() { followed(saved, now) } else { observed }
}

/// What AWS answers otherwise than when the plan was saved.
fn observed(saved: &Plan, now: &Plan) -> Vec<Difference> {
    let find = |plan: &'_ Plan, target: &Target| plan.changes.iter().position(|change| change.target == *target);
    let mut found = Vec::new();
    for change in &saved.changes {
        match find(now, &change.target).and_then(|index| now.changes.get(index)) {
            None if change.before.is_empty() => {}
            None => found.push(about(&change.target, "the object is not recorded any more")),
            Some(other) => found.extend(observed_otherwise(change, other).map(|why| about(&change.target, why))),
        }
    }
    for change in now.changes.iter().filter(|change| !change.before.is_empty()) {
        if find(saved, &change.target).is_none() {
            found.push(about(&change.target, "the object was not there when the plan was made"));
        }
    }
    found
}

/// The first attribute that differs.
fn observed_otherwise(saved: &Change, now: &Change) -> Option<String> {
    match (saved.before.is_empty(), now.before.is_empty()) {
        (false, true) => return Some("the object is gone".to_owned()),
        (true, false) => return Some("the object exists now".to_owned()),
        (true, true) | (false, false) => {}
    }
    let names = saved.before.keys().chain(now.before.keys());
    let null = Value::Null;
    names.into_iter().find_map(|name| {
        let was = saved.before.get(name).unwrap_or(&null);
        let is = now.before.get(name).unwrap_or(&null);
        (was != is).then(|| format!("`{name}` was {was} and is {is} now"))
    })
}

/// Where the saved plan is not what follows from its variables, the state and the answers, which are as they were: it was
/// changed after it was made, or another release made it.
fn followed(saved: &Plan, now: &Plan) -> Vec<Difference> {
    let Plan {
        mode,
        changes,
        drift,
        outputs,
        kept,
        notes,
        moves,
        blocked,
        nodes,
        around,
        choices,
        tag_keys,
        secrets: _,
        sensitive,
        account: _,
        region: _,
        lineage,
        serial,
    } = saved;
    let mut found: Vec<Difference> = Vec::new();
    let pairs = changes.iter().zip(&now.changes);
    let changed = pairs.filter(|(saved, now)| saved != now).map(|(saved, _)| &saved.target);
    found.extend(changed.map(|target| about(target, "its change is not the one that follows now")));
    if changes.len() != now.changes.len() {
        found.push(general(format!("it has {} changes, and {} follow now", changes.len(), now.changes.len())));
    }
    found.extend(calls(nodes, &now.nodes));
    found.extend(outputs_differ(outputs, &now.outputs));
    let rest = [
        (*mode == now.mode, "what it is for"),
        (*drift == now.drift, "the drift it tells of"),
        (*kept == now.kept, "what it leaves alone"),
        (*notes == now.notes, "its notes"),
        (*moves == now.moves, "its renamed addresses"),
        (*blocked == now.blocked, "what it says of VPC Block Public Access"),
        (*around == now.around, "its reads of what stands around"),
        (*choices == now.choices, "what it chose"),
        (*tag_keys == now.tag_keys, "its tags"),
        (*sensitive == now.sensitive, "what it does not show"),
        (*lineage == now.lineage, "its lineage"),
        (*serial == now.serial, "its serial"),
    ];
    let rest = rest.into_iter().filter(|(is_same, _)| !is_same);
    found.extend(rest.map(|(_, what)| general(format!("{what} is not what follows now"))));
    found
}

/// The first objects whose calls differ.
fn calls(saved: &[Node], now: &[Node]) -> Vec<Difference> {
    let pairs = saved.iter().zip(now).filter(|(saved, now)| saved != now);
    let mut found: Vec<Difference> =
        pairs.map(|(saved, _)| about(&saved.target, "its calls are not the ones that follow now")).collect();
    if saved.len() != now.len() {
        found.push(general(format!("it has {} steps, and {} follow now", saved.len(), now.len())));
    }
    found
}

fn outputs_differ(saved: &[OutputChange], now: &[OutputChange]) -> Option<Difference> {
    (saved != now).then(|| general("its outputs are not the ones that follow now"))
}
