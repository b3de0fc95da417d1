//! From variables and state to a plan: which reads are needed, and what follows from their replies.
//!
//! A session has up to three rounds, each a graph of nodes for the executor: [`recovery`] finds what an interrupted
//! run made and could not record, [`discovery`] reads everything a plan needs, the plan's own nodes change the world and,
//! where it is to be empty afterwards, look whether it is ([`sweep`]).

pub mod choices;
pub mod claim;
pub mod refresh;
mod settle;
pub mod sweep;
mod takeback;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use self::settle::look_again;
use crate::address::Address;
use crate::api::{ApiError, Call, ErrorClass, Idempotency, Operation, Reply};
use crate::identity;
use crate::model::Kind;
use crate::observe::{self, Place};
use crate::plan::build::{self, build};
use crate::plan::lower;
use crate::plan::{
    Accept, Action, Drift, Expect, Mode, Node, OutputChange, Pace, Plan, Reason, Save, Step, Verb, Waiter,
};
use crate::secret::DB_PASSWORD;
use crate::stack::{self, Stack, stack};
use crate::state::{Resource, State, Target};
use crate::value::{Value, ValueMap};
use crate::variables::Variables;

/// How long a creation may stay invisible to reads before it counts as not made, milliseconds. AWS names no bound;
/// objects show within seconds.
pub const VISIBILITY_MS: u64 = 30_000;

/// What the user asked for.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The validated variables.
    pub variables: Variables,
    /// Contents of the file `app_user_data` names.
    pub user_data: Option<String>,
    /// What to plan.
    pub mode: Mode,
    /// True to choose image and engine version anew.
    pub upgrade: bool,
    /// The password, compared with the recorded hash by the caller (hashing is slow on purpose).
    pub password: Password,
}

/// What is known of the database password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// Not given, and not needed.
    Absent,
    /// The one recorded.
    Unchanged,
    /// The one the database has, whose hash is not recorded yet: this is it.
    Known(String),
    /// Another one, or the first: this is its new hash.
    New(String),
}

impl Password {
    /// The same password, taken for the one the database has: AWS does not tell whether it is. It is not sent, so that
    /// a database found without its state never gets another password unasked.
    #[must_use]
    pub fn trusted(self) -> Self {
        match self {
            Self::New(hash) | Self::Known(hash) => Self::Known(hash),
            Self::Absent => Self::Absent,
            Self::Unchanged => Self::Unchanged,
        }
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A read failed.
    #[error("{call}: {error}")]
    Read {
        /// The call.
        call: String,
        /// AWS's answer.
        error: ApiError,
    },
    /// What the user asks for cannot be done.
    #[error("{summary}")]
    Impossible {
        /// What and why.
        summary: String,
        /// What to do.
        hint: String,
    },
}

/// A plan with what the user should be told beside it.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The state it starts from: the recorded one with moves, adopted objects and refreshed attributes.
    pub state: State,
    /// True if that state says more than the recorded one, so that it is worth writing without any change.
    pub state_changed: bool,
    /// Warnings, one line each.
    pub warnings: Vec<String>,
}

/// True of addresses whose unfinished creation this command takes up again, or leaves to a later one.
fn takes_up(inputs: &Inputs, state: &State) -> impl Fn(&Address) -> bool + use<> {
    let declared = match inputs.mode {
        Mode::Apply => stack(&inputs.variables, &state.private.choices, None).resources,
        Mode::Destroy | Mode::RefreshOnly => BTreeMap::new(),
    };
    let is_refresh = inputs.mode == Mode::RefreshOnly;
    move |address| is_refresh || declared.contains_key(address)
}

/// Reads that find the objects of unfinished creations. Empty if there are none.
pub fn recovery(state: &State, inputs: &Inputs) -> Vec<Node> {
    if state.private.intents.is_empty() {
        return Vec::new();
    }
    let place = place(state, "");
    let takes_up = takes_up(inputs, state);
    let unfinished = state.private.intents.iter().filter(|(address, _)| state.unfinished(address).is_some());
    unfinished
        .filter_map(|(address, intent)| {
            let attributes = ValueMap::from([
                (Arc::from("identifier"), intent.name.clone().into()),
                (Arc::from("name"), intent.name.clone().into()),
            ]);
            let lookup = lower::lookup(address, &attributes, &state.lineage, intent.generation, &place)?;
            let found = if lookup.list.is_empty() { "Tags".to_owned() } else { format!("{}.0", lookup.list) };
            // What a token makes unique may be tried again and need not be waited for: there would not be two. A name or
            // a block may be another one by now. If nobody tries again, this is the last look.
            let is_unique = intent.operation.idempotency() == Idempotency::ClientToken;
            let is_tried_again = takes_up(address) && !state.resources.contains_key(address);
            let patience = if is_unique && is_tried_again { 0 } else { VISIBILITY_MS };
            let waiter = Waiter {
                call: lookup.call,
                accept: vec![Accept { expect: Expect::Present { path: Arc::from(found) }, success: true }],
                save: Save::Nothing,
                pace: Pace { least_ms: 0, usual_ms: 1000, deadline_ms: patience },
            };
            let mut node = read_node(address.clone(), Step::Wait(waiter));
            node.generation = intent.generation;
            Some(node)
        })
        .collect()
}

/// Takes what [`recovery`] found into the state. Returns a line for each object adopted.
///
/// # Errors
/// A search that failed: without its answer, what it looked for would be made a second time.
pub fn adopt(state: &mut State, replies: &[(&Node, &Reply)]) -> Result<Vec<String>, Vec<Problem>> {
    let failed = replies.iter().filter_map(|(node, reply)| {
        let error = reply.as_ref().err().filter(|error| error.class != ErrorClass::NotFound)?;
        let operation = node.steps.first()?.calls(node).first()?.1.operation;
        Some(Problem::Read { call: operation.to_string(), error: error.clone() })
    });
    let failed: Vec<Problem> = failed.collect();
    if !failed.is_empty() {
        return Err(failed);
    }
    let place = place(state, "");
    let mut lines = Vec::new();
    for (node, reply) in replies {
        let Ok(reply) = reply else { continue };
        let address = &node.target.address;
        let wanted = identity::tags(&state.lineage, address, node.generation);
        let candidates = match node.steps.first() {
            Some(Step::Wait(waiter)) if waiter.call.operation == Operation::ListTagsForResource => {
                std::slice::from_ref(reply)
            }
            Some(_) | None => {
                reply.as_map().and_then(|map| map.values().next()).and_then(Value::as_list).unwrap_or_default()
            }
        };
        let ours = |object: &&Value| {
            let tags = object.get("Tags");
            wanted.iter().all(|(key, value)| tags.get(key) == value)
                && observe::phase(address.kind, object) != observe::Phase::Gone
        };
        let Some(object) = candidates.iter().find(ours) else { continue };
        let Some(mut attributes) = observe::attributes(address.kind, &ValueMap::new(), object, &place) else {
            continue;
        };
        if address.kind == Kind::DbSubnetGroup
            && let Some(name) = state.private.intents.get(address).and_then(|intent| intent.name.clone())
        {
            attributes.insert(Arc::from("id"), Value::Str(name.clone()));
            attributes.insert(Arc::from("name"), Value::Str(name));
        }
        let id = attributes.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        lines.push(format!("{address}: found {id}, created by an earlier run that could not record it"));
        if let Some(old) = state.resources.remove(address) {
            let key = identity::deposed_key(&state.lineage, address, node.generation);
            state.deposed.insert(Target { address: address.clone(), deposed: Some(key) }, old);
        }
        let resource = Resource { attributes: Arc::new(attributes), ..Resource::default() };
        state.resources.insert(address.clone(), Arc::new(resource));
    }
    Ok(lines)
}

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

/// Reads a plan needs: who we are, what AWS offers where nothing is chosen yet, what became of the recorded objects.
pub fn discovery(state: &State, inputs: &Inputs) -> Vec<Node> {
    let mut calls = vec![(Kind::Vpc, Call::new(Operation::GetCallerIdentity, []))];
    if inputs.mode == Mode::Apply {
        calls.extend(choices::reads(state, inputs));
        calls.extend(refresh::database_places(state, &inputs.variables));
    }
    calls.extend(refresh::reads(state));
    let node =
        |(kind, call)| read_node(Address::root(kind, "any"), Step::Call { call, save: Save::Nothing, recover: None });
    calls.into_iter().map(node).chain(claim::guard::reads(state, inputs)).collect()
}

/// A call, and what became of it.
type Answer<'a> = (&'a Call, Result<&'a Value, &'a ApiError>);

/// Operations that planning may send: who prints what a plan needs adds them to its calls.
pub fn reads() -> impl Iterator<Item = Operation> {
    Operation::ALL.iter().copied().filter(|operation| !operation.is_mutating())
}

/// Replies by operation, with the call that asked.
pub struct Replies<'a> {
    by_operation: BTreeMap<Operation, Vec<Answer<'a>>>,
}

impl<'a> Replies<'a> {
    fn new(replies: &'a [(Node, Reply)]) -> Self {
        let mut by_operation: BTreeMap<Operation, Vec<_>> = BTreeMap::new();
        for (node, reply) in replies {
            if let Some(Step::Call { call, .. }) = node.steps.first() {
                by_operation.entry(call.operation).or_default().push((call, reply.as_ref()));
            }
        }
        Self { by_operation }
    }

    /// The answers to one operation.
    fn of(&self, operation: Operation) -> &[Answer<'a>] {
        self.by_operation.get(&operation).map_or(&[], Vec::as_slice)
    }

    /// The items of a list in the good answers to one operation.
    fn items(&self, operation: Operation, list: &str) -> impl Iterator<Item = &'a Value> {
        let good = self.of(operation).iter().filter_map(|(_, reply)| reply.ok());
        good.flat_map(move |reply| reply.get(list).as_list().unwrap_or_default())
    }

    /// Reads that failed in a way that leaves us without knowledge.
    fn problems(&self) -> Vec<Problem> {
        let failed = self.by_operation.values().flatten().filter_map(|(call, reply)| Some((call, reply.err()?)));
        let fatal = failed.filter(|(call, error)| match error.class {
            ErrorClass::NotFound => {
                call.operation == Operation::GetParameter || call.operation == Operation::DescribeImages
            }
            ErrorClass::NotImplemented | ErrorClass::Unauthorized | ErrorClass::Unknown => {
                !choices::can_do_without(call.operation)
            }
            ErrorClass::Throttled
            | ErrorClass::AlreadyExists
            | ErrorClass::Conflict
            | ErrorClass::Capacity
            | ErrorClass::Quota
            | ErrorClass::Credentials
            | ErrorClass::Refused => true,
        });
        fatal.map(|(call, error)| Problem::Read { call: call.operation.to_string(), error: error.clone() }).collect()
    }
}

/// What the replies tell, taken into the state.
struct Known {
    state: State,
    account: Option<String>,
    place: Place,
    moves: Vec<(Address, Address)>,
    drift: Vec<Drift>,
    observed: build::Observed,
    held_subnets: BTreeSet<String>,
    warnings: Vec<String>,
}

fn know(recorded: &State, inputs: &Inputs, replies: &[(Node, Reply)]) -> Result<Known, Vec<Problem>> {
    let replies = Replies::new(replies);
    let problems = replies.problems();
    if !problems.is_empty() {
        return Err(problems);
    }
    let strangers = claim::guard::strangers(recorded, inputs, &replies);
    if !strangers.is_empty() {
        return Err(vec![claim::guard::problem(inputs, &strangers)]);
    }
    let mut state = recorded.clone();
    let account = check_place(&mut state, inputs, &replies)?;
    let place = Place { region: inputs.variables.aws_region.clone(), account: account.clone() };
    let mut warnings = Vec::new();
    let moves = move_addresses(&mut state, &inputs.variables, inputs.mode);
    let _begun = refresh::adopt_untagged(&mut state, &replies, &place);
    let (drift, observed) = refresh::refresh(&mut state, &replies, &place, &moves);
    refresh::drop_gone(&mut state, &observed);
    forget_finished_intents(&mut state);
    // Recovery has shown that nothing was made.
    let takes_up = takes_up(inputs, &state);
    state.private.intents.retain(|address, _| takes_up(address));
    warnings.extend(refresh::stuck(&observed));
    if let Password::Known(hash) = &inputs.password {
        state.private.secrets.insert(Arc::from(DB_PASSWORD), Arc::from(hash.as_str()));
    }
    if inputs.mode == Mode::Apply {
        state.private.choices = choices::choose(&state, inputs, &replies, &mut warnings)?;
    }
    let held_subnets = refresh::held_subnets(&replies);
    Ok(Known { state, account, place, moves, drift, observed, held_subnets, warnings })
}

/// The plan that follows from the replies of [`discovery`].
///
/// # Errors
/// Every [`Problem`] found, not only the first.
pub fn plan(recorded: State, inputs: &Inputs, replies: Vec<(Node, Reply)>) -> Result<Planned, Vec<Problem>> {
    let Known { mut state, account, place, moves, drift, mut observed, held_subnets, warnings } =
        know(&recorded, inputs, &replies)?;
    // Neither what was answered nor what was recorded is needed beside what is known now, and both may be large.
    drop(replies);
    let stack = match inputs.mode {
        Mode::Apply => stack(&inputs.variables, &state.private.choices, inputs.user_data.as_deref()),
        Mode::Destroy | Mode::RefreshOnly => Stack::default(),
    };
    takeback::take_back(&mut state, &mut observed, &stack);
    let state_changed = state != recorded;

    let mut built = build(&build::Inputs {
        stack: &stack,
        state: &state,
        observed: &observed,
        held_subnets: &held_subnets,
        mode: inputs.mode,
        password: &inputs.password,
        place: &place,
    })?;
    // A state that was never written has left nothing behind.
    if inputs.mode == Mode::Destroy && recorded.serial > 0 {
        sweep::append(&mut built.nodes, &recorded, &inputs.variables, &place);
    }
    let State { lineage, serial, outputs: recorded_outputs, private: recorded_private, .. } = recorded;
    let outputs = outputs(&recorded_outputs, &state, &stack, &built.changes, inputs.mode);
    let managed = inputs.mode == Mode::Apply && inputs.variables.db_manage_master_user_password;
    let secrets = match &inputs.password {
        _ if managed => BTreeMap::new(),
        Password::New(hash) | Password::Known(hash) => {
            BTreeMap::from([(Arc::from(DB_PASSWORD), Arc::from(hash.as_str()))])
        }
        Password::Absent | Password::Unchanged => {
            let known = recorded_private.secrets.get(DB_PASSWORD).cloned();
            known.map(|hash| (Arc::from(DB_PASSWORD), hash)).into_iter().collect()
        }
    };
    let plan = Plan {
        mode: inputs.mode,
        changes: built.changes,
        drift,
        outputs,
        moves,
        nodes: built.nodes.into(),
        choices: state.private.choices.clone(),
        secrets,
        account,
        region: place.region,
        lineage,
        serial,
    };
    Ok(Planned { plan, state, state_changed, warnings })
}

/// A state belongs to one account and one Region: in another, everything would look gone.
fn check_place(state: &mut State, inputs: &Inputs, replies: &Replies<'_>) -> Result<Option<String>, Vec<Problem>> {
    let caller = replies.of(Operation::GetCallerIdentity).iter().find_map(|(_, reply)| reply.ok());
    let account = caller.and_then(|caller| caller.get("Account").as_str()).map(str::to_owned);
    let here = [("account", account.clone()), ("region", Some(inputs.variables.aws_region.clone()))];
    let is_empty = state.is_empty();
    let recorded = [&mut state.private.account, &mut state.private.region];
    let mut problems = Vec::new();
    for ((what, here), recorded) in here.into_iter().zip(recorded) {
        match (&here, &*recorded) {
            (Some(here), Some(there)) if here != there && !is_empty => problems.push(Problem::Impossible {
                summary: format!("the state records objects in {what} {there}, but this is {what} {here}"),
                hint: format!("choose credentials and variables for {what} {there}, or work in another directory"),
            }),
            (Some(_), _) => *recorded = here,
            (None, _) => {}
        }
    }
    let account = state.private.account.clone();
    if problems.is_empty() { Ok(account) } else { Err(problems) }
}

fn place(state: &State, region: &str) -> Place {
    let region = state.private.region.clone().unwrap_or_else(|| region.to_owned());
    Place { region, account: state.private.account.clone() }
}

/// One server has no index, several have: when the count changes, the first keeps its object.
fn move_addresses(state: &mut State, variables: &Variables, mode: Mode) -> Vec<(Address, Address)> {
    let (one, first) = (stack::app_address(0, 1), stack::app_address(0, 2));
    let (from, to) = if variables.app_instance_count == 1 { (first, one) } else { (one, first) };
    if mode != Mode::Apply || state.resources.contains_key(&to) {
        return Vec::new();
    }
    let Some(resource) = state.resources.remove(&from) else { return Vec::new() };
    state.resources.insert(to.clone(), resource);
    if let Some(generation) = state.private.generations.remove(&from) {
        let other = state.private.generations.get(&to).copied().unwrap_or(0);
        state.private.generations.insert(to.clone(), generation.max(other));
    }
    if let Some(intent) = state.private.intents.remove(&from) {
        state.private.intents.insert(to.clone(), intent);
    }
    vec![(from, to)]
}

/// Once the object of a creation is recorded, the diff sees what is left to do. The object that it replaces is another.
fn forget_finished_intents(state: &mut State) {
    let unfinished: BTreeSet<Address> =
        state.private.intents.keys().filter(|address| state.unfinished(address).is_some()).cloned().collect();
    state.private.intents.retain(|address, _| unfinished.contains(address));
}

fn outputs(
    recorded: &BTreeMap<String, Value>,
    state: &State,
    stack: &Stack,
    changes: &[crate::plan::Change],
    mode: Mode,
) -> Vec<OutputChange> {
    let stays: BTreeMap<&Address, bool> = changes
        .iter()
        .filter(|change| change.target.deposed.is_none())
        .map(|change| {
            // A server that is or will be stopped and started gets another public address.
            let restarts = change.attributes.iter().any(|attribute| &*attribute.name == "instance_type")
                || change.before.get("instance_state").is_some_and(|state| state.as_str() != Some("running"));
            let settled = change.reason != Reason::Unsettled && !restarts;
            (&change.target.address, change.action == Action::NoOp || (change.action == Action::Update && settled))
        })
        .collect();
    let known = |address: &Address, attribute: &str| {
        let stays = stays.get(address).copied().unwrap_or(false);
        stays.then(|| state.attribute(address, attribute).cloned()).flatten()
    };
    let mut names: Vec<&String> = recorded.keys().chain(stack.outputs.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| {
            let before = recorded.get(name).cloned().unwrap_or_default();
            let after = match mode {
                Mode::Apply => stack.outputs.get(name).map(|value| value.resolve(&known)).unwrap_or_default(),
                Mode::Destroy => Value::Null,
                Mode::RefreshOnly => before.clone(),
            };
            OutputChange { name: name.clone(), before, after }
        })
        .collect()
}

/// What differs from the record, for [`Plan::drift`].
pub(crate) fn drift_of(target: &Target, attribute: Option<&str>, recorded: Value, observed: Value) -> Drift {
    Drift { target: target.clone(), attribute: attribute.map(Arc::from), recorded, observed }
}
