//! Objects that carry this state's lineage and are not recorded: an older state was put back, an entry was removed, or
//! somebody copied an object with its tags. None of them is ever made a second time.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::seen::{self, Seen};
use super::{Inputs, Problem, Replies, read, refresh};
use crate::address::Address;
use crate::api::{Call, Ec2, Operation, Rds};
use crate::declarable;
use crate::identity;
use crate::kind::Kind;
use crate::ownership::Elsewhere;
use crate::plan::{Action, Change, Mode, Node};
use crate::resource::{self, Phase, Place, kind_of_id};
use crate::shell::Command;
use crate::stack;
use crate::state::State;
use crate::value::Value;

/// The reads that every plan makes: one by the tag's value, so that tags of today and of before are found at once, and
/// RDS's own list. A state that was never written has left nothing behind.
pub(super) fn reads(state: &State, inputs: &Inputs, place: &Place) -> Vec<(Kind, Call)> {
    if state.serial == 0 {
        return Vec::new();
    }
    let filters = Value::map([("value", Value::list([&*state.lineage]))]);
    let mut calls = vec![
        (Kind::Vpc, Call::new(Ec2::DescribeTags, [("Filters", filters)])),
        (Kind::DbInstance, Call::new(Rds::DescribeDBInstances, [])),
    ];
    // Only its tags tell whose a group is, and only its name finds it.
    let group = Address::root(Kind::DbSubnetGroup, "main");
    let is_declared = inputs.mode == Mode::Apply && inputs.variables.db_subnet_group_name.is_none();
    if is_declared && !state.resources.contains_key(&group) && !state.is_empty() {
        let arn = group_arn(inputs, place);
        if !arn.is_null() {
            calls.push((Kind::DbSubnetGroup, Call::new(Rds::ListTagsForResource, [("ResourceName", arn)])));
        }
    }
    calls
}

fn group_arn(inputs: &Inputs, place: &Place) -> Value {
    resource::subnet_group_arn(place, &stack::db_subnet_group_name(&inputs.variables))
}

/// EC2 identifiers with this lineage that no entry of the state has, by kind. They may be gone already.
fn suspects<'a>(state: &State, elsewhere: &Elsewhere, replies: &Replies<'a>) -> BTreeMap<Kind, BTreeSet<&'a str>> {
    let recorded = state.recorded_ids();
    let mut suspects: BTreeMap<Kind, BTreeSet<&str>> = BTreeMap::new();
    for tag in replies.items(Operation::Ec2(Ec2::DescribeTags), "Tags") {
        let text = |name: &str| tag.get(name).as_str().unwrap_or_default();
        let is_lineage = identity::is_lineage_key(text("Key")) && text("Value") == &*state.lineage;
        let Some(id) = tag.get("ResourceId").as_str().filter(|_| is_lineage) else { continue };
        if let (Some(kind), false) = (kind_of_id(id), recorded.contains(id) || elsewhere.has_id(id)) {
            suspects.entry(kind).or_default().insert(id);
        }
    }
    suspects
}

/// A second look at what is not recorded: whether it is there, and what its other tags say. Empty if all is recorded.
pub(super) fn second_look(state: &State, elsewhere: &Elsewhere, replies: &Replies<'_>) -> Vec<Node> {
    let suspects = suspects(state, elsewhere, replies);
    let calls = suspects.into_iter().flat_map(|(kind, ids)| refresh::reads_of(kind, ids.into_iter().collect()));
    calls.map(read).collect()
}

/// An object that carries this lineage and is not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    address: Address,
    id: String,
    generation: u32,
}

/// What is there and not recorded. `replies` are those of the reads and of the second look.
pub(super) fn found(
    state: &State,
    inputs: &Inputs,
    elsewhere: &Elsewhere,
    place: &Place,
    replies: &Replies<'_>,
) -> Vec<Lost> {
    let recorded = state.recorded_ids();
    let seen = seen::all(replies);
    let is_lost = |seen: &&Seen<'_>| {
        seen.lineage().as_deref() == Some(&*state.lineage)
            && seen.stays()
            && !recorded.contains(seen.id)
            && !elsewhere.has_id(seen.id)
    };
    let mut lost: Vec<Lost> = seen
        .iter()
        .filter(is_lost)
        .filter_map(|seen| {
            let address = tagged_address(seen)?;
            Some(Lost { address, id: seen.id.to_owned(), generation: seen.generation() })
        })
        .collect();
    let arn = group_arn(inputs, place);
    for (call, reply) in replies.of(Operation::Rds(Rds::ListTagsForResource)) {
        let Ok(tags) = reply else { continue };
        let tags = tags.get("Tags");
        let address = identity::address_tag(tags).and_then(|text| Address::from_tag_value(text).ok());
        let name = stack::db_subnet_group_name(&inputs.variables);
        if *call.arg("ResourceName") == arn
            && identity::lineage(tags) == Some(&*state.lineage)
            && !recorded.contains(name.as_str())
            && let Some(address) = address.filter(declarable::is_declarable)
        {
            lost.push(Lost { address, id: name, generation: identity::generation_tag(tags).unwrap_or(0) });
        }
    }
    // What an interrupted run began is looked for by its own means.
    lost.retain(|lost| {
        let begun = state.private.intents.get(&lost.address);
        begun.is_none_or(|intent| intent.generation != lost.generation)
    });
    lost.sort_by(|a, b| (&a.address, &a.id).cmp(&(&b.address, &b.id)));
    lost
}

fn tagged_address(seen: &Seen<'_>) -> Option<Address> {
    let phase = resource::phase(seen.kind, seen.object);
    if matches!(phase, Phase::Deleting | Phase::Gone) || seen.text("GroupName") == "default" {
        return None;
    }
    seen.address().filter(declarable::is_declarable)
}

/// What a plan that would make `changes` says of them: notes, or why it is refused. An object of an address and a generation
/// that are recorded is a copy, and none of ours: the console's "launch more like this" copies tags.
pub(super) fn judge(
    state: &State,
    inputs: &Inputs,
    lost: &[Lost],
    changes: &[Change],
) -> Result<Vec<String>, Vec<Problem>> {
    let (mut notes, mut problems) = (Vec::new(), Vec::new());
    for Lost { address, id, generation } in lost {
        let recorded = state.resources.get(address);
        let own = recorded.and_then(|resource| identity::generation(&resource.attributes));
        let is_made = changes.iter().any(|change| change.target.address == *address && change.action == Action::Create);
        if own == Some(*generation) {
            let known = recorded.and_then(|resource| resource.id()).unwrap_or_default();
            notes.push(format!(
                "{id} carries the tags of {address}, which is {known}: it is a copy, and left alone; take its tags aloka-* off"
            ));
        } else if inputs.mode == Mode::Apply && is_made {
            problems.push(Problem::Impossible {
                summary: format!(
                    "{address} would be made a second time: {id} carries this state's tags and is not recorded"
                ),
                hint: format!(
                    "if another run is at work, wait for it; else record what is there: aloka state recover{}",
                    Command::new("aloka import")
                        .address(address)
                        .id(id)
                        .map_or_else(String::new, |command| format!("; or this one alone: {command}"))
                ),
            });
        } else {
            notes.push(format!(
                "{id} carries this state's tags for {address} and is not recorded: it is left alone; to record it: \
                 aloka state recover"
            ));
        }
    }
    if problems.is_empty() { Ok(notes) } else { Err(problems) }
}
