//! What of an object stays as it stands, whatever is declared: see [`kept`], [`tags`] and [`groups`].

use std::sync::Arc;

use super::super::{groups, kept, tags};
use super::Decisions;
use crate::address::Address;
use crate::kind::Kind;
use crate::ownership::{Elsewhere, RecordedRoute};
use crate::resource::Compare;
use crate::rules;
use crate::state::Target;
use crate::value::{Value, ValueMap};

/// The tag that people see.
const NAME: &str = "Name";

impl Decisions<'_> {
    /// Takes into what is desired what others have put on the object: it stays.
    pub(super) fn keep(&mut self, target: &Target, after: &mut ValueMap, before: &ValueMap) {
        let (elsewhere, address) = (&self.inputs.ownership.elsewhere, &target.address);
        let own = before.get("id").and_then(Value::as_str);
        self.notes.extend(own.into_iter().flat_map(|table| kept_routes(elsewhere, address, table)));
        for attribute in address.kind.attributes() {
            let (Some(desired), Some(present)) = (after.get_mut(attribute.name), before.get(attribute.name)) else {
                continue;
            };
            match (attribute.compare, &mut *desired) {
                (Compare::Tags, Value::Map(tags)) => {
                    let is_ours = self.inputs.ownership.is_ours(target);
                    let removable = |key: &str| is_ours && self.inputs.state.private.tag_keys.contains(key);
                    let named = |key: &str| self.inputs.stack.tag_keys.contains(key);
                    *tags = tags::desired(tags, before, named, removable);
                    // An object that aloka never made keeps the name it was given.
                    if let (false, Some(name)) =
                        (self.inputs.state.private.generations.contains_key(address), present.get(NAME).shared_str())
                    {
                        tags.insert(Arc::from(NAME), Value::Str(name));
                    }
                }
                (Compare::Rules, _) => {
                    if address.kind == Kind::SecurityGroup {
                        let is_made_by_us = self.inputs.state.private.generations.contains_key(address);
                        let (rules, note) = groups::desired(attribute.name, desired, present, own, is_made_by_us);
                        *desired = rules;
                        self.notes.extend(note.map(|note| format!("{address}: {note}")));
                    }
                    *desired = rules::with_present_descriptions(desired, present, own);
                    let others = kept::rules_of_others(attribute.name, desired, present, own, elsewhere);
                    if let Value::List(entries) = desired {
                        for (recorded, entry) in others {
                            let what = rules::describe(&entry, own);
                            self.notes.push(format!(
                                "{address}: {} {what} stays, as the state records it at {recorded}",
                                attribute.name
                            ));
                            entries.push(entry);
                        }
                    }
                }
                (Compare::Set, Value::List(items)) => {
                    for id in kept::ids_of_others(&Value::List(items.clone()), present, elsewhere) {
                        let recorded = elsewhere.address_of(&id).unwrap_or_default();
                        self.notes.push(format!(
                            "{address}: {id} stays in {}, as the state records it at {recorded}",
                            attribute.name
                        ));
                        items.push(Value::Str(id));
                    }
                }
                (Compare::Exact, _)
                    if address.kind == Kind::RouteTableAssociation && attribute.name == "route_table_id" =>
                {
                    let table = present.as_str().and_then(|id| Some((id, elsewhere.managed(Kind::RouteTable, id)?)));
                    if let Some((id, recorded)) = table {
                        self.notes.push(format!(
                            "{address}: the subnet stays with route table {id}, as the state records it at {recorded}"
                        ));
                        *desired = present.clone();
                    }
                }
                (
                    Compare::Exact
                    | Compare::Set
                    | Compare::Tags
                    | Compare::DbStorage
                    | Compare::EngineVersion
                    | Compare::RootVolume,
                    _,
                ) => {}
            }
        }
    }
}

/// Of a route table: what is said of its routes that the state records elsewhere.
fn kept_routes(elsewhere: &Elsewhere, address: &Address, table: &str) -> Vec<String> {
    if address.kind != Kind::RouteTable {
        return Vec::new();
    }
    let note = |route: &RecordedRoute| {
        format!("{address}: the route to {} stays, as the state records it at {}", route.destination, route.address)
    };
    elsewhere.routes_of(table).iter().map(note).collect()
}
