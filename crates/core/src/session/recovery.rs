//! What an interrupted run began and could not record: the reads that find it, and what they tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Inputs, place_of};
use crate::address::Address;
use crate::api::VISIBILITY_MS;
use crate::api::{Effect, ErrorClass, Operation, Rds, Recognition, Reply};
use crate::identity;
use crate::kind::Kind;
use crate::plan::Problem;
use crate::plan::reads::read_node;
use crate::plan::{Accept, Expect, Mode, Node, Pace, Save, Step, Waiter};
use crate::resource;
use crate::stack::stack;
use crate::state::{Resource, State, Target};
use crate::value::{Value, ValueMap};

/// True of addresses whose unfinished creation this command takes up again, or leaves to a later one.
pub(super) fn takes_up(inputs: &Inputs, state: &State) -> impl Fn(&Address) -> bool + use<> {
    let declared = match inputs.mode {
        Mode::Apply => stack(&inputs.variables, &state.private.choices, None).resources,
        Mode::Destroy | Mode::RefreshOnly => BTreeMap::new(),
    };
    let is_refresh = inputs.mode == Mode::RefreshOnly;
    move |address| is_refresh || declared.contains_key(address)
}

/// Reads that find the objects of unfinished creations. Empty if there are none.
pub(super) fn recovery(state: &State, inputs: &Inputs) -> Vec<Node> {
    if state.private.intents.is_empty() {
        return Vec::new();
    }
    let place = place_of(state, "");
    let takes_up = takes_up(inputs, state);
    let is_old_form = state.private.format_version < 2;
    let unfinished = state.private.intents.iter().filter(|(address, _)| state.unfinished(address).is_some());
    unfinished
        .filter_map(|(address, intent)| {
            let attributes = ValueMap::from([
                (Arc::from("identifier"), intent.name.clone().into()),
                (Arc::from("name"), intent.name.clone().into()),
            ]);
            let mut lookup = resource::lookup(address, &attributes, &state.lineage, intent.generation, &place)?;
            if is_old_form {
                lookup.call = identity::in_old_form(lookup.call);
            }
            let found = if lookup.list.is_empty() { "Tags".to_owned() } else { format!("{}.0", lookup.list) };
            // What a token makes unique may be tried again and need not be waited for: there would not be two. A name or
            // a block may be another one by now. If nobody tries again, this is the last look.
            // What an earlier release began has another token than what this one would send.
            let is_unique = intent.operation.effect() == Effect::Create(Recognition::ClientToken) && !is_old_form;
            let is_tried_again = takes_up(address) && !state.resources.contains_key(address);
            let patience = if is_unique && is_tried_again { 0 } else { VISIBILITY_MS };
            let waiter = Waiter {
                call: lookup.call,
                accept: vec![Accept { expect: Expect::Present { path: Arc::from(found) }, success: true }],
                save: Save::Nothing,
                pace: Pace { least_ms: 0, usual_ms: 1000, deadline_ms: patience },
                short: None,
            };
            let mut node = read_node(address.clone(), Step::Wait(waiter));
            node.generation = intent.generation;
            Some(node)
        })
        .collect()
}

/// Takes what [`recovery`] found into the state. Returns a line for each object adopted.
///
/// # Errors
/// A search that failed: without its answer, what it looked for would be made a second time.
pub(super) fn adopt(state: &mut State, replies: &[(&Node, &Reply)]) -> Result<Vec<String>, Vec<Problem>> {
    let failed = replies.iter().filter_map(|(node, reply)| {
        let error = reply.as_ref().err().filter(|error| error.class != ErrorClass::NotFound)?;
        let operation = node.steps.first()?.calls().first()?.0.operation;
        Some(Problem::Read { call: operation.to_string(), error: error.clone() })
    });
    let failed: Vec<Problem> = failed.collect();
    if !failed.is_empty() {
        return Err(failed);
    }
    let place = place_of(state, "");
    let mut lines = Vec::new();
    for (node, reply) in replies {
        let Ok(reply) = reply else { continue };
        let address = &node.target.address;
        let candidates = match node.steps.first() {
            Some(Step::Wait(waiter)) if waiter.call.operation == Operation::Rds(Rds::ListTagsForResource) => {
                std::slice::from_ref(reply)
            }
            Some(_) | None => {
                reply.as_map().and_then(|map| map.values().next()).and_then(Value::as_list).unwrap_or_default()
            }
        };
        let ours = |object: &&Value| {
            let tags = object.get("Tags");
            identity::lineage(tags) == Some(&*state.lineage)
                && identity::address_tag(tags) == Some(&address.tag_value())
                && identity::generation_tag(tags) == Some(node.generation)
                && resource::phase(address.kind, object) != resource::Phase::Gone
        };
        let Some(object) = candidates.iter().find(ours) else { continue };
        let Some(mut attributes) = resource::attributes(address.kind, &ValueMap::new(), object, &place) else {
            continue;
        };
        if address.kind == Kind::DbSubnetGroup
            && let Some(name) = state.private.intents.get(address).and_then(|intent| intent.name.clone())
        {
            attributes.insert(Arc::from("id"), Value::Str(name.clone()));
            attributes.insert(Arc::from("name"), Value::Str(name));
        }
        let id = attributes.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        lines.push(format!("{address}: found {id}, created by an earlier run that could not record it"));
        if let Some(old) = state.resources.remove(address) {
            let key = identity::deposed_key(&state.lineage, address, node.generation);
            state.deposed.insert(Target { address: address.clone(), deposed: Some(key) }, old);
        }
        let resource = Resource { attributes: Arc::new(attributes), claimed: true, ..Resource::default() };
        state.resources.insert(address.clone(), Arc::new(resource));
    }
    Ok(lines)
}
