//! The plan: what will be done and why, lowered to the exact calls.
//!
//! A plan leaves nothing to choose at apply. It is a value: shown, saved, checked and executed as it stands.

pub mod build;
mod edges;
pub mod ending;
pub mod exposure;
pub mod groups;
pub mod kept;
mod loss;
mod problem;
pub mod reads;
pub mod refusal;
pub mod saved;
pub mod sensitive;
pub mod standing;
mod storage;
pub mod tags;
mod unrecorded;
pub mod usual;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::loss::{DataLoss, Lost};
pub use self::problem::{Password, Planned, Problem};
use self::sensitive::Sensitive;
use crate::address::Address;
use crate::api::{Call, Operation, Rds};
use crate::kind::Kind;
use crate::network::Blocked;
pub use crate::procedure::{Accept, Expect, Lookup, Occasion, Pace, Save, Short, Step, Waiter, WayBack};
pub use crate::resource::AttributeChange;
use crate::resource::BACKUP_RETENTION;
use crate::state::{Choices, State, Target};
use crate::value::{Value, ValueMap};

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Make the world as the variables say.
    Apply,
    /// Remove everything.
    Destroy,
    /// Only record what is there.
    RefreshOnly,
}

/// What happens to one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Nothing.
    NoOp,
    /// A new object.
    Create,
    /// The object is changed, or awaited, in place.
    Update,
    /// Another object takes its place.
    Replace(Order),
    /// The object is destroyed.
    Delete,
    /// The record is dropped; the object, if there is one, stays (`aws_default_security_group`).
    Forget,
}

/// The order of a replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// The old object goes first: a name, an address range or an address can be had only once.
    DeleteThenCreate,
    /// The new object comes first, so that nothing is without it.
    CreateThenDelete,
}

/// Why the action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// Nothing to do.
    Unchanged,
    /// Declared and not recorded.
    New,
    /// Recorded, but AWS has no such object any more.
    Gone,
    /// The configuration asks for other values, or the object drifted away from it.
    Changed,
    /// The object exists but has not settled: an earlier run ended before it did.
    Unsettled,
    /// The object is not good: it failed, or an earlier run could not finish it.
    Tainted(String),
    /// An earlier run began to delete it.
    Deleting,
    /// No longer declared.
    Undeclared,
    /// The old half of a replacement.
    Deposed,
    /// The whole stack is to be destroyed.
    Destroy,
}

/// One attribute that AWS changed, or somebody behind our back: observed differs from recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// Which object.
    pub target: Target,
    /// The attribute; `None` if the whole object is gone.
    pub attribute: Option<Arc<str>>,
    /// As recorded.
    pub recorded: Value,
    /// As observed.
    pub observed: Value,
}

/// What happens to one object, for people and machines to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which object.
    pub target: Target,
    /// What happens.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Attributes as observed; empty if there is no object.
    pub before: Arc<ValueMap>,
    /// Attributes as desired, references resolved where the value is known; what is there if there is nothing to do;
    /// empty if it is to go.
    pub after: Arc<ValueMap>,
    /// What differs. Empty for create and delete.
    pub attributes: Vec<AttributeChange>,
}

/// An output and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputChange {
    /// Name.
    pub name: String,
    /// As recorded.
    pub before: Value,
    /// As it will be; may be a reference.
    pub after: Value,
}

/// What a node does to its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verb {
    /// Reads only.
    Read,
    /// Creates.
    Create,
    /// Changes or awaits.
    Update,
    /// Destroys.
    Delete,
    /// Drops the record.
    Forget,
}

/// One action lowered to its procedure: a node of the graph the executor runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Which object.
    pub target: Target,
    /// What is done to it.
    pub verb: Verb,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Nodes, by index, that must be finished first.
    pub needs: Vec<u32>,
    /// The generation of the object that is created.
    pub generation: u32,
    /// Attributes the object has once the node is done; references are resolved when it runs. No secrets.
    pub after: Arc<ValueMap>,
    /// Config addresses of all it depends on.
    pub dependencies: Arc<[Arc<str>]>,
}

impl Node {
    /// The calls it may send.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&Self, &Call, Occasion)> {
        self.steps.iter().flat_map(Step::calls).map(move |(call, occasion)| (self, call, occasion))
    }
}

/// A complete plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What it is for.
    pub mode: Mode,
    /// Every object's change, no-ops included, in address order.
    pub changes: Vec<Change>,
    /// Where observed differs from recorded.
    pub drift: Vec<Drift>,
    /// Outputs, by name.
    pub outputs: Vec<OutputChange>,
    /// Addresses of what the state records and is not of this stack.
    pub kept: Vec<String>,
    /// What stays as it is although the variables do not ask for it, and why; a line each.
    pub notes: Vec<String>,
    /// Renamed addresses, from and to: a changed instance count adds or drops the index.
    pub moves: Vec<(Address, Address)>,
    /// Subnets of the stack whose internet gateway VPC Block Public Access closes: what the plan says of who can reach what.
    #[serde(default, skip_serializing_if = "Blocked::is_empty")]
    pub blocked: Blocked,
    /// The graph to execute. Every node stands after those it needs.
    pub nodes: Arc<[Node]>,
    /// Reads that tell who holds an object, sent only if AWS has not let one be deleted for some seconds.
    #[serde(default)]
    pub around: Arc<[Node]>,
    /// Values chosen once, as they will be recorded.
    pub choices: Choices,
    /// Keys of the tags that aloka sets, as they will be recorded once all is done.
    pub tag_keys: BTreeSet<Arc<str>>,
    /// Hash of each secret as it will be recorded once the secret was sent. It is in no saved plan: whoever has that could try
    /// passwords on it.
    #[serde(skip)]
    pub secrets: BTreeMap<Arc<str>, Arc<str>>,
    /// What of it is not shown and not saved.
    #[serde(default)]
    pub sensitive: Sensitive,
    /// Account and Region the plan was made in.
    pub account: Option<String>,
    /// Account and Region the plan was made in.
    pub region: String,
    /// Lineage of the state it was made from.
    pub lineage: Arc<str>,
    /// Serial of the state it was made from.
    pub serial: u64,
}

impl Plan {
    /// Tells whether the graph can be carried out and is told of: a saved plan may have been changed.
    ///
    /// # Errors
    /// The first node that comes before one it needs, call that AWS does not have, or changing call of an object that no
    /// change tells of.
    pub fn check(&self) -> Result<(), String> {
        let told: BTreeSet<&Address> = self
            .changes
            .iter()
            .filter(|change| change.action != Action::NoOp)
            .map(|change| &change.target.address)
            .collect();
        for (index, node) in self.all_nodes().enumerate() {
            let early = |need: &&u32| usize::try_from(**need).map_or(true, |need| need >= index);
            if let Some(need) = node.needs.iter().find(early) {
                return Err(format!("node {index} ({}) needs node {need}, which does not come before it", node.target));
            }
            for (_, call, _) in node.calls() {
                call.check().map_err(|why| format!("node {index} ({}): {why}", node.target))?;
                if call.operation.is_mutating() && (node.verb == Verb::Read || !told.contains(&node.target.address)) {
                    return Err(format!(
                        "it sends {} for {}, of which it shows no change",
                        call.operation, node.target
                    ));
                }
            }
        }
        Ok(())
    }

    /// True if apply would send no mutating call and change no output.
    pub fn is_empty(&self) -> bool {
        let is_read =
            |node: &Node| node.verb == Verb::Read && node.calls().all(|(_, call, _)| !call.operation.is_mutating());
        self.nodes.iter().all(is_read) && self.outputs.iter().all(|output| output.before == output.after)
    }

    /// Number of objects to be added, changed, destroyed, as Terraform counts: a replacement adds and destroys.
    pub fn counts(&self) -> (usize, usize, usize) {
        let mut counts = (0, 0, 0);
        for change in &self.changes {
            match change.action {
                Action::NoOp | Action::Forget => {}
                Action::Create => counts.0 += 1,
                Action::Update => counts.1 += 1,
                Action::Replace(_) => {
                    counts.0 += 1;
                    counts.2 += 1;
                }
                Action::Delete => counts.2 += 1,
            }
        }
        counts
    }

    /// The data that the plan would destroy: databases and automated backups that a call deletes, and those whose change
    /// says so. One of the two is enough.
    pub fn data_loss(&self) -> DataLoss {
        let mut loss = DataLoss::default();
        for (node, call, _) in self.calls() {
            let lost = match call.operation {
                Operation::Rds(Rds::DeleteDBInstance) => Some(Lost::Database),
                // Whoever turns them off loses those there are.
                Operation::Rds(Rds::ModifyDBInstance) if call.arg("BackupRetentionPeriod").as_i64() == Some(0) => {
                    Some(Lost::Backups)
                }
                _ => None,
            };
            if let Some(lost) = lost {
                loss.add(&node.target, call.arg("DBInstanceIdentifier").as_str(), lost);
            }
        }
        for change in self.changes.iter().filter(|change| change.target.address.kind == Kind::DbInstance) {
            let ends_backups = |attribute: &AttributeChange| {
                &*attribute.name == BACKUP_RETENTION && attribute.after.as_i64() == Some(0)
            };
            let lost = match change.action {
                Action::Delete | Action::Replace(_) => Some(Lost::Database),
                Action::Update if change.attributes.iter().any(ends_backups) => Some(Lost::Backups),
                Action::NoOp | Action::Create | Action::Update | Action::Forget => None,
            };
            if let Some(lost) = lost {
                loss.add(&change.target, change.before.get("identifier").and_then(Value::as_str), lost);
            }
        }
        loss
    }

    /// Why this plan must not be carried out upon `state`, if it was made from another; `None` as the state is that
    /// of a store that nothing was ever recorded in.
    pub fn stale(&self, state: Option<&State>) -> Option<String> {
        let Some(state) = state else {
            let why = || format!("it was made from a state with serial {}, and there is none now", self.serial);
            return (self.serial != 0).then(why);
        };
        if state.lineage != self.lineage {
            let (was, is) = (&self.lineage, &state.lineage);
            return Some(format!("it was made from the state with lineage {was}, this one has {is}"));
        }
        if state.serial != self.serial {
            let (was, is) = (self.serial, state.serial);
            return Some(format!("it was made from serial {was} of the state, which is at serial {is} now"));
        }
        None
    }

    /// How long it usually takes to carry out.
    pub fn usual_duration(&self) -> std::time::Duration {
        usual::duration(&self.nodes, &|_| None)
    }

    /// The same where it was measured how long what some calls begin takes.
    pub fn measured_duration(&self, measured: &dyn Fn(&Call) -> Option<std::time::Duration>) -> std::time::Duration {
        usual::duration(&self.nodes, measured)
    }

    /// Every call the plan may send, in order of execution: always sent, or only in the case named.
    pub fn calls(&self) -> impl Iterator<Item = (&Node, &Call, Occasion)> {
        let calls = |node| Node::calls(node);
        let around = self.around.iter().flat_map(calls).map(|(node, call, _)| (node, call, Occasion::Recovery));
        self.nodes.iter().flat_map(calls).chain(around)
    }

    /// The nodes of the graph, then those that only read who holds an object.
    pub fn all_nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().chain(self.around.iter())
    }
}
