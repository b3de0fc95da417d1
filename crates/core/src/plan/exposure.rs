//! Who can reach what before a plan and after it: part of what a plan says.

use std::collections::BTreeMap;

use super::{Action, Mode, Plan};
use crate::address::Address;
use crate::model::Kind;
use crate::network;
use crate::value::ValueMap;

/// Stacks with more servers are not described: the servers are all alike, and the description would not be read.
const SERVERS_MAX: usize = 64;

/// The lines for people: who can reach what once the plan is applied, then what opens and what closes by it.
pub fn lines(plan: &Plan) -> Vec<String> {
    let (before, after) = worlds(plan);
    let servers = after.keys().chain(before.keys()).filter(|address| address.kind == Kind::Instance).count();
    let has_groups = before.keys().chain(after.keys()).any(|address| address.kind == Kind::SecurityGroup);
    if plan.mode == Mode::RefreshOnly || servers > 2 * SERVERS_MAX || !has_groups {
        return Vec::new();
    }
    let (before, after) = (network::report(&before), network::report(&after));
    let mut lines = network::describe(&after);
    lines.extend(network::change(&before, &after));
    lines
}

/// Resources as they are, and as they will be.
fn worlds(plan: &Plan) -> (BTreeMap<Address, ValueMap>, BTreeMap<Address, ValueMap>) {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    for change in plan.changes.iter().filter(|change| change.target.deposed.is_none()) {
        let address = &change.target.address;
        if !change.before.is_empty() {
            before.insert(address.clone(), ValueMap::clone(&change.before));
        }
        match change.action {
            Action::NoOp | Action::Update => {
                let mut merged = ValueMap::clone(&change.before);
                merged.extend(change.after.iter().map(|(name, value)| (name.clone(), value.clone())));
                after.insert(address.clone(), merged);
            }
            Action::Create | Action::Replace(_) => {
                after.insert(address.clone(), ValueMap::clone(&change.after));
            }
            Action::Delete | Action::Forget => {}
        }
    }
    (before, after)
}
