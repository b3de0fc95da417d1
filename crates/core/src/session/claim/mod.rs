//! Finding a stack whose state is not there: which object of AWS is which address.
//!
//! Tags decide first: an object that carries our lineage and an address is the object of that address, and the highest
//! generation is the current one. What has no tags of ours is known by its `place`: the gateway a VPC has, the subnet
//! with a declared address range, the route table a subnet is associated with, a group of a declared name. What does
//! not fit is not claimed but named, and where two objects fit one address nothing is claimed at all.
//!
//! It changes nothing in AWS and never guesses: everything follows from what the reads of two rounds answer.

pub mod guard;
pub mod import;
pub(super) mod moved;
mod place;
pub(super) mod seen;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::place::Claims;
use self::seen::Seen;
use super::{Inputs, Planned, Problem, Replies, read_node};
use crate::address::Address;
use crate::api::{Call, Ec2, Operation, Rds, Reply, Sts};
use crate::identity;
use crate::kind::Kind;
use crate::plan::{Mode, Node, Save, Step};
use crate::resource::{self, OnChange, Place};
use crate::session::read_problems;
use crate::stack::{self, Closures, Stack};
use crate::state::{Resource, State, Target};
use crate::value::{Value, ValueMap};
use crate::variables::Variables;

/// Where to look for a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// Among the objects that carry the project's and the environment's tags.
    Tagged {
        /// The history they are of, if there are several.
        lineage: Option<Arc<str>>,
    },
    /// In this VPC, whoever made it.
    Vpc(String),
}

/// Where the stack is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Site {
    /// The account, if known.
    pub account: Option<String>,
    /// Its VPC; `None` if there is none, so that only objects outside of any VPC are left of it.
    pub vpc: Option<String>,
    /// The history its objects were made by; `None` if they carry no tags of ours.
    pub lineage: Option<Arc<str>>,
}

/// How an object was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// It carries our tags.
    Tags,
    /// It is where, and what, the address says.
    Place,
}

/// One object and what it was taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What for.
    pub target: Target,
    /// Its identifier in AWS.
    pub id: String,
    /// How it was recognised.
    pub by: By,
}

/// A stack that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// A state that records it.
    pub state: State,
    /// What was taken for what, by address.
    pub taken: Vec<Taken>,
    /// Objects in the VPC that are no part of the stack, by identifier.
    pub left: Vec<String>,
}

fn node(kind: Kind, call: Call) -> Node {
    read_node(Address::root(kind, "any"), Step::Call { call, save: Save::Nothing, recover: None, way_back: None })
}

fn filtered(operation: Operation, filters: impl IntoIterator<Item = (String, Value)>) -> Call {
    let filters = filters.into_iter().map(|(name, value)| (name, Value::List(vec![value])));
    Call::new(operation, [("Filters", Value::map(filters))])
}

/// The tags by which the objects of a stack are found when nothing else is known of them.
fn stack_tags(variables: &Variables) -> Vec<(String, Value)> {
    let tags = stack::tags(variables, "");
    ["Project", "Environment"].map(|name| (format!("tag:{name}"), tags.get(name).cloned().unwrap_or_default())).into()
}

/// What stands outside of the VPC, or may: found by the stack's tags alone.
fn tagged(variables: &Variables) -> Vec<Node> {
    let kinds = [
        (Kind::Vpc, Operation::Ec2(Ec2::DescribeVpcs)),
        (Kind::Eip, Operation::Ec2(Ec2::DescribeAddresses)),
        (Kind::InternetGateway, Operation::Ec2(Ec2::DescribeInternetGateways)),
    ];
    kinds.into_iter().map(|(kind, operation)| node(kind, filtered(operation, stack_tags(variables)))).collect()
}

fn database(variables: &Variables) -> Node {
    let identifier = Value::from(stack::db_identifier(variables));
    node(Kind::DbInstance, Call::new(Rds::DescribeDBInstances, [("DBInstanceIdentifier", identifier)]))
}

/// The first round: where the stack is.
pub(super) fn search(variables: &Variables, search: &Search) -> Vec<Node> {
    let caller = node(Kind::Vpc, Call::new(Sts::GetCallerIdentity, []));
    let found = match search {
        Search::Tagged { .. } => tagged(variables).into_iter().chain([database(variables)]).collect(),
        Search::Vpc(id) => {
            let filter = [("vpc-id".to_owned(), Value::from(id))];
            // Databases cannot be filtered by VPC; one of another name should not go unmentioned.
            let databases = Call::new(Rds::DescribeDBInstances, []);
            vec![
                node(Kind::Vpc, filtered(Operation::Ec2(Ec2::DescribeVpcs), filter)),
                node(Kind::DbInstance, databases),
            ]
        }
    };
    [caller].into_iter().chain(found).collect()
}

/// What the first round tells.
///
/// # Errors
/// Reads that failed; nothing found; several stacks, or several histories of one.
pub(super) fn locate(variables: &Variables, search: &Search, replies: &[(Node, Reply)]) -> Result<Site, Vec<Problem>> {
    let replies = Replies::new(replies);
    let problems = read_problems(&replies);
    if !problems.is_empty() {
        return Err(problems);
    }
    let caller = replies.of(Operation::Sts(Sts::GetCallerIdentity)).iter().find_map(|(_, reply)| reply.ok());
    let account = caller.and_then(|caller| caller.get("Account").as_str()).map(str::to_owned);
    let seen = seen::all(&replies);
    let site = match search {
        Search::Tagged { lineage } => by_tags(variables, lineage.as_ref(), &seen),
        Search::Vpc(id) => match seen.iter().find(|seen| seen.kind == Kind::Vpc && seen.id == id) {
            Some(vpc) => Ok(Site { vpc: Some(id.clone()), lineage: vpc.lineage(), account: None }),
            None => Err(Problem::Impossible {
                summary: format!("there is no VPC {id} in {}", variables.aws_region),
                hint: "check its ID, and that aws_region and the credentials are those of its Region and account"
                    .to_owned(),
            }),
        },
    };
    site.map(|site| Site { account, ..site }).map_err(|problem| vec![problem])
}

fn by_tags(variables: &Variables, wanted: Option<&Arc<str>>, seen: &[Seen<'_>]) -> Result<Site, Problem> {
    let stack = format!("project \"{}\", environment \"{}\"", variables.project_name, variables.environment);
    let mut lineages: BTreeMap<Arc<str>, Vec<&str>> = BTreeMap::new();
    for seen in seen {
        if let (Some(lineage), Some(_)) = (seen.lineage(), seen.address()) {
            lineages.entry(lineage).or_default().push(seen.id);
        }
    }
    let lineage = match (wanted, lineages.len()) {
        (Some(wanted), _) if lineages.contains_key(wanted) => Some(wanted.clone()),
        (None, 0) => None,
        (None, 1) => lineages.keys().next().cloned(),
        (Some(_), _) | (None, _) => {
            let listed: Vec<String> =
                lineages.iter().map(|(lineage, ids)| format!("{lineage} ({})", ids.join(", "))).collect();
            let summary = match wanted {
                Some(wanted) => format!("nothing of {stack} carries lineage {wanted}; found: {}", listed.join("; ")),
                None => format!("the objects of {stack} are of {} histories: {}", lineages.len(), listed.join("; ")),
            };
            return Err(Problem::Impossible { summary, hint: "say which one: -lineage=LINEAGE".to_owned() });
        }
    };
    let of_it = |seen: &&Seen<'_>| lineage.is_none() || seen.lineage() == lineage;
    let mut vpcs: Vec<&str> = seen.iter().filter(|s| s.kind == Kind::Vpc).filter(of_it).map(|s| s.id).collect();
    if vpcs.is_empty() {
        // A database is found by its name, whatever became of the tags.
        let databases = seen.iter().filter(|seen| seen.kind == Kind::DbInstance);
        vpcs.extend(databases.filter_map(|database| database.object.get("VpcId").as_str()));
    }
    match vpcs.as_slice() {
        [] if lineage.is_none() => Err(Problem::Impossible {
            summary: format!("nothing in {} carries the tags of {stack}", variables.aws_region),
            hint: "check aws_region, project_name and environment; or name its VPC: aloka adopt -vpc=ID".to_owned(),
        }),
        [] => Ok(Site { lineage, ..Site::default() }),
        [vpc] => Ok(Site { vpc: Some((*vpc).to_owned()), lineage, account: None }),
        several => Err(Problem::Impossible {
            summary: format!("several VPCs may be that of {stack}: {}", several.join(", ")),
            hint: "say which one: aloka adopt -vpc=ID".to_owned(),
        }),
    }
}

/// The second round: everything at the site.
pub(super) fn contents(variables: &Variables, site: &Site) -> Vec<Node> {
    let mut nodes = Vec::new();
    if let Some(vpc) = &site.vpc {
        nodes.extend(Kind::AS_MADE.into_iter().filter_map(|kind| {
            let filter = kind.definition().in_vpc?;
            Some(node(kind, filtered(kind.definition().listing.operation, [(filter.to_owned(), Value::from(vpc))])))
        }));
        let name = stack::db_subnet_group_name(variables);
        let arn = resource::subnet_group_arn(&site_place(variables, site), &name);
        let args = [("DBSubnetGroupName", Value::from(name))];
        nodes.push(node(Kind::DbSubnetGroup, Call::new(Rds::DescribeDBSubnetGroups, args)));
        if !arn.is_null() {
            let args = [("ResourceName", arn)];
            nodes.push(node(Kind::DbSubnetGroup, Call::new(Rds::ListTagsForResource, args)));
        }
    }
    nodes
}

fn site_place(variables: &Variables, site: &Site) -> Place {
    Place { region: variables.aws_region.clone(), account: site.account.clone() }
}

/// Claims the stack. `replies` are those of both rounds, `recorded` is the state that the store holds or a new one. If it
/// records nothing, its lineage is kept unless the objects tell another. If it records something, what carries its lineage
/// is added to that.
///
/// `floor` must be larger than the generation of any object there was: seconds since an epoch will do. What is made
/// again at an address whose object is gone gets a greater generation, as AWS remembers client tokens and would answer
/// with the object that is gone.
///
/// # Errors
/// Reads that failed; objects of which each fits an address that can have only one; a store that holds the state of
/// another history.
pub(super) fn claim(
    variables: &Variables,
    site: &Site,
    replies: &[(Node, Reply)],
    recorded: &State,
    floor: u32,
) -> Result<Claimed, Vec<Problem>> {
    let replies = Replies::new(replies);
    let mut problems = read_problems(&replies);
    let seen = seen::all(&replies);
    let lineage = site.lineage.clone().or_else(|| only_lineage(&seen, site.vpc.as_deref()?));
    if let Some(lineage) = lineage.as_ref().filter(|lineage| **lineage != recorded.lineage && recorded.serial > 0) {
        problems.push(Problem::Impossible {
            summary: format!(
                "the objects are of lineage {lineage}, but the state that is stored here is of lineage {}",
                recorded.lineage
            ),
            hint: "recover them in a directory of their own, or at another key of the bucket".to_owned(),
        });
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let place = site_place(variables, site);
    let mut claims = Claims::new(seen, &place, recorded.recorded_ids(), lineage.clone());
    if let Some(lineage) = &lineage {
        claims.by_tags(lineage);
    }
    match &site.vpc {
        // Beside what is recorded, only tags tell what is ours.
        Some(_) if !recorded.is_empty() => claims.routes_and_associations(),
        Some(vpc) => claims.by_place(variables, vpc),
        None => {}
    }
    let left = site.vpc.as_deref().map(|vpc| claims.left(vpc)).unwrap_or_default();
    let (found, problems) = claims.finish();
    if !problems.is_empty() {
        return Err(problems);
    }
    let is_marked = lineage.is_some();
    let lineage = lineage.unwrap_or_else(|| recorded.lineage.clone());
    let mut state = State { lineage, ..recorded.clone() };
    state.private.account.clone_from(&site.account);
    state.private.region = Some(variables.aws_region.clone());
    let mut taken = Vec::new();
    let mut is_by_place = false;
    for (target, (attributes, by)) in found {
        let id = attributes.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let own = identity::generation(&attributes);
        // In a stack without a tag of ours, nothing was made by aloka.
        if is_marked || own.is_some() {
            let last = state.private.generations.entry(target.address.clone()).or_default();
            *last = (*last).max(own.unwrap_or(1));
        }
        if recorded.objects().any(|(other, known)| other.address == target.address && known.id() == Some(&*id)) {
            continue;
        }
        is_by_place |= target.address == stack::vpc() && by == By::Place;
        let resource = Resource { attributes: Arc::new(attributes), claimed: true, ..Resource::default() };
        let resource = Arc::new(resource);
        match target.deposed {
            None => state.resources.insert(target.address.clone(), resource),
            Some(_) => state.deposed.insert(target.clone(), resource),
        };
        taken.push(Taken { target, id, by });
    }
    if is_by_place && !state.resources.contains_key(&stack::default_group()) {
        state.private.choices.leave_default_group = true;
    }
    if !state.private.choices.availability_zones.is_empty() {
        return Ok(Claimed { state: with_floor(state, variables, floor), taken, left });
    }
    state.private.choices.availability_zones = zones_of(&state);
    Ok(Claimed { state: with_floor(state, variables, floor), taken, left })
}

/// The history that objects at the site are of, if it is one: the VPC may have lost its own tags.
fn only_lineage(seen: &[Seen<'_>], vpc: &str) -> Option<Arc<str>> {
    let inside = seen.iter().filter(|seen| seen.text("VpcId") == vpc && seen.address().is_some());
    let lineages: BTreeSet<Arc<str>> = inside.filter_map(Seen::lineage).collect();
    (lineages.len() == 1).then(|| lineages.into_iter().next()).flatten()
}

/// What will be made at an address without an object gets a generation above the floor.
fn with_floor(mut state: State, variables: &Variables, floor: u32) -> State {
    let stack = stack::stack(variables, &state.private.choices, None);
    for address in stack.resources.keys().filter(|address| !state.resources.contains_key(*address)) {
        let last = state.private.generations.entry(address.clone()).or_default();
        *last = (*last).max(floor);
    }
    state
}

/// How many slots the recorded subnets take: one more than the highest of their numbers.
pub(super) fn slots_of(state: &State) -> usize {
    let subnets = state.resources.keys().filter(|address| address.kind == Kind::Subnet);
    let slots = subnets.filter_map(|address| usize::try_from(address.index?).ok());
    slots.max().map_or(0, |last| last.saturating_add(1))
}

/// Zones by slot, as the subnets show them; empty where none does.
pub(super) fn zones_of(state: &State) -> Vec<String> {
    let mut slots: BTreeMap<u32, &str> = BTreeMap::new();
    for (address, resource) in &state.resources {
        let zone = resource.attributes.get("availability_zone").and_then(Value::as_str);
        if let (Kind::Subnet, Some(index), Some(zone)) = (address.kind, address.index, zone) {
            slots.entry(index).or_insert(zone);
        }
    }
    let mut zones: Vec<String> = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for slot in 0..slots.keys().next_back().map_or(0, |last| last.saturating_add(1).min(SLOTS_MAX)) {
        let zone = slots.get(&slot).copied().unwrap_or_default();
        // More subnets than zones: they begin anew with the first.
        if !zone.is_empty() && !known.insert(zone) {
            break;
        }
        zones.push(zone.to_owned());
    }
    zones
}

/// No Region has more zones than this, and no stack more subnets of a tier.
const SLOTS_MAX: u32 = 256;

/// What a plan found out, as a plan that only records it: nothing is sent. What AWS does not tell of an object (its user
/// data, whether its last snapshot is skipped) is recorded as declared, so that a later change of it is noticed.
pub fn record_only(planned: &Planned, inputs: &Inputs) -> Planned {
    let mut recording = planned.clone();
    let stack = stack::stack(&inputs.variables, &recording.state.private.choices, inputs.user_data.as_deref());
    complete(&mut recording.state, &stack);
    let plan = &mut recording.plan;
    plan.mode = Mode::RefreshOnly;
    plan.nodes = Arc::default();
    plan.changes.clear();
    let state = &mut recording.state;
    let known = |address: &Address, attribute: &str| state.attribute(address, attribute).cloned();
    for output in &mut plan.outputs {
        output.after = stack.outputs.get(&output.name).map(|value| value.resolve(&known)).unwrap_or_default();
    }
    recording.state_changed = true;
    recording
}

/// Adds to each recorded object what only its declaration tells.
fn complete(state: &mut State, stack: &Stack) {
    let mut closures = Closures::default();
    for (address, resource) in &mut state.resources {
        let Some(declared) = stack.resources.get(address) else { continue };
        let resource = Arc::make_mut(resource);
        resource.dependencies = closures.of(stack, address);
        let missing: ValueMap = address
            .kind
            .attributes()
            .iter()
            .filter(|attribute| attribute.on_change != OnChange::Computed)
            .filter(|attribute| resource.attributes.get(attribute.name).is_none_or(Value::is_null))
            .filter_map(|attribute| {
                let value = declared.attributes.get(attribute.name).filter(|value| value.is_literal())?;
                Some((crate::intern::key(attribute.name), value.clone()))
            })
            .chain(address.kind.definition().provider_settings.iter().filter_map(|(name, value)| {
                let missing = resource.attributes.get(name).is_none_or(Value::is_null);
                missing.then(|| (crate::intern::key(name), Value::from(*value)))
            }))
            .collect();
        if !missing.is_empty() {
            Arc::make_mut(&mut resource.attributes).extend(missing);
        }
    }
}
