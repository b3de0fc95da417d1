//! Which snapshots there are, as far as a plan has to know: the name of a final one must be free.

use std::collections::BTreeSet;

use super::{Inputs, Known, Replies, read};
use crate::api::{Call, Operation, Rds};
use crate::kind::Kind;
use crate::plan::build::Found;
use crate::plan::ending;
use crate::plan::{Node, Plan};
use crate::resource::Phase;
use crate::value::Value;

/// The snapshots that replies tell of: those that people asked for, of every database, as a name is anybody's.
pub(super) struct Snapshots<'a> {
    /// Name in lower case, and the database that it is of, by its resource identifier.
    known: Vec<(String, &'a str)>,
}

impl<'a> Snapshots<'a> {
    /// `None` if they were not read.
    pub(super) fn of(replies: &Replies<'a>) -> Option<Self> {
        if replies.of(Operation::Rds(Rds::DescribeDBSnapshots)).is_empty() {
            return None;
        }
        let known = replies.items(Operation::Rds(Rds::DescribeDBSnapshots), "DBSnapshots").filter_map(|snapshot| {
            let name = snapshot.get("DBSnapshotIdentifier").as_str()?.to_ascii_lowercase();
            Some((name, snapshot.get("DbiResourceId").as_str().unwrap_or_default()))
        });
        Some(Self { known: known.collect() })
    }

    pub(super) fn names(&self) -> BTreeSet<String> {
        self.known.iter().map(|(name, _)| name.clone()).collect()
    }

    /// True if a database that stands has a snapshot under the name that its final one would have: an earlier run may have
    /// deleted it a moment ago, and what is read of it may be from before that.
    pub(super) fn tell_of_an_end(&self, inputs: &Inputs, known: &Known) -> bool {
        known.observed.iter().any(|(target, found)| {
            target.address.kind == Kind::DbInstance
                && !matches!(found.phase, Phase::Deleting | Phase::Gone)
                && self.has_end_of(inputs, found)
        })
    }

    fn has_end_of(&self, inputs: &Inputs, found: &Found) -> bool {
        let present = &*found.attributes;
        let id = present.get("resource_id").and_then(Value::as_str).unwrap_or_default();
        let Some(name) = ending::asked(&inputs.variables, present) else { return false };
        let name = name.unwrap_or_else(|| ending::first_name(present)).to_ascii_lowercase();
        !id.is_empty() && self.known.iter().any(|(known, of)| *known == name && *of == id)
    }
}

/// The read of the snapshots, if the plan makes a final one.
pub(super) fn reads(plan: &Plan) -> Vec<Node> {
    let makes_one = plan.calls().any(|(_, call, _)| !call.arg("FinalDBSnapshotIdentifier").is_null());
    let call = || Call::new(Rds::DescribeDBSnapshots, [("SnapshotType", Value::str("manual"))]);
    makes_one.then(|| read((Kind::DbInstance, call()))).into_iter().collect()
}
