//! Decides what happens to each object, and in which order: desired against observed, recorded against observed.

mod keep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipnet::Ipv4Net;

use super::edges::recorded_edges;
use super::ending;
use super::sensitive::Sensitive;
use super::{
    Action, AttributeChange, Change, Mode, Node, Order, Reason, Verb, kept, refusal, standing, storage, tags,
    unrecorded,
};
use super::{Password, Problem};
use crate::address::Address;
use crate::consent::Consent;
use crate::diff::{self, Verdict};
use crate::graph;
use crate::identity;
use crate::kind::Kind;
use crate::ownership::{Owner, Ownership};
use crate::resource::{Compare, Context, Ending, MANAGE_MASTER_USER_PASSWORD, OnChange, PASSWORD, Phase, Place};
use crate::stack::{Closures, Declared, Stack};
use crate::state::{State, Target};
use crate::value::{Value, ValueMap};
use crate::variables::Variables;

/// What was read of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its attributes: recorded ones, with everything observed on top.
    pub attributes: Arc<ValueMap>,
    /// Where it stands.
    pub phase: Phase,
}

/// Objects that exist.
pub type Observed = BTreeMap<Target, Found>;

/// Everything the decision depends on.
pub struct Inputs<'a> {
    /// The declared stack.
    pub stack: &'a Stack,
    /// The recorded state, moves done.
    pub state: &'a State,
    /// The state before anything was read.
    pub recorded: &'a State,
    /// What exists of it.
    pub observed: &'a Observed,
    /// Subnets that the database's network interfaces are in, as far as it matters.
    pub held_subnets: &'a BTreeSet<String>,
    /// What to plan.
    pub mode: Mode,
    /// What is known of the password.
    pub password: &'a Password,
    /// The variables.
    pub variables: &'a Variables,
    /// Names of the snapshots that there are, in lower case; `None` if they were not read yet.
    pub snapshots: Option<&'a BTreeSet<String>>,
    /// Where the objects are.
    pub place: &'a Place,
    /// Whose each recorded object is.
    pub ownership: &'a Ownership,
    /// What the user has agreed to.
    pub consent: &'a Consent,
    /// Where each variable was set.
    pub origins: &'a BTreeMap<String, String>,
    /// The plan is never carried out.
    pub recording: bool,
}

/// Changes and the graph that carries them out.
pub struct Built {
    /// One for each object, in address order.
    pub changes: Vec<Change>,
    /// In an order of execution.
    pub nodes: Vec<Node>,
    /// What stays as it is although the variables do not ask for it, and why; a line each.
    pub notes: Vec<String>,
}

/// Decides and lowers.
///
/// # Errors
/// What cannot be done, all of it.
pub fn build(inputs: &Inputs<'_>) -> Result<Built, Vec<Problem>> {
    let mut decisions = Decisions {
        inputs,
        made: BTreeMap::new(),
        removed: BTreeMap::new(),
        nothing: Arc::default(),
        endings: BTreeMap::new(),
        notes: Vec::new(),
        problems: Vec::new(),
    };
    match inputs.mode {
        Mode::Apply => {
            decisions.declared();
            let unrecorded = unrecorded::problems(inputs, &decisions.made);
            if !unrecorded.is_empty() && !inputs.recording {
                return Err(unrecorded);
            }
        }
        Mode::Destroy => {}
        Mode::RefreshOnly => return Ok(Built { changes: Vec::new(), nodes: Vec::new(), notes: Vec::new() }),
    }
    decisions.leftovers();
    if !decisions.problems.is_empty() {
        return Err(decisions.problems);
    }
    decisions.finish()
}

struct Decisions<'a> {
    inputs: &'a Inputs<'a>,
    /// Declared resources, decided.
    made: BTreeMap<Address, Change>,
    /// Objects that go and are not declared, or are the old half of an earlier replacement.
    removed: BTreeMap<Target, Change>,
    /// The attributes of what is not there.
    nothing: Arc<ValueMap>,
    /// How each database that goes is deleted.
    endings: BTreeMap<Target, Ending>,
    notes: Vec<String>,
    problems: Vec<Problem>,
}

impl Decisions<'_> {
    fn declared(&mut self) {
        let addresses: Vec<&Address> = self.inputs.stack.resources.keys().collect();
        let positions: BTreeMap<&Address, usize> = addresses.iter().enumerate().map(|(i, a)| (*a, i)).collect();
        let needs: Vec<Vec<usize>> = self
            .inputs
            .stack
            .resources
            .values()
            .map(|declared| declared.dependencies().iter().filter_map(|a| positions.get(a).copied()).collect())
            .collect();
        match graph::order(&needs) {
            Ok(order) => {
                for position in order {
                    let address = addresses[position];
                    if let Owner::Foreign(why) = self.inputs.ownership.owner(&Target::current(address.clone())) {
                        if !self.inputs.recording {
                            self.problems.push(refusal::foreign(address, &why));
                        }
                        continue;
                    }
                    if let Some(declared) = self.inputs.stack.resources.get(address) {
                        let change = self.decide(address, declared);
                        self.made.insert(address.clone(), change);
                    }
                }
            }
            Err(graph::Cycle(cycle)) => {
                self.problems.push(cycle_problem(cycle.iter().map(|i| addresses[*i].to_string())));
            }
        }
    }

    /// The value a reference has before anything is done; `None` if it is yet to be made.
    fn resolve(&self, address: &Address, attribute: &str) -> Option<Value> {
        let change = self.made.get(address)?;
        let stands = match change.action {
            Action::NoOp | Action::Update | Action::Delete | Action::Forget => true,
            // What is imported before what it refers to looks as if it were to be replaced.
            Action::Replace(_) => self.inputs.recording,
            Action::Create => false,
        };
        let known = change.before.get(attribute).or_else(|| change.after.get(attribute)).filter(|_| stands);
        known.filter(|value| !value.is_null()).cloned()
    }

    fn decide(&mut self, address: &Address, declared: &Declared) -> Change {
        let target = Target::current(address.clone());
        let state = self.inputs.state;
        let found = self.inputs.observed.get(&target).filter(|found| found.phase != Phase::Gone);
        let recorded = state.resources.get(address);
        let nothing = self.nothing.clone();
        let before = found.map_or(&nothing, |found| &found.attributes);
        let generation = match found {
            Some(found) => self.generation_of(address, &found.attributes),
            None => state.next_generation(address),
        };
        let mut after: ValueMap = declared
            .attributes
            .iter()
            .map(|(name, value)| (name.clone(), value.resolve(&|address, name| self.resolve(address, name))))
            .collect();
        self.set_identity(address, &mut after, generation);
        let Some(found) = found else {
            let reason = if recorded.is_some() { Reason::Gone } else { Reason::New };
            return Change {
                target,
                action: Action::Create,
                reason,
                before: nothing,
                after: Arc::new(after),
                attributes: Vec::new(),
            };
        };
        self.keep(&target, &mut after, before);
        let attributes = self.differences(address, declared, &after, before);
        let forced = attributes.iter().any(|change| change.forces_replacement);
        let is_ours = standing::is_ours(address.kind, before, state.private.intents.get(address));
        let (action, reason) = match &found.phase {
            Phase::Failed(why) if is_ours || !standing::is_mendable(why) => {
                (Action::Replace(self.replace_order(declared, address.kind)), Reason::Tainted(why.clone()))
            }
            Phase::Deleting => (Action::Replace(Order::DeleteThenCreate), Reason::Deleting),
            _ if recorded.is_some_and(|resource| resource.tainted) => {
                let why = "an earlier run could not finish it".to_owned();
                (Action::Replace(Order::DeleteThenCreate), Reason::Tainted(why))
            }
            _ if forced => (Action::Replace(self.replace_order(declared, address.kind)), Reason::Changed),
            _ if !attributes.is_empty() => (Action::Update, Reason::Changed),
            Phase::Settling if is_ours => (Action::Update, Reason::Unsettled),
            Phase::Settling | Phase::Failed(_) | Phase::Ready | Phase::Gone => (Action::NoOp, Reason::Unchanged),
        };
        // What a plan that is never carried out would do needs no leave.
        let is_real = !self.inputs.recording;
        if action == Action::Update && !is_ours && is_real {
            self.problems.extend(standing::refused(address, before, &attributes));
        }
        if matches!(action, Action::Replace(_)) {
            if is_real {
                self.problems.extend(standing::protected(address, &found.phase, before, &after));
                self.end(&target, found);
                self.check_claim(&target, &reason, &attributes);
                self.problems.extend(standing::keeps_protection(address, before, &attributes));
            }
            kept::description(&mut after, before);
            let next = state.unfinished(address).map_or(generation.saturating_add(1), |intent| intent.generation);
            self.set_identity(address, &mut after, next);
            // Its successor has the tags that others put on it.
            if let Some(wanted) = after.get(tags::OWN).cloned() {
                let [own, all] = tags::recorded(before, &wanted);
                after.extend(Some([own, all]).filter(|[(_, own), (_, all)]| own != all).into_iter().flatten());
            }
        }
        if action == Action::Update {
            kept::create_only(&mut after, before, address.kind, &declared.create_only);
        }
        let after = if action == Action::NoOp { before.clone() } else { Arc::new(after) };
        Change { target, action, reason, before: before.clone(), after, attributes }
    }

    /// What nothing claims is changed in place only, unless the command line names it.
    fn check_claim(&mut self, target: &Target, reason: &Reason, attributes: &[AttributeChange]) {
        let inputs = self.inputs;
        let Some(why) = inputs.ownership.unclaimed(target) else { return };
        if !inputs.consent.replace.contains(&target.to_string()) {
            let attributes = Sensitive::of(inputs.state).changes(&target.address, attributes);
            self.problems.push(refusal::replaced(target, why, reason, &attributes, inputs.origins));
        }
    }

    /// Decides how a database that goes is deleted. What an earlier run began is only waited for.
    fn end(&mut self, target: &Target, found: &Found) {
        let goes = target.address.kind == Kind::DbInstance && found.phase != Phase::Deleting;
        if !goes || self.inputs.recording {
            return;
        }
        match ending::of(self.inputs, target, found) {
            Ok(ending) => {
                self.notes.extend(ending.notes(target, &found.attributes));
                self.endings.insert(target.clone(), ending);
            }
            Err(problem) => self.problems.push(problem),
        }
    }

    fn generation_of(&self, address: &Address, attributes: &ValueMap) -> u32 {
        let state = self.inputs.state;
        let own = identity::generation(attributes);
        // What was begun and not found is not this object.
        let last = state.private.generations.get(address).copied().filter(|_| state.unfinished(address).is_none());
        last.or(own).unwrap_or(1)
    }

    fn set_identity(&self, address: &Address, after: &mut ValueMap, generation: u32) {
        if let Some(Value::Map(tags)) = after.get_mut("tags") {
            tags.extend(identity::tags(&self.inputs.state.lineage, address, generation));
        }
    }

    fn differences(
        &mut self,
        address: &Address,
        declared: &Declared,
        after: &ValueMap,
        before: &ValueMap,
    ) -> Vec<AttributeChange> {
        let own = before.get("id").and_then(Value::as_str);
        let mut changes = Vec::new();
        for attribute in address.kind.attributes() {
            let forces_replacement = match attribute.on_change {
                OnChange::Computed | OnChange::CreateOnly => continue,
                OnChange::InPlace => false,
                OnChange::Replace => true,
            };
            let Some(desired) = after.get(attribute.name) else { continue };
            if declared.create_only.contains(&attribute.name) {
                continue;
            }
            // Terraform records a version as it is configured; what runs is what there is to compare with.
            let runs = before.get("engine_version_actual").filter(|_| attribute.compare == Compare::EngineVersion);
            let present = runs.filter(|version| !version.is_null()).or_else(|| before.get(attribute.name));
            let present = present.cloned().unwrap_or_default();
            let change = |after: &Value, forces_replacement| AttributeChange {
                name: Arc::from(attribute.name),
                before: present.clone(),
                after: after.clone(),
                forces_replacement,
            };
            if let Value::Secret(name) = desired {
                let changed = match self.inputs.password {
                    // Whatever the password was before RDS had its own, it is another one now.
                    Password::Absent | Password::Unchanged | Password::Known(_) => {
                        before.get(MANAGE_MASTER_USER_PASSWORD).and_then(Value::as_bool) == Some(true)
                    }
                    Password::New(_) => true,
                };
                if changed {
                    let old = self.inputs.state.private.secrets.get(name).map(|_| desired.clone());
                    let is_managed = before.get(MANAGE_MASTER_USER_PASSWORD).and_then(Value::as_bool) == Some(true);
                    if old.is_none() && !is_managed {
                        self.notes.push(format!(
                            "{address}: nothing recorded tells which password it has, so the one that is given is sent, whether it \
                             is another one or not"
                        ));
                    }
                    changes.push(AttributeChange { before: old.unwrap_or_default(), ..change(desired, false) });
                }
                continue;
            }
            // AWS says nothing about it and nothing is recorded: not ours to force.
            if present.is_null() && forces_replacement {
                continue;
            }
            // A gateway that no VPC has is attached; only one that another VPC has must be another gateway.
            let is_detached = address.kind == Kind::InternetGateway && present.as_str() == Some("");
            let forces_replacement =
                (forces_replacement && !is_detached) || self.must_move(address.kind, attribute.name, declared);
            if attribute.compare == Compare::DbStorage && storage::is_grown_by_rds(desired, before) {
                continue;
            }
            match diff::compare(attribute.compare, desired, &present, own) {
                Verdict::Same => {}
                Verdict::Differs => {
                    let is_kept = attribute.name == "subnet_ids" && !forces_replacement && !self.inputs.recording;
                    if address.kind == Kind::DbSubnetGroup && is_kept {
                        self.check_held_subnets(address, desired, &present);
                    }
                    self.problems.extend(storage::limit_too_low(address, attribute.name, after, before));
                    changes.push(change(desired, forces_replacement));
                }
                Verdict::Impossible => {
                    self.problems.push(storage::impossible(address, attribute.name, desired, &present));
                }
            }
        }
        changes
    }

    /// A database's network interface lies in one of the subnets of its group. If one of them is replaced, the
    /// database cannot stay.
    fn must_move(&self, kind: Kind, attribute: &str, declared: &Declared) -> bool {
        let replaced = |address: &Address| {
            self.made.get(address).is_some_and(|change| matches!(change.action, Action::Replace(_)))
        };
        kind == Kind::DbSubnetGroup && attribute == "subnet_ids" && declared.dependencies().iter().any(replaced)
    }

    /// A subnet that the database's network interface is in stays in the group: RDS refuses to let it go.
    fn check_held_subnets(&mut self, group: &Address, desired: &Value, present: &Value) {
        let ids = |value: &Value| -> BTreeSet<String> {
            let items = value.as_list().unwrap_or_default().iter();
            items.filter_map(|id| id.as_str().map(str::to_owned)).collect()
        };
        let (desired, present) = (ids(desired), ids(present));
        for id in present.difference(&desired).filter(|id| self.inputs.held_subnets.contains(*id)) {
            let resources = &self.inputs.state.resources;
            let subnet = resources.iter().find(|(_, resource)| resource.id() == Some(id));
            let subnet = subnet.map_or_else(|| id.clone(), |(address, _)| format!("{address} ({id})"));
            self.problems.push(Problem::Impossible {
                summary: format!("{group}: subnet_ids cannot lose {subnet}: the database's network interface is in it"),
                hint: "keep its block in private_subnet_cidrs: RDS does not move a database to another subnet"
                    .to_owned(),
            });
        }
    }

    /// Names, address ranges and addresses can be had only once, so the old object goes first. A security group is
    /// in use by what stays; its successor has another name or another VPC, so it comes first, unless what it
    /// depends on is itself gone for a while.
    fn replace_order(&self, declared: &Declared, kind: Kind) -> Order {
        let gone_first = |address: &Address| {
            self.made.get(address).is_some_and(|c| c.action == Action::Replace(Order::DeleteThenCreate))
        };
        let stands_beside = kind.definition().stands_beside_its_successor;
        if stands_beside && !declared.dependencies().iter().any(gone_first) {
            Order::CreateThenDelete
        } else {
            Order::DeleteThenCreate
        }
    }

    /// What is recorded and not declared.
    fn leftovers(&mut self) {
        let targets: Vec<Target> = self.inputs.state.objects().map(|(target, _)| target).collect();
        let kept = self.excluded();
        let mut unclaimed = Vec::new();
        for target in targets {
            if kept.contains(&target) {
                continue;
            }
            if target.deposed.is_none() && self.made.contains_key(&target.address) {
                continue;
            }
            let Some(found) = self.inputs.observed.get(&target).filter(|found| found.phase != Phase::Gone) else {
                continue;
            };
            if self.inputs.ownership.unclaimed(&target).is_some() {
                unclaimed.push(target);
                continue;
            }
            let reason = match (self.inputs.mode, &target.deposed) {
                (Mode::Destroy, _) => Reason::Destroy,
                (Mode::Apply | Mode::RefreshOnly, None) => Reason::Undeclared,
                (Mode::Apply | Mode::RefreshOnly, Some(_)) => Reason::Deposed,
            };
            let is_aws_own = target.address.kind.definition().is_aws_own;
            let action = if is_aws_own { Action::Forget } else { Action::Delete };
            let protected = found.attributes.get("deletion_protection").and_then(Value::as_bool) == Some(true);
            if protected && found.phase != Phase::Deleting {
                self.problems.push(Problem::Impossible {
                    summary: format!("{target} cannot be destroyed: its deletion protection is on"),
                    hint: "set db_deletion_protection = false, run `aloka apply`, then try again".to_owned(),
                });
            }
            self.end(&target, found);
            let change = Change {
                target: target.clone(),
                action,
                reason,
                before: found.attributes.clone(),
                after: self.nothing.clone(),
                attributes: Vec::new(),
            };
            self.removed.insert(target, change);
        }
        if unclaimed.is_empty() {
            return;
        }
        match self.inputs.mode {
            Mode::Destroy => self.problems.push(refusal::destroyed(&unclaimed)),
            Mode::Apply | Mode::RefreshOnly => self.notes.push(refusal::left_alone(&unclaimed)),
        }
    }

    /// What a destroy keeps: what the command line excludes, and all that it needs.
    fn excluded(&mut self) -> BTreeSet<Target> {
        let mut kept: BTreeSet<Target> = BTreeSet::new();
        for text in &self.inputs.consent.exclude {
            let named = self.inputs.observed.keys().filter(|target| target.address.to_string() == *text);
            let before = kept.len();
            kept.extend(named.cloned());
            if kept.len() == before {
                self.problems.push(Problem::Impossible {
                    summary: format!("-exclude={text} names nothing that this state records and AWS has"),
                    hint: "aloka state list    shows every address".to_owned(),
                });
            }
        }
        let edges = if kept.is_empty() { Vec::new() } else { recorded_edges(self.inputs.observed) };
        loop {
            let needed =
                edges.iter().filter(|(dependant, needed)| kept.contains(*dependant) && !kept.contains(*needed));
            let needed: Vec<Target> = needed.map(|(_, needed)| (*needed).clone()).collect();
            if needed.is_empty() {
                return kept;
            }
            kept.extend(needed);
        }
    }

    fn finish(self) -> Result<Built, Vec<Problem>> {
        let Self { inputs, made, removed, nothing, endings, mut notes, problems: _ } = self;
        notes.extend(made.values().filter_map(ending::lost_backups));
        let closures = Closures::default();
        let mut nodes = Nodes { inputs, nodes: Vec::new(), needs: Vec::new(), nothing, endings, closures };
        // Where each object is made or changed, and where it is destroyed.
        let mut making: BTreeMap<&Address, usize> = BTreeMap::new();
        let mut removing: BTreeMap<Target, usize> = BTreeMap::new();
        for change in made.values() {
            let address = &change.target.address;
            match change.action {
                Action::NoOp | Action::Delete | Action::Forget => {}
                Action::Create => {
                    making.insert(address, nodes.add(change, Verb::Create, change.target.clone()));
                }
                Action::Update => {
                    making.insert(address, nodes.add(change, Verb::Update, change.target.clone()));
                }
                Action::Replace(order) => {
                    let create = nodes.add(change, Verb::Create, change.target.clone());
                    making.insert(address, create);
                    let generation = nodes.nodes[create].generation;
                    let deposed = match order {
                        Order::DeleteThenCreate => None,
                        Order::CreateThenDelete => {
                            Some(identity::deposed_key(&inputs.state.lineage, address, generation))
                        }
                    };
                    let delete = nodes.add(change, Verb::Delete, Target { address: address.clone(), deposed });
                    match order {
                        Order::DeleteThenCreate => nodes.needs[create].push(delete),
                        Order::CreateThenDelete => nodes.needs[delete].push(create),
                    }
                    removing.insert(change.target.clone(), delete);
                }
            }
        }
        for (target, change) in &removed {
            let verb = if change.action == Action::Forget { Verb::Forget } else { Verb::Delete };
            removing.insert(target.clone(), nodes.add(change, verb, target.clone()));
        }
        nodes.make_after_dependencies(&making);
        nodes.remove_after_dependants(&made, &making, &removing);
        nodes.subnets_after_subnets(&making, &removing);
        let nodes = nodes.sorted()?;
        let mut changes: Vec<Change> = made.into_values().chain(removed.into_values()).collect();
        changes.sort_by(|a, b| a.target.cmp(&b.target));
        Ok(Built { changes, nodes, notes })
    }
}

struct Nodes<'a> {
    inputs: &'a Inputs<'a>,
    nodes: Vec<Node>,
    needs: Vec<Vec<usize>>,
    /// The attributes of what is not there.
    nothing: Arc<ValueMap>,
    endings: BTreeMap<Target, Ending>,
    closures: Closures,
}

impl<'a> Nodes<'a> {
    fn add(&mut self, change: &Change, verb: Verb, target: Target) -> usize {
        let inputs = self.inputs;
        let address = &change.target.address;
        let empty = self.nothing.clone();
        let (before, after) = match verb {
            Verb::Create => (&empty, &change.after),
            Verb::Update | Verb::Read => (&change.before, &change.after),
            Verb::Delete | Verb::Forget => (&change.before, &empty),
        };
        let generation = identity::generation(if after.is_empty() { before } else { after }).unwrap_or_else(|| {
            let last = inputs.state.private.generations.get(address).copied();
            last.unwrap_or(0).saturating_add(u32::from(verb == Verb::Create)).max(1)
        });
        let context = Context {
            target: &change.target,
            after,
            before,
            generation,
            lineage: &inputs.state.lineage,
            place: inputs.place,
            user_data: &inputs.stack.user_data,
            root_device_name: &inputs.stack.root_device_name,
            ending: self.endings.get(&change.target),
        };
        let mut steps = match verb {
            Verb::Create => context.create(),
            Verb::Update if change.attributes.is_empty() => context.settle(),
            Verb::Update => {
                let intent = inputs.state.private.intents.get(address);
                let is_settling = self.phase(&change.target) == Some(&Phase::Settling);
                let is_ours = is_settling && standing::is_ours(address.kind, &change.before, intent);
                let waits = is_ours || standing::waits(address, &change.before, &change.attributes);
                let settle = if change.reason == Reason::Changed && waits { context.settle() } else { Vec::new() };
                settle.into_iter().chain(context.update(&change.attributes, is_settling && !is_ours)).collect()
            }
            Verb::Delete => context.delete(self.phase(&change.target)),
            Verb::Forget | Verb::Read => Vec::new(),
        };
        steps.shrink_to_fit();
        let dependencies = self.closures.of(inputs.stack, address);
        let after = match verb {
            Verb::Create if !after.contains_key(PASSWORD) => after.clone(),
            // What an update did not touch is recorded as observed, not as desired.
            Verb::Create | Verb::Update => {
                let touched = |name: &Arc<str>| {
                    verb == Verb::Create || change.attributes.iter().any(|attribute| attribute.name == *name)
                };
                let kept = after.iter().filter(|(name, _)| touched(name) && ***name != *PASSWORD);
                Arc::new(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
            }
            Verb::Delete | Verb::Forget | Verb::Read => empty,
        };
        self.nodes.push(Node { target, verb, steps, needs: Vec::new(), generation, after, dependencies });
        self.needs.push(Vec::new());
        self.nodes.len() - 1
    }

    fn phase(&self, target: &Target) -> Option<&'a Phase> {
        self.inputs.observed.get(target).map(|found| &found.phase)
    }

    fn make_after_dependencies(&mut self, making: &BTreeMap<&Address, usize>) {
        for (address, node) in making {
            if let Some(declared) = self.inputs.stack.resources.get(*address) {
                let needs = declared.dependencies();
                self.needs[*node].extend(needs.iter().filter_map(|need| making.get(need)).filter(|need| *need != node));
            }
        }
    }

    /// An object goes after everything that refers to it has gone, or has been changed not to.
    fn remove_after_dependants(
        &mut self,
        made: &BTreeMap<Address, Change>,
        making: &BTreeMap<&Address, usize>,
        removing: &BTreeMap<Target, usize>,
    ) {
        for (dependant, needed) in recorded_edges(self.inputs.observed) {
            let Some(&delete) = removing.get(needed) else { continue };
            if let Some(&earlier) = removing.get(dependant) {
                self.needs[delete].push(earlier);
                continue;
            }
            // The old half of a replacement made first, or an object that goes for good: whoever stays lets go of it
            // before. An object replaced by deleting it first is let go by AWS when it is deleted.
            let goes_first = made.get(&needed.address).is_some_and(|change| {
                needed.deposed.is_none() && change.action == Action::Replace(Order::DeleteThenCreate)
            });
            if let (Some(&update), false) = (making.get(&dependant.address), goes_first) {
                self.needs[delete].push(update);
            }
        }
    }

    /// A new subnet may want the addresses of one that goes.
    fn subnets_after_subnets(&mut self, making: &BTreeMap<&Address, usize>, removing: &BTreeMap<Target, usize>) {
        let block =
            |attributes: &ValueMap| attributes.get("cidr_block").and_then(Value::as_str)?.parse::<Ipv4Net>().ok();
        let going = removing.iter().filter(|(target, _)| target.address.kind == Kind::Subnet);
        let observed = self.inputs.observed;
        let old: Vec<_> = going
            .map(|(target, node)| (observed.get(target).and_then(|found| block(&found.attributes)), *node))
            .collect();
        for (address, node) in making {
            if address.kind == Kind::Subnet && self.nodes[*node].verb == Verb::Create {
                let new = block(&self.nodes[*node].after);
                let meets = |(old, _): &&(Option<Ipv4Net>, usize)| match (old, &new) {
                    (Some(old), Some(new)) => old.contains(new) || new.contains(old),
                    (None, Some(_) | None) | (Some(_), None) => true,
                };
                self.needs[*node].extend(old.iter().filter(meets).map(|(_, node)| *node));
            }
        }
    }

    fn sorted(self) -> Result<Vec<Node>, Vec<Problem>> {
        let order = graph::order(&self.needs).map_err(|graph::Cycle(cycle)| {
            vec![cycle_problem(cycle.iter().map(|i| format!("{:?} {}", self.nodes[*i].verb, self.nodes[*i].target)))]
        })?;
        let mut position = vec![0_u32; order.len()];
        for (new, old) in order.iter().enumerate() {
            position[*old] = u32::try_from(new).unwrap_or(u32::MAX);
        }
        let mut nodes: Vec<Option<Node>> = self.nodes.into_iter().map(Some).collect();
        let mut sorted = Vec::with_capacity(order.len());
        for old in order {
            if let Some(mut node) = nodes[old].take() {
                let needs: BTreeSet<u32> = self.needs[old].iter().map(|need| position[*need]).collect();
                node.needs = needs.into_iter().collect();
                sorted.push(node);
            }
        }
        Ok(sorted)
    }
}

fn cycle_problem(names: impl Iterator<Item = String>) -> Problem {
    Problem::Impossible {
        summary: format!("invariant violated: a cycle of dependencies: {}", names.collect::<Vec<_>>().join(" -> ")),
        hint: "this is a bug in aloka; please report it with the plan".to_owned(),
    }
}
