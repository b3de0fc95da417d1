//! From variables and state to a plan: which reads are needed, and what follows from their replies.
//!
//! [`Session`] is the order of the reads: who we are, what an interrupted run made, what became of everything recorded, a
//! second look at what is not as recorded, and who else would be touched. It is the same for every command, in AWS and on
//! the simulated account. The plan's own nodes then change the world and, where it is to be empty afterwards, look whether
//! it is ([`sweep`]).

mod blocked;
pub mod choices;
pub mod claim;
mod lost;
mod notes;
pub mod place;
mod recovery;
pub mod refresh;
mod rounds;
mod settle;
mod snapshots;
pub mod sweep;
mod takeback;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::recovery::takes_up;
pub use self::rounds::{Next, Session, unread};
use crate::address::Address;
use crate::api::{Ec2, ErrorClass, Operation, Ssm};
use crate::consent::Consent;
use crate::declarable;
use crate::identity;
use crate::kind::Kind;
use crate::network::Blocked;
use crate::ownership::Ownership;
use crate::plan::build::{self, build};
use crate::plan::reads::{Replies, read, read_node};
use crate::plan::sensitive::Sensitive;
use crate::plan::{Action, Drift, Mode, Node, OutputChange, Password, Plan, Planned, Problem, Reason, standing};
use crate::resource::{Phase, Place};
use crate::rules;
use crate::secret::DB_PASSWORD;
use crate::stack::{self, Stack, stack};
use crate::state::{Intent, State, Target, file};
use crate::value::{Value, ValueMap};
use crate::variables::Variables;

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
    /// What the user has agreed to on the command line.
    pub consent: Consent,
    /// Where each variable was set, by name; a variable that has its default is not among them.
    pub origins: BTreeMap<String, String>,
    /// True if the plan only serves to record what is there ([`claim::record_only`]): it is never carried out, so that what
    /// it would do to others does not count.
    pub recording: bool,
}

impl Inputs {
    /// These variables and nothing beside them: no file of user data, no flag.
    pub fn new(variables: Variables, mode: Mode, password: Password) -> Self {
        Self {
            variables,
            user_data: None,
            mode,
            upgrade: false,
            password,
            consent: Consent::default(),
            origins: BTreeMap::new(),
            recording: false,
        }
    }
}

/// Reads that failed in a way that leaves us without knowledge.
fn read_problems(replies: &Replies<'_>) -> Vec<Problem> {
    let failed = replies.calls().filter_map(|(call, reply)| Some((call, reply.err()?)));
    let fatal = failed.filter(|(call, error)| match error.class {
        ErrorClass::NotFound => {
            call.operation == Operation::Ssm(Ssm::GetParameter) || call.operation == Operation::Ec2(Ec2::DescribeImages)
        }
        ErrorClass::NotImplemented | ErrorClass::Unauthorized | ErrorClass::Unknown => !choices::can_do_without(call),
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

/// Reads a plan needs: what became of the recorded objects, what AWS offers where nothing is chosen yet, what carries our
/// lineage. `place` is where this run is.
fn discovery(state: &State, inputs: &Inputs, place: &Place) -> Vec<Node> {
    let mut calls = Vec::new();
    if inputs.mode == Mode::Apply {
        calls.extend(choices::reads(state, inputs));
        calls.extend(refresh::database_places(state, &inputs.variables));
    }
    calls.extend(refresh::reads(state, place));
    calls.extend(lost::reads(state, inputs, place));
    calls.into_iter().map(read).chain(claim::guard::reads(state, inputs)).collect()
}

/// What the replies tell, taken into the state.
struct Known {
    state: State,
    moves: Vec<(Address, Address)>,
    drift: Vec<Drift>,
    observed: build::Observed,
    ownership: Ownership,
    held_subnets: BTreeSet<String>,
    blocked: Blocked,
    warnings: Vec<String>,
}

fn know(recorded: &State, inputs: &Inputs, place: &Place, replies: &Replies<'_>) -> Result<Known, Vec<Problem>> {
    let strangers = claim::guard::strangers(recorded, inputs, replies);
    if !strangers.is_empty() {
        return Err(vec![claim::guard::problem(inputs, &strangers)]);
    }
    if let Some(problem) = claim::moved::problem(recorded, inputs).filter(|_| !inputs.recording) {
        return Err(vec![problem]);
    }
    let mut state = recorded.clone();
    state.private.format_version = file::PRIVATE_FORMAT_VERSION;
    state.private.account = place.account.clone().or(state.private.account);
    state.private.region = Some(place.region.clone());
    let moves = move_addresses(&mut state, &inputs.variables, inputs.mode);
    let _begun = refresh::adopt_untagged(&mut state, replies, place);
    let refresh::Refreshed { drift, observed, ownership } = refresh::refresh(&mut state, replies, place, &moves);
    if inputs.mode == Mode::Destroy
        && !observed.values().any(|found| found.phase != Phase::Gone)
        && state.objects().any(|(target, _)| !ownership.is_foreign(&target))
        && let Some(problem) = place::unknown(recorded, place)
    {
        return Err(vec![problem]);
    }
    refresh::drop_gone(&mut state, &observed, &ownership);
    forget_finished_intents(&mut state, &observed);
    // Recovery has shown that nothing was made.
    let takes_up = takes_up(inputs, &state);
    state.private.intents.retain(|address, _| takes_up(address));
    let blocked = blocked::read(&state, replies);
    let warnings = match inputs.mode {
        Mode::Apply | Mode::RefreshOnly => {
            let mut warnings = standing::notes(&observed, &state, &inputs.variables);
            warnings.extend(blocked::warning(&state, &blocked));
            warnings
        }
        Mode::Destroy => Vec::new(),
    };
    if let Password::Known(hash) = &inputs.password {
        state.private.secrets.insert(Arc::from(DB_PASSWORD), Arc::from(hash.as_str()));
    }
    let held_subnets = refresh::held_subnets(replies);
    Ok(Known { state, moves, drift, observed, ownership, held_subnets, blocked, warnings })
}

/// The plan that follows from what is known.
fn plan(
    recorded: &State,
    inputs: &Inputs,
    place: &Place,
    snapshots: Option<&BTreeSet<String>>,
    known: Known,
) -> Result<Planned, Vec<Problem>> {
    let Known { mut state, moves, drift, mut observed, ownership, held_subnets, blocked, warnings } = known;
    let mut stack = match inputs.mode {
        Mode::Apply => stack(&inputs.variables, &state.private.choices, inputs.user_data.as_deref()),
        Mode::Destroy | Mode::RefreshOnly => Stack::default(),
    };
    if inputs.mode == Mode::Destroy {
        // Who destroys the database is done with what its owner made of it; if it stays, it shows it.
        state.private.choices.db_settings = ValueMap::new();
    }
    takeback::take_back(&mut state, &mut observed, &stack);
    let mut notes = notes::before(recorded, inputs, &observed);
    notes.extend(notes::keep_other_endings(&mut stack, &state, inputs));
    let mut tag_keys = state.private.tag_keys.clone();
    let mut built = build(&build::Inputs {
        stack: &stack,
        state: &state,
        recorded,
        observed: &observed,
        held_subnets: &held_subnets,
        mode: inputs.mode,
        password: &inputs.password,
        variables: &inputs.variables,
        snapshots,
        place,
        ownership: &ownership,
        consent: &inputs.consent,
        origins: &inputs.origins,
        recording: inputs.recording,
    })?;
    notes.append(&mut built.notes);
    if inputs.mode == Mode::Apply {
        take_over(&mut state, &stack, &ownership, &built.changes);
        tag_keys = wanted_tag_keys(&stack);
        // What was set before and is not removed yet stays known until it is.
        if built.changes.iter().any(removes_a_tag) {
            state.private.tag_keys.extend(tag_keys.iter().cloned());
        } else {
            state.private.tag_keys.clone_from(&tag_keys);
        }
    }
    let state_changed = state != *recorded;
    // A state that was never written has left nothing behind.
    if inputs.mode == Mode::Destroy && recorded.serial > 0 {
        sweep::append(&mut built.nodes, recorded, &inputs.variables, place);
    }
    let outputs = outputs(&recorded.outputs, &state, &stack, &built.changes, inputs.mode);
    let around = crate::surroundings::holders::reads(&state, &built.changes).into();
    let plan = Plan {
        mode: inputs.mode,
        changes: built.changes,
        drift,
        outputs,
        kept: ownership.elsewhere.addresses().to_vec(),
        notes,
        moves,
        blocked,
        nodes: built.nodes.into(),
        around,
        choices: state.private.choices.clone(),
        tag_keys,
        secrets: hashes(recorded, inputs),
        sensitive: Sensitive::of(&state),
        account: place.account.clone(),
        region: place.region.clone(),
        lineage: recorded.lineage.clone(),
        serial: recorded.serial,
    };
    Ok(Planned { plan, state, state_changed, warnings })
}

/// The hashes of secrets that the state is to record, by the secret's name.
fn hashes(recorded: &State, inputs: &Inputs) -> BTreeMap<Arc<str>, Arc<str>> {
    let managed = inputs.mode == Mode::Apply && inputs.variables.db_manage_master_user_password;
    match &inputs.password {
        _ if managed => BTreeMap::new(),
        Password::New(hash) | Password::Known(hash) => {
            BTreeMap::from([(Arc::from(DB_PASSWORD), Arc::from(hash.as_str()))])
        }
        Password::Absent | Password::Unchanged => {
            let known = recorded.private.secrets.get(DB_PASSWORD).cloned();
            known.map(|hash| (Arc::from(DB_PASSWORD), hash)).into_iter().collect()
        }
    }
}

/// Keys of the tags that every object of the stack gets.
fn wanted_tag_keys(stack: &Stack) -> BTreeSet<Arc<str>> {
    let tags = stack.resources.values().filter_map(|declared| declared.attributes.get("tags")?.as_map());
    tags.flat_map(|tags| tags.keys().cloned()).chain(identity::KEYS.map(Arc::from)).collect()
}

/// True if a change takes a tag off an object.
fn removes_a_tag(change: &crate::plan::Change) -> bool {
    let Some(tags) = change.attributes.iter().find(|attribute| &*attribute.name == "tags") else { return false };
    let (before, after) = (tags.before.as_map(), tags.after.as_map());
    before.into_iter().flatten().any(|(key, _)| !after.is_some_and(|after| after.contains_key(key)))
}

/// Claims what the variables declare and nothing claimed so far, and the rules of our groups among what is recorded
/// elsewhere that the variables declare. The claims are written with the first write of the apply.
fn take_over(state: &mut State, stack: &Stack, ownership: &Ownership, changes: &[crate::plan::Change]) {
    for change in changes.iter().filter(|change| change.target.deposed.is_none()) {
        let address = &change.target.address;
        let Some(declared) = stack.resources.get(address).filter(|_| !ownership.is_foreign(&change.target)) else {
            continue;
        };
        let Some(resource) = state.resources.get_mut(address) else { continue };
        if !resource.claimed {
            Arc::make_mut(resource).claimed = true;
        }
        let Some(group) = resource.id().filter(|_| address.kind == Kind::SecurityGroup).map(str::to_owned) else {
            continue;
        };
        for rule in ownership.elsewhere.rules_of(&group) {
            let resolve = |address: &Address, name: &str| state.attribute(address, name).cloned();
            let desired = declared.attributes.get(rule.direction.attribute()).map(|value| value.resolve(&resolve));
            let desired = rules::explode(&desired.unwrap_or_default(), Some(&group));
            let is_declared = |rule: &rules::Rule| desired.iter().any(|other| other.key() == rule.key());
            let single = rule.rules(Some(&group));
            if !single.is_empty() && single.iter().all(is_declared) {
                state.private.claims.insert(rule.address.clone(), Arc::from(rule.id.as_str()));
            }
        }
    }
}

fn place_of(state: &State, region: &str) -> Place {
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
    // It stays behind as well: the next server at the old address must not have the client token of this one.
    if let Some(generation) = state.private.generations.get(&from).copied() {
        let last = state.private.generations.entry(to.clone()).or_default();
        *last = (*last).max(generation);
    }
    if let Some(intent) = state.private.intents.remove(&from) {
        state.private.intents.insert(to.clone(), intent);
    }
    vec![(from, to)]
}

/// Once the object of a creation is recorded, the diff sees what is left to do. The object that it replaces is another.
/// What says that we left an object unsettled stays until it has settled.
fn forget_finished_intents(state: &mut State, observed: &build::Observed) {
    let is_left = |address: &Address, intent: &Intent| {
        observed.get(&Target::current(address.clone())).is_some_and(|found| match found.phase {
            Phase::Settling | Phase::Failed(_) => standing::is_ours(address.kind, &found.attributes, Some(intent)),
            Phase::Ready | Phase::Deleting | Phase::Gone => false,
        })
    };
    let intents = state.private.intents.iter();
    let intents = intents.filter(|(address, intent)| state.unfinished(address).is_some() || is_left(address, intent));
    let unfinished: BTreeSet<Address> = intents.map(|(address, _)| address.clone()).collect();
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
    let names = recorded.keys().chain(stack.outputs.keys());
    let mut names: Vec<&String> = names.filter(|name| declarable::OUTPUTS.contains(&name.as_str())).collect();
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
