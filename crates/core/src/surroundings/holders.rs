//! Who holds an object that AWS will not delete: asked while a plan is carried out, once a refusal has lasted some seconds.
//!
//! [`super::around`] refuses such a plan before its first call. What others put there since, and what it could not read, is
//! met here.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::around;
use super::neighbours::{self, Doomed, Surroundings};
use crate::api::Reply;
use crate::kind::Kind;
use crate::plan::reads::Replies;
use crate::plan::{Action, Change, Node, Plan};
use crate::resource::Use;
use crate::stack;
use crate::state::{State, Target};
use crate::value::Value;

/// True of what AWS keeps while somebody uses it: a database, a server and a gateway are deleted with what they hold, others
/// are parts of another object.
fn is_held_by_others(kind: Kind) -> bool {
    matches!(kind.definition().used_by_others, Use::Held | Use::Network)
}

/// The reads that tell who holds what these changes delete; none if they delete nothing that others could use.
pub(crate) fn reads(state: &State, changes: &[Change]) -> Vec<Node> {
    let goes = |change: &&Change| matches!(change.action, Action::Delete | Action::Replace(_));
    let kinds: BTreeSet<Kind> = changes.iter().filter(goes).map(|change| change.target.address.kind).collect();
    let Some(vpc) = vpc(state).filter(|_| kinds.iter().any(|kind| is_held_by_others(*kind))) else {
        return Vec::new();
    };
    neighbours::reads(vpc, kinds.contains(&Kind::Vpc))
}

fn vpc(state: &State) -> Option<&str> {
    state.attribute(&stack::vpc(), "id").and_then(Value::as_str)
}

/// What the executor needs to ask who holds an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asker {
    vpc: String,
    /// Identifiers of everything that the plan acts on or leaves as it is.
    ours: BTreeSet<Arc<str>>,
    /// The reads, in the order in which they are sent.
    pub(crate) nodes: Arc<[Node]>,
}

impl Asker {
    /// For a plan that starts from this state.
    pub(crate) fn new(plan: &Plan, state: &State) -> Self {
        if plan.around.is_empty() {
            return Self::default();
        }
        let ours = around::recorded(&plan.changes, state).into_iter().map(Arc::from).collect();
        Self { vpc: vpc(state).unwrap_or_default().to_owned(), ours, nodes: plan.around.clone() }
    }

    /// True if others can hold this object.
    pub(crate) fn asks_for(&self, target: &Target) -> bool {
        !self.nodes.is_empty() && is_held_by_others(target.address.kind)
    }

    /// Who holds the object, a text each, as `i-1, an instance "bastion" with interface eni-1`. What carries our lineage and
    /// is not recorded may be another run's, which deletes it: `by_tag` tells whether it is left out.
    pub(crate) fn holders(
        &self,
        target: &Target,
        state: &State,
        replies: &[(Node, Reply)],
        by_tag: bool,
    ) -> Vec<String> {
        let kind = target.address.kind;
        let id = state
            .get(target)
            .and_then(|object| object.attributes.get(kind.key_attribute())?.as_str())
            .unwrap_or_default();
        let mut doomed = Doomed::default();
        if kind == Kind::Vpc {
            doomed.vpc = Some(id.to_owned());
        } else {
            doomed.ids.insert(id.to_owned(), (target.address.clone(), kind));
        }
        let replies = Replies::new(replies);
        let made = state.objects().filter_map(|(_, object)| object.id());
        let ours = self.ours.iter().map(|id| &**id).chain(made).collect();
        let mut around = Surroundings { state, replies: &replies, doomed: &doomed, vpc: &self.vpc, ours, by_tag };
        let more = around.own_and_going();
        around.ours.extend(more);
        let found = around.neighbours().into_iter();
        let found = found.filter(|neighbour| neighbour.losses.iter().any(|loss| loss.is_refused_by_aws));
        let texts: BTreeSet<String> = found.map(|found| format!("{}, {}", found.id, found.who)).collect();
        texts.into_iter().collect()
    }
}
