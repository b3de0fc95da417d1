//! What the executor writes down: intents before, results after.

use std::sync::Arc;

use super::Executor;
use crate::api::{Call, Operation};
use crate::identity;
use crate::intern;
use crate::ownership::mirror;
use crate::plan::{Save, Verb, kept, tags};
use crate::resource::{self, Place};
use crate::state::{Intent, Resource, Target, without_secrets};
use crate::time::Instant;
use crate::value::{Value, ValueMap};

impl Executor {
    pub(super) fn place(&self) -> Place {
        let private = &self.state.private;
        Place { region: private.region.clone().unwrap_or_default(), account: private.account.clone() }
    }

    /// The value with every reference replaced that the state can answer.
    pub(super) fn resolve(&self, value: &Value) -> Value {
        value.resolve(&|address, attribute| self.state.attribute(address, attribute).cloned())
    }

    /// The call with every reference replaced that the state can answer.
    pub(super) fn resolved(&self, call: &Call) -> Call {
        let args = call.args.iter().map(|(name, value)| (*name, self.resolve(value))).collect();
        Call { operation: call.operation, args }
    }

    pub(super) fn resolved_after(&self, index: usize) -> ValueMap {
        let after = &self.nodes[index].after;
        if after.values().all(Value::is_literal) {
            return ValueMap::clone(after);
        }
        let resolved = after.iter().map(|(name, value)| (name.clone(), self.resolve(value)));
        resolved.filter(|(_, value)| value.is_literal()).collect()
    }

    /// Notes what is about to be done.
    pub(super) fn record_intent(&mut self, index: usize, operation: Operation, now: Instant) {
        let node = &self.nodes[index];
        let address = node.target.address.clone();
        if node.target.deposed.is_none() {
            let name = address.kind.definition().name_attribute.and_then(|name| node.after.get(name));
            let name = name.and_then(Value::as_str).map(Arc::from);
            let generation = node.generation;
            let intent = Intent { operation, generation, name };
            if node.verb == Verb::Create {
                let last = self.state.private.generations.get(&address).copied().unwrap_or(0);
                self.state.private.generations.insert(address.clone(), last.max(node.generation));
                if node.calls().any(|(_, call, _)| call.is_about_secrets()) {
                    // If the answer is lost, the object has this secret all the same.
                    self.record_secrets();
                }
            }
            let earlier = self.state.private.intents.insert(address, intent);
            self.progress[index].inherited =
                earlier.is_some_and(|earlier| earlier.operation.is_creating() && earlier.generation == generation);
        }
        self.changed(now);
    }

    pub(super) fn record_secrets(&mut self) {
        self.state.private.secrets.clone_from(&self.secrets);
    }

    /// Records what a reply says of the node's object.
    pub(super) fn record_reply(&mut self, index: usize, save: &Save, reply: &Value, now: Instant) {
        match save {
            Save::Nothing => {}
            Save::Object(path) => {
                let known = self.resolved_after(index);
                let kind = self.nodes[index].target.address.kind;
                let place = self.place();
                if let Some(object) = reply.at(path)
                    && let Some(attributes) = resource::attributes(kind, &known, object, &place)
                {
                    self.record(index, attributes, now);
                }
            }
            Save::Field { path, attribute } => {
                if let Some(value) = reply.at(path) {
                    self.record(index, ValueMap::from([(attribute.clone(), value.clone())]), now);
                }
            }
        }
    }

    /// Records what a call did to rules that the state records as resources of their own.
    pub(super) fn record_rules(&mut self, call: &Call, reply: &Value, now: Instant) {
        if self.state.private.claims.is_empty() {
            return;
        }
        let call = self.resolved(call);
        if mirror::record(&mut self.state, &call, reply) {
            self.changed(now);
        }
    }

    /// Records attributes of the node's object; the first record of a creation makes the entry.
    pub(super) fn record(&mut self, index: usize, attributes: ValueMap, now: Instant) {
        self.record_as(index, attributes, false, now);
    }

    /// The same; attributes that are wanted, and not shown by AWS, count as they are.
    fn record_as(&mut self, index: usize, attributes: ValueMap, is_wanted: bool, now: Instant) {
        let node = &self.nodes[index];
        let target = node.target.clone();
        if target.deposed.is_some() || node.verb == Verb::Delete {
            return;
        }
        let is_first = node.verb == Verb::Create && !self.progress[index].created;
        let mut resource = if is_first {
            self.progress[index].created = true;
            // The object this one replaces lives on until the plan destroys it.
            if let Some(old) = self.state.resources.remove(&target.address) {
                let key = identity::deposed_key(&self.state.lineage, &target.address, self.nodes[index].generation);
                self.state.deposed.insert(Target { address: target.address.clone(), deposed: Some(key) }, old);
            }
            let settings = target.address.kind.definition().provider_settings.iter();
            let settings = settings.map(|(name, value)| (intern::key(name), Value::from(*value)));
            let attributes = settings.chain(self.resolved_after(index)).collect();
            let terraform = self.marks.get(&target.address).cloned();
            Resource { attributes: Arc::new(attributes), terraform, ..Resource::default() }
        } else {
            self.state.resources.remove(&target.address).map(|old| Resource::clone(&old)).unwrap_or_default()
        };
        let dependencies = &self.nodes[index].dependencies;
        if !dependencies.is_empty() {
            resource.dependencies.clone_from(dependencies);
        }
        let tag_keys = &self.state.private.tag_keys;
        let recorded = &resource.attributes;
        let attributes = attributes.into_iter().map(|(name, value)| {
            let shown = |value| kept::as_recorded(&name, recorded, value, |key| tag_keys.contains(key));
            let value = if is_wanted { value } else { shown(value) };
            (name, value)
        });
        // What is as it was recorded stays the recorded copy.
        let is_new = |(name, value): &(Arc<str>, Value)| resource.attributes.get(name) != Some(value);
        let new: Vec<_> = attributes.filter(is_new).collect();
        if !new.is_empty() {
            Arc::make_mut(&mut resource.attributes).extend(new);
        }
        without_secrets(&mut resource.attributes);
        // What this run makes or changes, it claims, by its identifier.
        resource.claimed = resource.id().is_some();
        self.state.resources.insert(target.address, Arc::new(resource));
        self.changed(now);
    }

    /// The object is there but not good: the next plan replaces it.
    pub(super) fn record_taint(&mut self, index: usize, now: Instant) {
        let address = &self.nodes[index].target.address;
        if self.nodes[index].verb == Verb::Create
            && let Some(resource) = self.state.resources.get_mut(address)
        {
            Arc::make_mut(resource).tainted = true;
            self.changed(now);
        }
    }

    /// A creation was refused for good: nothing was made.
    pub(super) fn withdraw_intent(&mut self, index: usize, now: Instant) {
        let address = &self.nodes[index].target.address;
        let is_creation = self.nodes[index].verb == Verb::Create && !self.progress[index].created;
        if is_creation && self.state.private.intents.remove(address).is_some() {
            self.changed(now);
        }
    }

    /// All steps are done.
    pub(super) fn record_finish(&mut self, index: usize, now: Instant) {
        let target = self.nodes[index].target.clone();
        match self.nodes[index].verb {
            Verb::Read => return,
            Verb::Create | Verb::Update => {
                let mut attributes = self.resolved_after(index);
                if let Some(wanted) = attributes.get(tags::OWN).cloned() {
                    let nothing = Arc::default();
                    let recorded = self.state.get(&target).map_or(&nothing, |resource| &resource.attributes);
                    attributes.extend(tags::recorded(recorded, &wanted));
                }
                if let Some(id) = resource::derived_id(target.address.kind, &attributes) {
                    attributes.insert(Arc::from("id"), Value::from(id));
                }
                self.record_as(index, attributes, true, now);
            }
            Verb::Delete | Verb::Forget => match target.deposed {
                None => {
                    self.state.resources.remove(&target.address);
                }
                Some(_) => {
                    self.state.deposed.remove(&target);
                }
            },
        }
        if target.deposed.is_none() {
            self.state.private.intents.remove(&target.address);
        }
        self.changed(now);
    }
}
