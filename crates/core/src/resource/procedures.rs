//! The procedures of an object: those of its kind, and what is the same for all, tags above all.

use std::sync::Arc;

use super::context::{call, is_changed, text_list};
use super::{AttributeChange, Context, OWN_TAGS, Phase, Tagging};
use crate::api::{Ec2, Operation, Rds};
use crate::procedure::Step;
use crate::value::{Value, ValueMap};

impl Context<'_> {
    /// Creates the object and waits until it is ready.
    pub fn create(&self) -> Vec<Step> {
        let definition = self.kind().definition();
        let steps = (definition.create)(self).into_iter();
        steps.chain((definition.settle)(self)).chain((definition.finish)(self)).collect()
    }

    /// Waits until the object has settled. Empty for kinds that are ready at once.
    pub fn settle(&self) -> Vec<Step> {
        (self.kind().definition().settle)(self)
    }

    /// Changes the attributes that differ, and waits until the object has settled. A server that `stays_stopped` is
    /// neither stopped nor started.
    pub fn update(&self, changes: &[AttributeChange], stays_stopped: bool) -> Vec<Step> {
        let definition = self.kind().definition();
        let tags = if is_changed(changes, OWN_TAGS) { self.change_tags() } else { Vec::new() };
        let steps = (definition.update)(self, changes, stays_stopped);
        // As when it was found: whoever may change only what carries our tags can change its rules then.
        let (first, last) = if definition.is_aws_own { (tags, steps) } else { (steps, tags) };
        first.into_iter().chain(last).collect()
    }

    /// Destroys the object, which is in this phase, and waits until it is gone.
    pub fn delete(&self, phase: Option<&Phase>) -> Vec<Step> {
        (self.kind().definition().delete)(self, phase)
    }

    fn change_tags(&self) -> Vec<Step> {
        let (Value::Map(desired), present) = (self.get(OWN_TAGS), self.old(OWN_TAGS)) else { return Vec::new() };
        let empty = ValueMap::new();
        let present = present.as_map().unwrap_or(&empty);
        let set: ValueMap =
            desired.iter().filter(|(k, v)| present.get(*k) != Some(*v)).map(|(k, v)| (k.clone(), v.clone())).collect();
        let ours = |key: &&Arc<str>| !key.starts_with("aws:") && !desired.contains_key(*key);
        let remove: Vec<Value> = present.keys().filter(ours).map(|key| Value::Str(key.clone())).collect();
        let (add_call, remove_call, object) = match self.kind().definition().tagging {
            Tagging::None => return Vec::new(),
            Tagging::Ec2 => {
                (Operation::Ec2(Ec2::CreateTags), Operation::Ec2(Ec2::DeleteTags), ("Resources", text_list(self.id())))
            }
            Tagging::Rds | Tagging::RdsApart => (
                Operation::Rds(Rds::AddTagsToResource),
                Operation::Rds(Rds::RemoveTagsFromResource),
                ("ResourceName", self.old("arn")),
            ),
        };
        let set = (!set.is_empty()).then(|| call(add_call, [object.clone(), ("Tags", Value::Map(set))]));
        let remove = (!remove.is_empty()).then(|| call(remove_call, [object, ("TagKeys", Value::List(remove))]));
        set.into_iter().chain(remove).collect()
    }
}
