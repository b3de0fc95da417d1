//! The sweep that ends a destroy: a read of every kind we create, by the tag that names the lineage, once everything
//! else is over. What is found and not recorded is told; nothing is done about it here or anywhere else.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::address::Address;
use crate::api::VISIBILITY_MS;
use crate::api::{Call, ErrorClass, Reply};
use crate::identity::{self, LINEAGE_TAG};
use crate::intern;
use crate::kind::Kind;
use crate::plan::Problem;
use crate::plan::reads::read_node;
use crate::plan::{Accept, Expect, Node, Pace, Save, Step, Waiter};
use crate::procedure::left;
use crate::resource::{self, Found, Place};
use crate::shell::Command;
use crate::stack;
use crate::state::State;
use crate::value::Value;
use crate::variables::Variables;

/// A deleted object may be listed a little longer, so what is found is looked at again before it counts as left.
const SETTLED: Pace = Pace { least_ms: 0, usual_ms: 1_000, deadline_ms: VISIBILITY_MS };

/// How objects are looked for, in the order in which a stack is made, each with the kind that the reading node is named after.
fn rows() -> impl Iterator<Item = (Kind, &'static resource::Swept)> {
    Kind::AS_MADE.into_iter().flat_map(|kind| kind.definition().swept.iter().map(move |row| (kind, row)))
}

/// Appends the reads of the sweep to the nodes of a destroy: each runs when all others are over, however they ended.
pub(super) fn append(nodes: &mut Vec<Node>, recorded: &State, variables: &Variables, place: &Place) {
    // All of them, not only the last ones: one that is skipped is over while others, which it needed too, still delete.
    let others: Vec<u32> = (0..u32::try_from(nodes.len()).unwrap_or(u32::MAX)).collect();
    for (of, row, call) in calls(recorded, variables, place) {
        let expect = Expect::NoneOf { list: intern::text(row.list), lineage: recorded.lineage.clone() };
        let accept = vec![Accept { expect, success: true }];
        let step = Step::Wait(Waiter { call, accept, save: Save::Nothing, pace: SETTLED, short: None });
        let mut node = read_node(Address::root(of, "any"), step);
        node.needs.clone_from(&others);
        nodes.push(node);
    }
}

fn calls(recorded: &State, variables: &Variables, place: &Place) -> Vec<(Kind, &'static resource::Swept, Call)> {
    let filter = Value::map([(format!("tag:{LINEAGE_TAG}"), Value::list([&*recorded.lineage]))]);
    let mut calls = Vec::new();
    for (of, row) in rows() {
        match of.definition().found {
            // RDS does not filter by tags, but shows those of instances; those of a group are told by its name.
            Found::ByName => calls.push((of, row, Call::new(row.operation, []))),
            Found::ByTagsOfName => {
                let arns = group_names(recorded, variables).into_iter();
                let arns = arns.map(|name| resource::subnet_group_arn(place, &name)).filter(|arn| !arn.is_null());
                calls.extend(arns.map(|arn| (of, row, Call::new(row.operation, [("ResourceName", arn)]))));
            }
            Found::ByTags | Found::ByPlace => {
                calls.push((of, row, Call::new(row.operation, [("Filters", filter.clone())])));
            }
        }
    }
    calls
}

/// Every name a subnet group of ours may have.
fn group_names(recorded: &State, variables: &Variables) -> BTreeSet<String> {
    let of_kind = |address: &Address| address.kind == Kind::DbSubnetGroup;
    let objects = recorded.objects().filter(|(target, _)| of_kind(&target.address));
    let objects = objects.filter_map(|(_, object)| object.attributes.get("name")?.as_str().map(str::to_owned));
    let intents = recorded.private.intents.iter().filter(|(address, _)| of_kind(address));
    let intents = intents.filter_map(|(_, intent)| Some(intent.name.as_ref()?.to_string()));
    objects.chain(intents).chain([stack::db_subnet_group_name(variables)]).collect()
}

/// An object that carries our lineage and is not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Its Terraform type.
    pub kind: &'static str,
    /// Its identifier, or its name where AWS knows it by that.
    pub id: String,
    /// The address its tag names.
    pub address: Option<String>,
    /// The command of AWS's own tool that removes it; `None` if the identifier has not the form of one.
    pub remove: Option<String>,
}

/// What a sweep saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// The value of the tag.
    pub lineage: Arc<str>,
    /// Terraform types of what was looked for, each once.
    pub kinds: Vec<&'static str>,
    /// What is there and not recorded.
    pub left: Vec<Leftover>,
    /// Reads that failed: of what they looked for, nothing is known.
    pub unread: Vec<Problem>,
}

impl Swept {
    /// What the replies of a run's sweep tell, beside the state as the run left it; `None` if it had no sweep, or did not
    /// come to it.
    pub fn of(state: &State, replies: &[(&Node, &Reply)]) -> Option<Self> {
        let recorded = state.recorded_ids();
        let mut swept =
            Self { lineage: state.lineage.clone(), kinds: Vec::new(), left: Vec::new(), unread: Vec::new() };
        for (node, reply) in replies {
            let Some((row, call)) = swept_by(node) else { continue };
            match reply {
                Ok(reply) => {
                    let left = left(reply, row.list, &state.lineage);
                    let left = left.map(|object| (leftover(row, object, call), object.get("InstanceId").as_str()));
                    // A volume is recorded with its instance.
                    let is_recorded = |(left, instance): &(Leftover, Option<&str>)| {
                        [Some(left.id.as_str()), *instance].into_iter().flatten().any(|id| recorded.contains(id))
                    };
                    swept.left.extend(left.filter(|left| !is_recorded(left)).map(|(left, _)| left));
                }
                Err(error) if error.class == ErrorClass::NotFound => {}
                Err(error) => {
                    swept.unread.push(Problem::Read { call: call.operation.to_string(), error: error.clone() });
                }
            }
            if !swept.kinds.contains(&row.terraform_type) {
                swept.kinds.push(row.terraform_type);
            }
        }
        (!swept.kinds.is_empty()).then_some(swept)
    }

    /// True if all was read and nothing found.
    pub fn is_clean(&self) -> bool {
        self.left.is_empty() && self.unread.is_empty()
    }

    /// `checked 12 kinds by tag aloka-lineage=…: nothing left`
    pub fn summary(&self) -> String {
        let found = match (self.left.len(), self.unread.len()) {
            (0, 0) => "nothing left".to_owned(),
            (0, unread) => format!("{unread} could not be read"),
            (left, 0) => format!("{left} left"),
            (left, unread) => format!("{left} left, {unread} could not be read"),
        };
        format!("checked {} kinds by tag {LINEAGE_TAG}={}: {found}", self.kinds.len(), self.lineage)
    }
}

fn leftover(row: &resource::Swept, object: &Value, call: &Call) -> Leftover {
    let arn = || call.arg("ResourceName").as_str().and_then(|arn| arn.rsplit(':').next());
    let id = object.get(row.id).as_str().or_else(arn).unwrap_or_default().to_owned();
    let tag = identity::address_tag(object.get("Tags"));
    // A tag cannot hold the brackets of an index.
    let address = tag.map(|tag| Address::from_tag_value(tag).map_or_else(|_| tag.to_owned(), |a| a.to_string()));
    let remove = Command::new(row.remove).id(&id).map(|command| command.to_string());
    Leftover { kind: row.terraform_type, remove, id, address }
}

/// The row and the call of a node of a sweep; `None` for any other node.
fn swept_by(node: &Node) -> Option<(&'static resource::Swept, &Call)> {
    let Some(Step::Wait(waiter)) = node.steps.first() else { return None };
    let is_sweep = waiter.accept.iter().any(|accept| match accept.expect {
        Expect::NoneOf { .. } => true,
        Expect::Equals { .. }
        | Expect::All(_)
        | Expect::Present { .. }
        | Expect::Each { .. }
        | Expect::Exactly { .. }
        | Expect::Absent { .. } => false,
    });
    let (_, row) = rows().find(|(_, row)| row.operation == waiter.call.operation).filter(|_| is_sweep)?;
    Some((row, &waiter.call))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Ec2, Operation};
    use crate::variables::{Needs, evaluate};

    fn tagged(lineage: &str, fields: &[(&str, &str)]) -> Value {
        let tags = Value::map([(LINEAGE_TAG, lineage), ("aloka-address", "module.vpc.aws_subnet.public/1")]);
        let fields = fields.iter().map(|(name, value)| (*name, Value::str(value)));
        Value::map(fields.chain([("Tags", tags)]))
    }

    fn swept(object: Value, state: &State) -> Swept {
        let defaults = evaluate(&[], Needs { password: false }).map(|evaluated| evaluated.variables);
        let variables = defaults.expect("the defaults are valid");
        let mut nodes = Vec::new();
        append(&mut nodes, state, &variables, &Place::default());
        let index =
            nodes.iter().position(|node| swept_by(node).is_some_and(|(row, _)| row.terraform_type == "aws_subnet"));
        let node = &nodes[index.expect("a read of subnets")];
        let reply: Reply = Ok(Value::map([("Subnets", Value::List(vec![object]))]));
        Swept::of(state, &[(node, &reply)]).expect("a sweep")
    }

    #[test]
    fn the_sweep_looks_when_all_deletions_are_over_and_not_when_one_of_them_is_given_up() {
        use crate::api::{ApiError, ErrorClass};
        use crate::engine::{Effect, Event, Executor};
        use crate::plan::Verb;
        use crate::time::Instant;

        let call = |operation: Operation| Step::Call {
            call: Call::new(operation, []),
            save: Save::Nothing,
            recover: None,
            way_back: None,
        };
        let delete = |kind: Kind, operation: Operation, needs: &[u32]| {
            let mut node = read_node(Address::root(kind, "any"), call(operation));
            (node.verb, node.needs) = (Verb::Delete, needs.to_vec());
            node
        };
        // The VPC goes last, after a server that may not be terminated and a subnet that takes its time.
        let mut nodes = vec![
            delete(Kind::Instance, Operation::Ec2(Ec2::TerminateInstances), &[]),
            delete(Kind::Subnet, Operation::Ec2(Ec2::DeleteSubnet), &[]),
            delete(Kind::Vpc, Operation::Ec2(Ec2::DeleteVpc), &[0, 1]),
        ];
        let deletions = nodes.len();
        let state = State::new("ours");
        let variables =
            evaluate(&[], Needs { password: false }).map(|evaluated| evaluated.variables).expect("defaults");
        append(&mut nodes, &state, &variables, &Place::default());
        assert!(nodes.len() > deletions);
        let mut executor = Executor::new(nodes, state, Instant::ZERO);
        let mut subnet = None;
        let mut now = Instant::ZERO;
        for _ in 0..100 {
            let effects = executor.poll(now);
            let is_quiet = effects.is_empty();
            for effect in effects {
                match effect {
                    Effect::Send { ticket, request } => match request.operation() {
                        Operation::Ec2(Ec2::TerminateInstances) => {
                            let error =
                                ApiError { code: "No".into(), message: "no".into(), class: ErrorClass::Refused };
                            executor.on_event(now, Event::Replied { ticket, reply: Err(error) });
                        }
                        Operation::Ec2(Ec2::DeleteSubnet) => subnet = Some(ticket),
                        other => panic!("{other} is sent while a subnet is being deleted"),
                    },
                    Effect::Persist { state } => executor.on_event(now, Event::Persisted { serial: state.serial }),
                }
            }
            if is_quiet {
                let Some(next) = executor.next_wakeup() else { break };
                now = next;
            }
        }
        assert!(subnet.is_some());
    }

    #[test]
    fn what_is_ours_and_not_recorded_is_told_with_its_address() {
        let state = State::new("ours");
        let found = swept(tagged("ours", &[("SubnetId", "subnet-1"), ("State", "available")]), &state);
        let expected = Leftover {
            kind: "aws_subnet",
            id: "subnet-1".to_owned(),
            address: Some("module.vpc.aws_subnet.public[1]".to_owned()),
            remove: Some("aws ec2 delete-subnet --subnet-id subnet-1".to_owned()),
        };
        assert_eq!(found.left, [expected]);
        assert!(!found.is_clean());
        assert_eq!(found.summary(), "checked 1 kinds by tag aloka-lineage=ours: 1 left");
    }

    #[test]
    fn what_is_not_ours_or_on_its_way_out_is_not_told() {
        let state = State::new("ours");
        for object in [
            tagged("another", &[("SubnetId", "subnet-1")]),
            tagged("ours", &[("SubnetId", "subnet-1"), ("State", "deleting")]),
            tagged("ours", &[("SubnetId", "subnet-1"), ("GroupName", "default")]),
            Value::map([("SubnetId", "subnet-1")]),
        ] {
            assert!(swept(object.clone(), &state).is_clean(), "{object}");
        }
    }
}
