//! A replacement that is taken back half way: the old object is still there and is what is wanted again.
//!
//! Only security groups are replaced by making the new one first. Their names are unique in a VPC, so another one of the
//! old name cannot be made while the old one stands, and that one stands while anything uses it.

use crate::address::Address;
use crate::identity;
use crate::kind::Kind;
use crate::plan::build::Observed;
use crate::stack::Stack;
use crate::state::{State, Target};
use crate::value::Value;

/// Makes the old group the current one again where it has the name that is asked for and the current one has not. The
/// other one is destroyed as what a replacement left behind.
pub(super) fn take_back(state: &mut State, observed: &mut Observed, stack: &Stack) {
    let groups = stack.resources.iter().filter(|(address, _)| address.kind == Kind::SecurityGroup);
    for (address, declared) in groups {
        let wanted = declared.attributes.get("name").and_then(Value::as_str);
        if let Some(old) = wanted.and_then(|name| old_one(state, observed, address, name)) {
            swap(state, observed, address, &old);
        }
    }
}

fn old_one(state: &State, observed: &Observed, address: &Address, name: &str) -> Option<Target> {
    let current = state.resources.get(address);
    let text = |attribute: &str| current.and_then(|current| current.attributes.get(attribute)).and_then(Value::as_str);
    if text("name") == Some(name) {
        return None;
    }
    let fits = |target: &&Target| {
        observed.get(*target).is_some_and(|found| {
            let attribute = |name: &str| found.attributes.get(name).and_then(Value::as_str);
            let same_vpc = text("vpc_id").is_none_or(|vpc| attribute("vpc_id") == Some(vpc));
            attribute("name") == Some(name) && same_vpc
        })
    };
    state.deposed.keys().filter(|target| target.address == *address).find(fits).cloned()
}

/// The generation becomes one that neither of the two has.
fn swap(state: &mut State, observed: &mut Observed, address: &Address, old: &Target) {
    let generation = state.private.generations.get(address).copied().unwrap_or(0).saturating_add(1);
    state.private.generations.insert(address.clone(), generation);
    let key = identity::deposed_key(&state.lineage, address, generation);
    let (current, left) = (Target::current(address.clone()), Target { address: address.clone(), deposed: Some(key) });
    let Some(resource) = state.deposed.remove(old) else { return };
    if let Some(other) = state.resources.insert(address.clone(), resource) {
        state.deposed.insert(left.clone(), other);
    }
    let (found, other) = (observed.remove(old), observed.remove(&current));
    observed.extend(found.map(|found| (current, found)));
    observed.extend(other.map(|other| (left, other)));
}
