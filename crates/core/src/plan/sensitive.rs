//! What a plan holds and does not show: values that the state marks as sensitive. A plan in memory has them, as it could not be
//! carried out otherwise; what is shown of it and what is saved of it has not.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{AttributeChange, Change, Drift, Lookup, Node, OutputChange, Plan, Step, Waiter};
use crate::address::Address;
use crate::api::Call;
use crate::plan::Expect;
use crate::state::State;
use crate::state::sensitive::{Path, changed_mask, mask, masked, masked_attribute, paths, without_texts};
use crate::value::{Value, ValueMap};

/// What is not shown: names and paths, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sensitive {
    /// Outputs.
    outputs: BTreeSet<String>,
    /// Attributes of the objects of an address, in its order.
    attributes: Vec<(Address, Vec<Path>)>,
}

impl Sensitive {
    /// What this state marks.
    pub fn of(state: &State) -> Self {
        let marked = state.output_marks.iter().filter(|(_, mark)| mark.sensitive);
        let mut attributes: BTreeMap<Address, Vec<Path>> = BTreeMap::new();
        for (target, resource) in state.objects() {
            let recorded = resource.terraform.iter().flat_map(|terraform| &terraform.sensitive_attributes);
            let recorded: Vec<_> = recorded.cloned().collect();
            let paths = paths(target.address.kind, &recorded);
            if !paths.is_empty() {
                attributes.entry(target.address).or_default().extend(paths);
            }
        }
        Self { outputs: marked.map(|(name, _)| name.clone()).collect(), attributes: attributes.into_iter().collect() }
    }

    /// True if everything is shown.
    pub fn is_empty(&self) -> bool {
        let Self { outputs, attributes } = self;
        outputs.is_empty() && attributes.is_empty()
    }

    fn paths(&self, address: &Address) -> &[Path] {
        self.attributes.iter().find(|(known, _)| known == address).map_or(&[], |(_, paths)| paths)
    }

    /// One attribute of an object.
    pub fn attribute(&self, address: &Address, name: &str, value: &Value) -> Value {
        masked_attribute(self.paths(address), name, value, &mut Vec::new())
    }

    /// The texts of one attribute of an object that are not shown.
    pub(super) fn texts(&self, address: &Address, name: &str, value: &Value) -> Vec<Arc<str>> {
        let mut found = Vec::new();
        let _masked = masked_attribute(self.paths(address), name, value, &mut found);
        found
    }

    /// The changes of an object's attributes.
    pub fn changes(&self, address: &Address, changes: &[AttributeChange]) -> Vec<AttributeChange> {
        let masked = changes.iter().map(|change| {
            let AttributeChange { name, before, after, forces_replacement } = change;
            let (before, after) = (self.attribute(address, name, before), self.attribute(address, name, after));
            AttributeChange { name: name.clone(), before, after, forces_replacement: *forces_replacement }
        });
        masked.collect()
    }

    fn output(&self, output: &OutputChange) -> OutputChange {
        let OutputChange { name, before, after } = output;
        if !self.outputs.contains(name) {
            return output.clone();
        }
        let masked = |value: &Value, mask: Value| if value.is_null() { Value::Null } else { mask };
        let after_mask = if before == after { mask() } else { changed_mask() };
        OutputChange { name: name.clone(), before: masked(before, mask()), after: masked(after, after_mask) }
    }
}

impl Plan {
    /// The plan as it is shown and saved.
    pub fn masked(&self) -> Cow<'_, Self> {
        if self.sensitive.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut texts: BTreeMap<Address, Vec<Arc<str>>> = BTreeMap::new();
        let changes = self.changes.iter().map(|change| self.masked_change(change, &mut texts)).collect();
        let drift = self.drift.iter().map(|drift| self.masked_drift(drift, &mut texts)).collect();
        let outputs = self.outputs.iter().map(|output| self.sensitive.output(output)).collect();
        let nodes = |nodes: &[Node]| nodes.iter().map(|node| self.masked_node(node, &texts)).collect();
        let (nodes, around) = (nodes(&self.nodes), nodes(&self.around));
        Cow::Owned(Self { changes, drift, outputs, nodes, around, ..self.clone() })
    }

    fn masked_change(&self, change: &Change, texts: &mut BTreeMap<Address, Vec<Arc<str>>>) -> Change {
        let address = &change.target.address;
        let paths = self.sensitive.paths(address);
        if paths.is_empty() {
            return change.clone();
        }
        let found = texts.entry(address.clone()).or_default();
        let mut map = |attributes: &ValueMap| Arc::new(masked(paths, attributes, found));
        let (before, after) = (map(&change.before), map(&change.after));
        let attributes = self.sensitive.changes(address, &change.attributes);
        Change { before, after, attributes, ..change.clone() }
    }

    fn masked_drift(&self, drift: &Drift, texts: &mut BTreeMap<Address, Vec<Arc<str>>>) -> Drift {
        let address = &drift.target.address;
        let paths = self.sensitive.paths(address);
        let Some(name) = drift.attribute.as_deref().filter(|_| !paths.is_empty()) else { return drift.clone() };
        let found = texts.entry(address.clone()).or_default();
        let mut masked = |value: &Value| masked_attribute(paths, name, value, found);
        let (recorded, observed) = (masked(&drift.recorded), masked(&drift.observed));
        Drift { recorded, observed, ..drift.clone() }
    }

    /// A node in whose calls nothing stands that is not shown of its object.
    fn masked_node(&self, node: &Node, texts: &BTreeMap<Address, Vec<Arc<str>>>) -> Node {
        let paths = self.sensitive.paths(&node.target.address);
        if paths.is_empty() {
            return node.clone();
        }
        let mut found = texts.get(&node.target.address).cloned().unwrap_or_default();
        let after = Arc::new(masked(paths, &node.after, &mut found));
        let steps = node.steps.iter().map(|step| masked_step(step, &found)).collect();
        Node { steps, after, ..node.clone() }
    }
}

fn masked_step(step: &Step, found: &[Arc<str>]) -> Step {
    match step {
        Step::Call { call, save, recover, way_back } => {
            let recover = recover.as_ref().map(|lookup| {
                let Lookup { call, list, tags } = lookup;
                let tags = tags.iter().map(|(name, value)| (name.clone(), without_texts(value, found))).collect();
                Lookup { call: masked_call(call, found), list: list.clone(), tags }
            });
            let way_back = way_back.as_ref().map(|back| {
                let mut back = back.clone();
                back.steps = back.steps.iter().map(|step| masked_step(step, found)).collect();
                back
            });
            Step::Call { call: masked_call(call, found), save: save.clone(), recover, way_back }
        }
        Step::Wait(waiter) => {
            let mut waiter = Waiter { call: masked_call(&waiter.call, found), ..waiter.clone() };
            waiter.accept.iter_mut().for_each(|accept| masked_expectation(&mut accept.expect, found));
            Step::Wait(waiter)
        }
    }
}

fn masked_expectation(expect: &mut Expect, found: &[Arc<str>]) {
    match expect {
        Expect::Equals { path: _, value } => *value = without_texts(value, found),
        Expect::All(all) => all.iter_mut().for_each(|expect| masked_expectation(expect, found)),
        Expect::Present { .. } | Expect::Absent { .. } | Expect::NoneOf { .. } => {}
    }
}

fn masked_call(call: &Call, found: &[Arc<str>]) -> Call {
    let args = call.args.iter().map(|(name, value)| (*name, without_texts(value, found)));
    Call { operation: call.operation, args: args.collect() }
}
