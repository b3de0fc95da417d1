//! Nodes that only read, and what they bring.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Node, Save, Step, Verb};
use crate::address::Address;
use crate::api::{ApiError, Call, Operation, Rds, Reply};
use crate::kind::Kind;
use crate::state::Target;
use crate::value::Value;

/// A node with one reading step.
pub(crate) fn read_node(address: Address, step: Step) -> Node {
    Node {
        target: Target::current(address),
        verb: Verb::Read,
        steps: vec![step],
        needs: Vec::new(),
        generation: 0,
        after: Arc::default(),
        dependencies: Arc::default(),
    }
}

/// A node that sends one reading call.
pub(crate) fn read((kind, call): (Kind, Call)) -> Node {
    read_node(Address::root(kind, "any"), Step::Call { call, save: Save::Nothing, recover: None, way_back: None })
}

/// A call, and what became of it.
pub(crate) type Answer<'a> = (&'a Call, Result<&'a Value, &'a ApiError>);

/// Replies by operation, with the call that asked.
pub struct Replies<'a> {
    by_operation: BTreeMap<Operation, Vec<Answer<'a>>>,
}

impl<'a> Replies<'a> {
    pub(crate) fn new(replies: &'a [(Node, Reply)]) -> Self {
        let mut by_operation: BTreeMap<Operation, Vec<_>> = BTreeMap::new();
        for (node, reply) in replies {
            if let Some(Step::Call { call, .. }) = node.steps.first() {
                by_operation.entry(call.operation).or_default().push((call, reply.as_ref()));
            }
        }
        Self { by_operation }
    }

    /// The answers to one operation.
    pub(crate) fn of(&self, operation: Operation) -> &[Answer<'a>] {
        self.by_operation.get(&operation).map_or(&[], Vec::as_slice)
    }

    /// Every answer, with the call that asked.
    pub(crate) fn calls(&self) -> impl Iterator<Item = Answer<'a>> {
        self.by_operation.values().flatten().copied()
    }

    /// The items of a list in the good answers to one operation.
    pub(crate) fn items(&self, operation: Operation, list: &str) -> impl Iterator<Item = &'a Value> {
        let good = self.of(operation).iter().filter_map(|(_, reply)| reply.ok());
        good.flat_map(move |reply| reply.get(list).as_list().unwrap_or_default())
    }

    /// Every error that was answered, but for tags of a name that may be nobody's.
    pub(crate) fn errors(&self) -> impl Iterator<Item = &'a ApiError> {
        let asked =
            self.by_operation.iter().filter(|(operation, _)| **operation != Operation::Rds(Rds::ListTagsForResource));
        asked.flat_map(|(_, answers)| answers).filter_map(|(_, reply)| reply.err())
    }
}
