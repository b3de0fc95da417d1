//! What a kind has to know of one object to make, change or delete it, and what their procedures are made of.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ALL_TAGS, OWN_TAGS, Phase, Place, Recorded, lookup, read};
use crate::address::{Address, Target};
use crate::api::{Call, Ec2, Operation};
use crate::identity;
use crate::intern;
use crate::kind::Kind;
use crate::procedure::{Accept, Expect, Lookup, Pace, Save, Step, Waiter, WayBack};
use crate::resource::db_instance::DATABASE_INTERFACE;
use crate::value::{Value, ValueMap};

/// One attribute that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeChange {
    /// Name, as in Terraform.
    pub name: Arc<str>,
    /// As observed; null if there is none.
    pub before: Value,
    /// As desired; may hold references to what is yet to be created. [`Value::Secret`] for a secret.
    pub after: Value,
    /// True if this difference forces the replacement.
    pub forces_replacement: bool,
}

/// True if an attribute of this name is among the changes.
pub(super) fn is_changed(changes: &[AttributeChange], name: &str) -> bool {
    changes.iter().any(|change| &*change.name == name)
}

/// What is kept of the data of a database that is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Name of the final snapshot; `None` if none is made.
    pub snapshot: Option<Arc<str>>,
    /// True if automated backups outlive the database.
    pub keeps_backups: bool,
    /// True if there never was anything in it.
    pub is_empty: bool,
}

/// What a kind has to know of one object.
pub struct Context<'a> {
    /// The object.
    pub target: &'a Target,
    /// Its attributes as desired; empty when it is deleted.
    pub after: &'a ValueMap,
    /// Its attributes as observed; empty when it is created.
    pub before: &'a ValueMap,
    /// Its generation.
    pub generation: u32,
    /// The state's lineage.
    pub lineage: &'a Arc<str>,
    /// Where it is.
    pub place: &'a Place,
    /// What application servers run at first boot.
    pub user_data: &'a Arc<str>,
    /// Device name of their root volume.
    pub root_device_name: &'a Arc<str>,
    /// How a database is deleted.
    pub ending: Option<&'a Ending>,
}

/// For what is ready at once, or nearly.
pub(super) const AT_ONCE: Pace = Pace::seconds(0, 1, 300);
/// As long as a deletion that is refused is tried again.
const INTERFACES_GONE: Pace = Pace::seconds(0, 10, 900);

/// How AWS describes the network interface of a NAT gateway (aws-behaviour.md, 2.5), as a filter.
const NAT_INTERFACE: &str = "Interface for NAT Gateway *";

pub(super) fn call(operation: Operation, args: impl IntoIterator<Item = (&'static str, Value)>) -> Step {
    Step::Call { call: Call::new(operation, args), save: Save::Nothing, recover: None, way_back: None }
}

pub(super) fn with_way_back(step: Step, back: WayBack) -> Step {
    match step {
        Step::Call { call, save, recover, way_back: _ } => {
            Step::Call { call, save, recover, way_back: Some(Box::new(back)) }
        }
        Step::Wait(waiter) => Step::Wait(waiter),
    }
}

pub(super) fn text_list(value: Value) -> Value {
    Value::List(vec![value])
}

pub(super) fn equals(path: &str, value: &str, success: bool) -> Accept {
    Accept { expect: Expect::Equals { path: intern::text(path), value: Value::str(value) }, success }
}

pub(super) fn absent(path: &str) -> Accept {
    Accept { expect: Expect::Absent { path: intern::text(path) }, success: true }
}

pub(super) fn wait(call: Call, accept: Vec<Accept>, save: Save, pace: Pace) -> Step {
    Step::Wait(Waiter { call, accept, save, pace, short: None })
}

/// Saves the object at this path of the reply.
pub(super) fn object(path: &str) -> Save {
    Save::Object(intern::text(path))
}

/// Saves the identifier at this path of the reply.
pub(super) fn id_at(path: &str) -> Save {
    Save::Field { path: intern::text(path), attribute: intern::text("id") }
}

/// No steps.
pub(super) fn nothing(_: &Context<'_>) -> Vec<Step> {
    Vec::new()
}

/// No steps, as nothing of it changes in place.
pub(super) fn no_update(_: &Context<'_>, _: &[AttributeChange], _: bool) -> Vec<Step> {
    Vec::new()
}

/// Nothing else is read.
pub(super) fn no_reads(_: &ValueMap, _: &str, _: &Place) -> Vec<Call> {
    Vec::new()
}

/// For what AWS lists as a part of another object.
pub(super) fn in_another(_: &Recorded<'_>) -> Option<Value> {
    None
}

/// For what is ready as long as it is listed.
pub(super) fn always_ready(_: &Value) -> Phase {
    Phase::Ready
}

impl Context<'_> {
    pub(super) fn address(&self) -> &Address {
        &self.target.address
    }

    pub(super) fn kind(&self) -> Kind {
        self.target.address.kind
    }

    /// The object's identifier: known, or that of the object the node is about to make.
    pub(super) fn id(&self) -> Value {
        match self.before.get("id") {
            Some(id) if !id.is_null() => id.clone(),
            Some(_) | None => Value::reference(self.address().clone(), "id"),
        }
    }

    /// An attribute as desired.
    pub(super) fn get(&self, name: &str) -> Value {
        self.after.get(name).cloned().unwrap_or_default()
    }

    /// An attribute as observed.
    pub(super) fn old(&self, name: &str) -> Value {
        self.before.get(name).cloned().unwrap_or_default()
    }

    /// The tags of an object that is made: with those of others, if it replaces one that had some.
    pub(super) fn all_tags(&self) -> Value {
        self.after.get(ALL_TAGS).or_else(|| self.after.get(OWN_TAGS)).cloned().unwrap_or_default()
    }

    /// The client token of the creation of this generation.
    pub(super) fn token(&self) -> Value {
        Value::from(identity::client_token(self.lineage, self.address(), self.generation))
    }

    /// The read that tells everything about it, and its path in the reply.
    pub(super) fn read(&self) -> (Call, &'static str) {
        let attributes = if self.after.is_empty() { self.before } else { self.after };
        read(self.kind(), attributes, self.id())
    }

    /// A creating call whose object is found by our tags if its answer is lost.
    pub(super) fn create_call(
        &self,
        operation: Operation,
        save: Save,
        args: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Step {
        let recover = lookup(self.address(), self.after, self.lineage, self.generation, self.place);
        let tags = [("Tags", self.all_tags())];
        Step::Call { call: Call::new(operation, args.into_iter().chain(tags)), save, recover, way_back: None }
    }

    /// A call whose result is found by its place if it says "already so".
    pub(super) fn placed_call<const N: usize>(
        &self,
        operation: Operation,
        save: Save,
        args: [(&'static str, Value); N],
    ) -> Step {
        let list = intern::text(self.kind().definition().listing.list);
        let recover = Some(Lookup { call: self.read().0, list, tags: ValueMap::new() });
        Step::Call { call: Call::new(operation, args), save, recover, way_back: None }
    }

    pub(super) fn wait_for(&self, accept: Vec<Accept>, pace: Pace) -> Step {
        let (call, path) = self.read();
        wait(call, accept, object(path), pace)
    }

    /// A call with the object's identifier and nothing else.
    pub(super) fn by_id(&self, operation: Operation, argument: &'static str) -> Step {
        call(operation, [(argument, self.id())])
    }

    /// Waits until no interface that AWS manages is there any more: it may outlive its NAT gateway or database, and
    /// holds its subnet and its security groups. One read if none is there.
    pub(super) fn interfaces_gone(&self, filter: &str) -> Step {
        let owners = Value::list([NAT_INTERFACE, DATABASE_INTERFACE]);
        let filters = Value::map([(filter, text_list(self.id())), ("description", owners)]);
        let read = Call::new(Ec2::DescribeNetworkInterfaces, [("Filters", filters)]);
        wait(read, vec![absent("NetworkInterfaces.0")], Save::Nothing, INTERFACES_GONE)
    }
}
