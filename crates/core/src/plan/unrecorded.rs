//! What an object of the stack refers to and the state does not record: it is there, as AWS tells what the object refers to.
//! To make another one beside it, and to replace or repoint the object for that, is nobody's wish: it is to be recorded first.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::build::Inputs;
use super::{Action, Change};
use crate::address::Address;
use crate::kind::Kind;
use crate::resource::kind_of_id;
use crate::shell::Command;
use crate::value::Value;

/// What stands at an address of which nothing is recorded.
struct Standing {
    /// Its identifier; several where the object that refers to it refers to others of its kind, too.
    ids: BTreeSet<String>,
    /// The object that refers to it.
    referrer: Address,
}

/// A problem for each address of which nothing is recorded, though something that is recorded refers to its object. An address
/// of which something was ever made or recorded is not among them: its object is gone, and is made again.
pub(super) fn problems(inputs: &Inputs<'_>, made: &BTreeMap<Address, Change>) -> Vec<Problem> {
    // What is recorded and gone is known as well: who referred to it may still list it.
    let known: BTreeSet<_> = inputs.state.recorded_ids().into_iter().chain(inputs.recorded.recorded_ids()).collect();
    let is_unknown = |id: &str| !known.contains(id) && !inputs.ownership.elsewhere.has_id(id);
    let is_created = |address: &Address| made.get(address).is_some_and(|change| change.action == Action::Create);
    let is_made_before = |address: &Address| {
        inputs.recorded.resources.contains_key(address)
            || inputs.recorded.private.generations.contains_key(address)
            || inputs.recorded.private.intents.contains_key(address)
    };
    let mut standing: BTreeMap<Address, Standing> = BTreeMap::new();
    for change in made.values() {
        for attribute in &change.attributes {
            let mut created = BTreeSet::new();
            attribute.after.visit_refs(&mut |address, _| {
                if is_created(address) {
                    created.insert(address);
                }
            });
            for address in created.iter().filter(|address| !is_made_before(address)) {
                let mut ids = BTreeSet::new();
                collect(&attribute.before, &mut |text| {
                    if is_unknown(text) && is_of(address.kind, text) {
                        ids.insert(text.to_owned());
                    }
                });
                // An object that is made again is gone, and who referred to it may still list it.
                let again = created.iter().filter(|other| other.kind == address.kind && is_made_before(other)).count();
                if ids.len() > again && !standing.contains_key(*address) {
                    standing.insert((*address).clone(), Standing { ids, referrer: change.target.address.clone() });
                }
            }
        }
    }
    standing.iter().map(|(address, standing)| problem(address, standing)).collect()
}

/// True if an object of this kind can have this identifier. Subnet groups of RDS are known by names, which can be anything.
fn is_of(kind: Kind, id: &str) -> bool {
    kind == Kind::DbSubnetGroup || kind_of_id(id) == Some(kind)
}

fn collect(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::Str(text) if !text.is_empty() => visit(text),
        Value::List(items) => items.iter().for_each(|item| collect(item, visit)),
        Value::Map(map) => map.values().for_each(|item| collect(item, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Ref(_) | Value::Secret(_) => {}
    }
}

fn problem(address: &Address, Standing { ids, referrer }: &Standing) -> Problem {
    let listed = ids.iter().cloned().collect::<Vec<_>>().join(" or ");
    let command = match (ids.len(), ids.first()) {
        (1, Some(id)) => Command::new("aloka import").address(address).id(id),
        _ => None,
    };
    let command = command
        .map_or_else(|| format!("aloka import {address} ID, where ID is {listed}"), |command| command.to_string());
    Problem::Impossible {
        summary: format!(
            "{address} is not recorded, though {referrer} uses {listed}: apply would make another one, and change {referrer} for it"
        ),
        hint: format!("record what is there first: {command}"),
    }
}
