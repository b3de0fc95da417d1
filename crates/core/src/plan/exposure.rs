//! Who can reach what before a plan and after it: part of what a plan says.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Action, Mode, Plan, refusal};
use crate::address::Address;
use crate::intern;
use crate::kind::Kind;
use crate::network::{self, BLOCK_MODE, Block};
use crate::ownership::Direction;
use crate::secret::SENSITIVE;
use crate::value::{Value, ValueMap};

/// Stacks with more servers are not described: the servers are all alike, and the description would not be read.
const SERVERS_MAX: usize = 64;
const DIRECTIONS: [Direction; 2] = [Direction::Ingress, Direction::Egress];

/// The lines for people: who can reach what once the plan is applied, then what opens and what closes by it.
pub fn lines(plan: &Plan) -> Vec<String> {
    let (before, after) = worlds(plan);
    let servers = after.keys().chain(before.keys()).filter(|address| address.kind == Kind::Instance).count();
    let has_groups = before.keys().chain(after.keys()).any(|address| address.kind == Kind::SecurityGroup);
    if plan.mode == Mode::RefreshOnly || servers > 2 * SERVERS_MAX || !has_groups {
        return Vec::new();
    }
    let hidden = hidden(&before, &after);
    if !hidden.is_empty() {
        return vec![format!("not told here, as the state marks rules as sensitive: {}", refusal::listed(&hidden))];
    }
    let closed = closed(plan, &after);
    let (before, after) = (network::report(&before), network::report(&after));
    let mut lines = network::describe(&after);
    lines.extend(closed);
    lines.extend(network::change(&before, &after));
    for text in marked(plan) {
        lines.iter_mut().for_each(|line| *line = line.replace(&*text, SENSITIVE));
    }
    lines
}

/// The subnets that the internet does not get into.
fn closed(plan: &Plan, after: &BTreeMap<Address, ValueMap>) -> Option<String> {
    let closed = after.iter().filter(|(address, attributes)| mode(plan, address, attributes).is_some());
    let addresses: Vec<String> = closed.map(|(address, _)| address.to_string()).collect();
    let listed = refusal::listed(&addresses);
    (!addresses.is_empty()).then(|| format!("VPC Block Public Access keeps the internet out of {listed}"))
}

/// What VPC Block Public Access stops in a subnet.
fn mode(plan: &Plan, address: &Address, attributes: &ValueMap) -> Option<Block> {
    let id = attributes.get("id").filter(|_| address.kind == Kind::Subnet)?;
    plan.blocked.get(id.as_str()?).copied()
}

/// What of the rules is not shown: ranges and identifiers. What is shorter is no secret: protocols, words.
fn marked(plan: &Plan) -> Vec<Arc<str>> {
    const SHORTEST: usize = "0.0.0.0".len();
    let rules = plan.changes.iter().flat_map(|change| {
        let both = DIRECTIONS.iter().flat_map(|direction| {
            let name = direction.attribute();
            [change.before.get(name), change.after.get(name)].into_iter().flatten().map(move |rules| (name, rules))
        });
        both.flat_map(|(name, rules)| plan.sensitive.texts(&change.target.address, name, rules))
    });
    let mut texts: Vec<Arc<str>> = rules.filter(|text| text.len() >= SHORTEST).collect();
    // What is part of another one goes after it.
    texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    texts.dedup();
    texts
}

/// Groups whose rules the plan does not hold: it was saved, and the state marks them.
fn hidden(before: &BTreeMap<Address, ValueMap>, after: &BTreeMap<Address, ValueMap>) -> Vec<String> {
    let is_hidden = |attributes: &ValueMap| {
        let mut rules = DIRECTIONS.iter().filter_map(|direction| attributes.get(direction.attribute()));
        rules.any(Value::has_secret)
    };
    let groups = before.iter().chain(after).filter(|(_, attributes)| is_hidden(attributes));
    let mut addresses: Vec<String> = groups.map(|(address, _)| address.to_string()).collect();
    addresses.sort();
    addresses.dedup();
    addresses
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
    for (address, attributes) in before.iter_mut().chain(&mut after) {
        if let Some(block) = mode(plan, address, attributes) {
            attributes.insert(intern::key(BLOCK_MODE), Value::str(block.mode()));
        }
    }
    (before, after)
}
