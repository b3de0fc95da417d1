//! Refresh: few reads for many objects, and what they say of each.
//!
//! Reads filter by identifier instead of naming it, so that one object that is gone does not spoil the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Replies, drift_of};
use crate::address::Address;
use crate::api::{Call, Ec2, Operation, Rds};
use crate::diff::{self, Verdict};
use crate::identity::{self, is_identity};
use crate::intern;
use crate::kind::Kind;
use crate::ownership::{Elsewhere, Ownership};
use crate::plan::Drift;
use crate::plan::build::{Found, Observed};
use crate::plan::{kept, tags};
use crate::resource::{self, Compare, Definition, Listing, OnChange, Phase, Place, Tagging};
use crate::stack;
use crate::state::without_secrets;
use crate::state::{Resource, State, Target};
use crate::value::{Value, ValueMap};
use crate::variables::Variables;

/// Most values AWS takes in one filter.
const FILTER_VALUES_MAX: usize = 200;

/// The identifier under which an object is listed.
fn listed_id(kind: Kind, attributes: &ValueMap) -> Option<&str> {
    let name = kind.definition().listing.attribute;
    attributes.get(name).and_then(Value::as_str).filter(|id| !id.is_empty())
}

/// The reads that tell what became of every recorded object.
pub fn reads(state: &State, place: &Place) -> Vec<(Kind, Call)> {
    let mut ids: BTreeMap<Operation, (Kind, Vec<&str>)> = BTreeMap::new();
    let mut calls = Vec::new();
    for (target, resource) in state.objects() {
        let kind = target.address.kind;
        let Some(id) = listed_id(kind, &resource.attributes) else { continue };
        let Definition { listing, also_read, .. } = kind.definition();
        if listing.filter.is_some() {
            ids.entry(listing.operation).or_insert((kind, Vec::new())).1.push(id);
        } else {
            calls.push((kind, Call::new(listing.operation, [(listing.argument, Value::str(id))])));
        }
        calls.extend(also_read(&resource.attributes, id, place).into_iter().map(|call| (kind, call)));
    }
    calls.extend(ids.into_values().flat_map(|(kind, values)| reads_of(kind, values)));
    calls
}

/// The reads of objects of a kind by their identifiers; none of what has no filter for them.
pub(super) fn reads_of(kind: Kind, mut ids: Vec<&str>) -> Vec<(Kind, Call)> {
    let Listing { operation, filter: Some(filter), beside, .. } = kind.definition().listing else { return Vec::new() };
    ids.sort_unstable();
    ids.dedup();
    let reads = || std::iter::once((operation, filter)).chain(beside);
    let of_chunk = |chunk: &[&str]| -> Vec<(Kind, Call)> {
        let filters = |name: &str| Value::map([(name, Value::list(chunk.iter().copied()))]);
        reads().map(|(operation, filter)| (kind, Call::new(operation, [("Filters", filters(filter))]))).collect()
    };
    ids.chunks(FILTER_VALUES_MAX).flat_map(of_chunk).collect()
}

/// The read that tells in which subnets the database's network interfaces are; only if its group is to have fewer.
pub fn database_places(state: &State, variables: &Variables) -> Option<(Kind, Call)> {
    let of_kind = |kind| state.resources.iter().find(|(address, _)| address.kind == kind).map(|(_, found)| found);
    let subnets = of_kind(Kind::DbSubnetGroup)?.attributes.get("subnet_ids")?.as_list()?.len();
    let groups = of_kind(Kind::DbInstance)?.attributes.get("vpc_security_group_ids")?;
    if subnets <= variables.private_subnet_cidrs.len() || groups.as_list().is_none_or(<[_]>::is_empty) {
        return None;
    }
    Some((Kind::DbInstance, resource::database_interfaces(groups.clone())))
}

/// The subnets that [`database_places`] found.
pub fn held_subnets(replies: &Replies<'_>) -> BTreeSet<String> {
    let interfaces = replies.items(Operation::Ec2(Ec2::DescribeNetworkInterfaces), "NetworkInterfaces");
    interfaces.filter_map(|interface| interface.get("SubnetId").as_str().map(str::to_owned)).collect()
}

/// Takes associations and routes into the state that an interrupted run made and could not record. They have no tags; but
/// a subnet has one association at most and a table one route to everywhere, and both show in the table. Whatever became
/// of a route since, it is the one that was begun, and can be changed: another cannot be made. Returns false if an
/// association that was begun does not show.
pub fn adopt_untagged(state: &mut State, replies: &Replies<'_>, place: &Place) -> bool {
    let index = Index::new(replies);
    let begun = |operation: Operation| {
        let begun = state.private.intents.iter().filter(move |(_, intent)| intent.operation == operation);
        begun.map(|(address, _)| address).filter(|address| !state.resources.contains_key(*address))
    };
    let mut all_show = true;
    let mut found = Vec::new();
    for address in begun(Operation::Ec2(Ec2::AssociateRouteTable)) {
        // An association has the name of its subnet.
        let subnet = Address { kind: Kind::Subnet, ..address.clone() };
        let Some(subnet) = state.attribute(&subnet, "id") else { continue };
        let known = ValueMap::from([(intern::key("subnet_id"), subnet.clone())]);
        let table = subnet.as_str().and_then(|subnet| index.tables_of.get(subnet));
        let attributes = table.and_then(|table| resource::attributes(address.kind, &known, table, place));
        all_show &= attributes.is_some();
        found.extend(attributes.map(|attributes| (address.clone(), attributes)));
    }
    let tables = state.resources.iter().filter(|(address, _)| address.kind == Kind::RouteTable);
    let of_routes: BTreeMap<Address, &str> =
        tables.filter_map(|(address, table)| Some((stack::default_route(address), table.id()?))).collect();
    for address in begun(Operation::Ec2(Ec2::CreateRoute)) {
        let known = ValueMap::from([(intern::key("destination_cidr_block"), Value::str(stack::ANYWHERE))]);
        let table =
            of_routes.get(address).and_then(|id| index.objects.get(&(Operation::Ec2(Ec2::DescribeRouteTables), *id)));
        let attributes = table.and_then(|table| resource::attributes(address.kind, &known, table, place));
        found.extend(attributes.map(|attributes| (address.clone(), attributes)));
    }
    for (address, attributes) in found {
        let resource = Resource { attributes: Arc::new(attributes), claimed: true, ..Resource::default() };
        state.resources.insert(address, Arc::new(resource));
    }
    all_show
}

/// What was read of the recorded objects.
pub struct Refreshed {
    /// What differs from what was recorded.
    pub drift: Vec<Drift>,
    /// What exists of it. Objects of somebody else are not among it.
    pub observed: Observed,
    /// Whose each is.
    pub ownership: Ownership,
}

/// Takes what was read into the state. What is somebody else's stays recorded as it is.
pub fn refresh(state: &mut State, replies: &Replies<'_>, place: &Place, moves: &[(Address, Address)]) -> Refreshed {
    let index = Index::new(replies);
    let ownership = Ownership::of(state, |kind, attributes| {
        index.tags(kind, attributes).and_then(identity::lineage).map(intern::text)
    });
    let (mut drift, mut observed) = (Vec::new(), Observed::new());
    let State { resources, deposed, private, .. } = state;
    let current = resources.iter_mut().map(|(address, resource)| (Target::current(address.clone()), resource));
    let objects = current.chain(deposed.iter_mut().map(|(target, resource)| (target.clone(), resource)));
    for (target, resource) in objects.filter(|(target, _)| !ownership.is_foreign(target)) {
        let kind = target.address.kind;
        let Some((object, fresh)) = index.find(kind, &resource.attributes, place) else {
            let id = resource.id().map(Value::str).unwrap_or_default();
            drift.push(drift_of(&target, None, id, Value::Null));
            continue;
        };
        let fresh: ValueMap = fresh
            .into_iter()
            .map(|(name, value)| {
                let is_ours = |key: &str| private.tag_keys.contains(key);
                let value = kept::as_recorded(&name, &resource.attributes, value, is_ours);
                (name, value)
            })
            .collect();
        if !moves.iter().any(|(_, to)| *to == target.address) {
            drift.extend(attribute_drift(&target, resource, &fresh, &private.tag_keys, &ownership.elsewhere));
        }
        // What is as it was recorded stays the recorded copy: the reply it is equal to can go.
        let is_new = |(name, value): &(Arc<str>, Value)| {
            // Terraform records some empty lists as null, and means the same.
            let recorded = resource.attributes.get(name);
            recorded != Some(value) && !(*value == Value::EMPTY_LIST && recorded.is_some_and(Value::is_null))
        };
        let new: Vec<_> = fresh.into_iter().filter(is_new).collect();
        if !new.is_empty() {
            let resource = Arc::make_mut(resource);
            Arc::make_mut(&mut resource.attributes).extend(new);
        }
        if resource.attributes.contains_key("password") {
            without_secrets(&mut Arc::make_mut(resource).attributes);
        }
        let found = Found { attributes: resource.attributes.clone(), phase: resource::phase(kind, object) };
        observed.insert(target, found);
    }
    Refreshed { drift, observed, ownership }
}

fn attribute_drift(
    target: &Target,
    recorded: &Resource,
    fresh: &ValueMap,
    tag_keys: &BTreeSet<Arc<str>>,
    elsewhere: &Elsewhere,
) -> Vec<Drift> {
    let own = recorded.id();
    let compared = target.address.kind.attributes().iter().filter(|a| a.on_change != OnChange::Computed);
    compared
        .filter_map(|attribute| {
            let (before, now) = (recorded.attributes.get(attribute.name)?, fresh.get(attribute.name)?);
            let is_same = |before: &Value, now: &Value| {
                before.is_null() || diff::compare(attribute.compare, before, now, own) == Verdict::Same
            };
            let same = match attribute.compare {
                // Tags of others come and go; and Terraform does not record what its `ignore_tags` name.
                Compare::Tags => {
                    let is_ours = |key: &str| tag_keys.contains(key) || is_identity(key);
                    let is_recorded = |key: &str| before.as_map().is_some_and(|before| before.contains_key(key));
                    let ours = |tags: &Value| tags::only(tags, |key| is_ours(key) && is_recorded(key));
                    is_same(&ours(before), &ours(now))
                }
                Compare::Rules => is_same(before, &kept::without_rules(attribute.name, before, now, own, elsewhere)),
                Compare::Set => is_same(before, now) || is_same(before, &kept::without_ids(before, now, elsewhere)),
                Compare::Exact | Compare::DbStorage | Compare::EngineVersion | Compare::RootVolume => {
                    is_same(before, now)
                }
            };
            (!same).then(|| drift_of(target, Some(attribute.name), before.clone(), now.clone()))
        })
        .collect()
}

/// Drops records of objects that do not exist any more. The creation of a recorded object is over, however it ended: the
/// next one is another, with a client token of its own.
pub fn drop_gone(state: &mut State, observed: &Observed, ownership: &Ownership) {
    let exists = |target: &Target| {
        ownership.is_foreign(target) || observed.get(target).is_some_and(|found| found.phase != Phase::Gone)
    };
    let State { resources, private, .. } = state;
    resources.retain(|address, resource| {
        let stays = exists(&Target::current(address.clone()));
        let made = private.intents.get(address).map(|intent| Some(intent.generation));
        if !stays && made == Some(identity::generation(&resource.attributes)) {
            private.intents.remove(address);
        }
        stays
    });
    state.deposed.retain(|target, _| exists(target));
}

/// Objects of the replies by identifier.
struct Index<'a> {
    objects: BTreeMap<(Operation, &'a str), &'a Value>,
    vpc_attributes: BTreeMap<&'a str, Vec<&'a Value>>,
    volumes: BTreeMap<&'a str, Vec<&'a Value>>,
    group_tags: BTreeMap<&'a str, &'a Value>,
    /// Route tables by the subnets that are associated with them: somebody may have moved one.
    tables_of: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Index<'a> {
    fn new(replies: &Replies<'a>) -> Self {
        let mut objects = BTreeMap::new();
        for Listing { operation, list, id, .. } in resource::listings() {
            for item in replies.items(operation, list) {
                if let Some(id) = item.at(id).and_then(Value::as_str) {
                    objects.insert((operation, id), item);
                }
            }
        }
        let mut vpc_attributes: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for (call, reply) in replies.of(Operation::Ec2(Ec2::DescribeVpcAttribute)) {
            if let (Some(id), Ok(reply)) = (call.arg("VpcId").as_str(), reply) {
                vpc_attributes.entry(id).or_default().push(reply);
            }
        }
        let mut volumes: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for volume in replies.items(Operation::Ec2(Ec2::DescribeVolumes), "Volumes") {
            if let Some(instance) = volume.at("InstanceId").and_then(Value::as_str) {
                volumes.entry(instance).or_default().push(volume);
            }
        }
        let mut group_tags = BTreeMap::new();
        for (call, reply) in replies.of(Operation::Rds(Rds::ListTagsForResource)) {
            if let (Some(arn), Ok(reply)) = (call.arg("ResourceName").as_str(), reply) {
                group_tags.insert(arn, *reply);
            }
        }
        let mut tables_of = BTreeMap::new();
        for table in replies.items(Operation::Ec2(Ec2::DescribeRouteTables), "RouteTables") {
            for association in table.get("Associations").as_list().unwrap_or_default() {
                if let Some(subnet) = association.at("SubnetId").and_then(Value::as_str) {
                    tables_of.insert(subnet, table);
                }
            }
        }
        Self { objects, vpc_attributes, volumes, group_tags, tables_of }
    }

    /// The tags of the object, if it is there and has some.
    fn tags(&self, kind: Kind, recorded: &ValueMap) -> Option<&'a Value> {
        let Definition { listing, tagging, .. } = kind.definition();
        let object = self.objects.get(&(listing.operation, listed_id(kind, recorded)?)).copied()?;
        let arn = || object.get("DBSubnetGroupArn").as_str().or_else(|| recorded.get("arn").and_then(Value::as_str));
        match tagging {
            Tagging::None => None,
            Tagging::Ec2 | Tagging::Rds => Some(object.get("Tags")),
            Tagging::RdsApart => Some(self.group_tags.get(arn()?)?.get("Tags")),
        }
    }

    /// The object, and all attributes the replies tell of it.
    fn find(&self, kind: Kind, recorded: &ValueMap, place: &Place) -> Option<(&'a Value, ValueMap)> {
        let Definition { listing, tagging, .. } = kind.definition();
        let id = listed_id(kind, recorded)?;
        let listed = self.objects.get(&(listing.operation, id)).copied();
        let object = if kind == Kind::RouteTableAssociation {
            let subnet = recorded.get("subnet_id").and_then(Value::as_str)?;
            self.tables_of.get(subnet).copied().or(listed)?
        } else {
            listed?
        };
        let mut attributes = resource::attributes(kind, recorded, object, place)?;
        for reply in self.vpc_attributes.get(id).filter(|_| kind == Kind::Vpc).into_iter().flatten() {
            attributes.extend(resource::attributes(kind, recorded, reply, place)?);
        }
        if kind == Kind::Instance
            && let Some(volume) = self.root_volume(id, object)
        {
            attributes.insert(Arc::from("root_block_device"), resource::root_block_device(object, volume));
        }
        let arn = attributes.get("arn").or_else(|| recorded.get("arn")).and_then(Value::as_str);
        if let Some(tags) = arn.filter(|_| *tagging == Tagging::RdsApart).and_then(|arn| self.group_tags.get(arn)) {
            attributes.extend(resource::attributes(kind, recorded, tags, place)?);
        }
        Some((object, attributes))
    }

    fn root_volume(&self, instance: &str, object: &Value) -> Option<&'a Value> {
        let volumes = self.volumes.get(instance)?;
        let root = object.get("RootDeviceName");
        let mappings = object.get("BlockDeviceMappings").as_list().unwrap_or_default();
        let mapped = mappings.iter().find(|mapping| mapping.get("DeviceName") == root).map(|m| m.get("VolumeId"));
        let by_mapping = volumes.iter().find(|volume| Some(volume.get("VolumeId")) == mapped);
        by_mapping.or_else(|| volumes.first()).copied()
    }
}
