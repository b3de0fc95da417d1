//! Which object is which address: by tags, then by its place in the network.
//!
//! Each step takes only what nothing else took before, and refuses to choose between two.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::Problem;
use super::By;
use super::seen::Seen;
use crate::address::Address;
use crate::identity;
use crate::intern::key;
use crate::kind::Kind;
use crate::resource::{self, OWN_TAGS, Place, Tagging};
use crate::stack::{self, ANYWHERE};
use crate::state::{Choices, Target};
use crate::value::{Value, ValueMap};
use crate::variables::Variables;

/// Attributes of what was found, and how, by object.
type Found = BTreeMap<Target, (ValueMap, By)>;

/// What was claimed so far.
pub(super) struct Claims<'a> {
    seen: Vec<Seen<'a>>,
    place: &'a Place,
    found: Found,
    used: BTreeSet<(Kind, &'a str)>,
    /// Identifiers of what a state records.
    recorded: BTreeSet<&'a str>,
    /// The history that is looked for: what carries another is another state's, wherever it is.
    lineage: Option<Arc<str>>,
    problems: Vec<Problem>,
}

impl<'a> Claims<'a> {
    pub(super) fn new(
        seen: Vec<Seen<'a>>,
        place: &'a Place,
        recorded: BTreeSet<&'a str>,
        lineage: Option<Arc<str>>,
    ) -> Self {
        let (found, used, problems) = (Found::new(), BTreeSet::new(), Vec::new());
        Self { seen, place, found, used, recorded, lineage, problems }
    }

    /// What was claimed, and what stood in the way.
    pub(super) fn finish(self) -> (Found, Vec<Problem>) {
        (self.found, self.problems)
    }

    /// Objects in the VPC that nothing was claimed for. Its main route table comes and goes with it.
    pub(super) fn left(&self, vpc: &str) -> Vec<String> {
        let in_vpc = |seen: &&Seen<'_>| seen.text("VpcId") == vpc && seen.kind != Kind::Vpc && !is_main(seen);
        let left = self.seen.iter().filter(in_vpc).filter(|seen| !self.used.contains(&(seen.kind, seen.id)));
        let named = |seen: &Seen<'_>| match seen.name() {
            Some(name) => format!("{} ({}, \"{name}\")", seen.id, seen.kind),
            None => format!("{} ({})", seen.id, seen.kind),
        };
        left.map(named).collect()
    }

    /// Takes everything that carries this lineage and an address. Of several generations the last is the current
    /// object; the others were to be destroyed.
    pub(super) fn by_tags(&mut self, lineage: &str) {
        let mut tagged: BTreeMap<Address, Vec<(u32, Seen<'a>)>> = BTreeMap::new();
        for seen in &self.seen {
            if let Some(address) = seen.address().filter(|_| seen.lineage().as_deref() == Some(lineage)) {
                tagged.entry(address).or_default().push((seen.generation(), *seen));
            }
        }
        for (address, mut objects) in tagged {
            objects.sort_by_key(|(generation, _)| std::cmp::Reverse(*generation));
            let Some((last, _)) = objects.first().copied() else { continue };
            // Of two of one generation the recorded one is ours: the console copies tags.
            if objects.iter().any(|(generation, seen)| *generation == last && self.recorded.contains(seen.id)) {
                objects.retain(|(generation, seen)| *generation != last || self.recorded.contains(seen.id));
            }
            if objects.iter().filter(|(generation, _)| *generation == last).count() > 1 {
                let same: Vec<_> =
                    objects.iter().filter(|(generation, _)| *generation == last).map(|(_, seen)| *seen).collect();
                self.ambiguous(&address, &same);
                continue;
            }
            let mut successor = None;
            for (generation, seen) in objects {
                let deposed = successor.map(|successor| identity::deposed_key(lineage, &address, successor));
                self.take(Target { address: address.clone(), deposed }, seen, &ValueMap::new(), By::Tags);
                successor = Some(generation);
            }
        }
    }

    fn take(&mut self, target: Target, seen: Seen<'a>, known: &ValueMap, by: By) {
        if let Some(attributes) = resource::attributes(target.address.kind, known, seen.object, self.place) {
            let tagging = target.address.kind.definition().tagging;
            // Its tags come in an answer of their own.
            let tags = Some(seen.tags).filter(|tags| tagging == Tagging::RdsApart && !tags.is_null());
            let attributes = attributes.into_iter().chain(tags.map(|tags| (key(OWN_TAGS), tags.clone()))).collect();
            // Routes and associations are in their table and do not use it up.
            if target.address.kind.definition().part_of.is_none() {
                self.used.insert((seen.kind, seen.id));
            }
            self.found.insert(target, (attributes, by));
        }
    }

    fn ambiguous(&mut self, address: &Address, candidates: &[Seen<'_>]) {
        let ids: Vec<&str> = candidates.iter().map(|seen| seen.id).collect();
        self.problems.push(Problem::Impossible {
            summary: format!("{address} may be any of {}", ids.join(", ")),
            hint: "remove those that are not of the stack, or take each object by itself: aloka import ADDRESS ID"
                .to_owned(),
        });
    }

    fn is_taken(&self, address: &Address) -> bool {
        self.found.contains_key(&Target::current(address.clone()))
    }

    /// Objects of a kind that nothing took yet and that are there to stay.
    fn free(&self, kind: Kind, fits: impl Fn(&Seen<'a>) -> bool) -> Vec<Seen<'a>> {
        let free = self.seen.iter().filter(|seen| seen.kind == kind && !self.used.contains(&(kind, seen.id)));
        let is_open = |seen: &&Seen<'a>| seen.lineage().is_none_or(|lineage| Some(lineage) == self.lineage);
        free.filter(is_open).filter(|seen| seen.stays() && fits(seen)).copied().collect()
    }

    /// Takes the only object that fits; does nothing if the address has one.
    fn only(&mut self, address: Address, kind: Kind, fits: impl Fn(&Seen<'a>) -> bool) {
        if self.is_taken(&address) {
            return;
        }
        match self.free(kind, fits).as_slice() {
            [] => {}
            [one] => self.take(Target::current(address), *one, &ValueMap::new(), By::Place),
            several => self.ambiguous(&address, several),
        }
    }

    fn attribute(&self, address: &Address, name: &str) -> Option<&str> {
        self.found.get(&Target::current(address.clone()))?.0.get(name)?.as_str()
    }

    fn claimed(&self, kind: Kind) -> Vec<Address> {
        let current = self.found.keys().filter(|target| target.deposed.is_none());
        current.filter(|target| target.address.kind == kind).map(|target| target.address.clone()).collect()
    }

    /// Takes what is in the VPC where the stack has it.
    pub(super) fn by_place(&mut self, variables: &Variables, vpc: &str) {
        self.only(Address::vpc(Kind::Vpc, "this", 0), Kind::Vpc, |seen| seen.id == vpc);
        self.only(Address::vpc(Kind::InternetGateway, "this", 0), Kind::InternetGateway, |seen| {
            seen.list("Attachments").iter().any(|attachment| attachment.get("VpcId").as_str() == Some(vpc))
        });
        self.only(Address::vpc(Kind::DefaultSecurityGroup, "this", 0), Kind::SecurityGroup, |seen| {
            seen.text("GroupName") == "default"
        });
        self.declared(variables, vpc);
        self.route_tables();
        self.spare_tables(variables);
        self.routes_and_associations();
        self.nat_gateways();
        self.servers(variables);
    }

    /// What the stack declares with attributes that tell it from all others in the VPC.
    fn declared(&mut self, variables: &Variables, vpc: &str) {
        let declared = stack::stack(variables, &Choices::default(), None).resources;
        for (address, declared) in declared {
            let Some(names) = address.kind.definition().told_apart_by else { continue };
            let (kind, place) = (address.kind, self.place);
            self.only(address, kind, |seen| {
                let Some(found) = resource::attributes(kind, &ValueMap::new(), seen.object, place) else {
                    return false;
                };
                let agrees =
                    |name: &&str| found.get(*name).is_some() && found.get(*name) == declared.attributes.get(*name);
                seen.text("VpcId") == vpc && names.iter().all(agrees)
            });
        }
    }

    /// The table of the public subnets, and those of the private ones in the order of the subnets.
    fn route_tables(&mut self) {
        for tier in ["public", "private"] {
            let subnets = self.claimed(Kind::Subnet).into_iter().filter(|address| &*address.name == tier);
            let ids: Vec<String> =
                subnets.filter_map(|address| Some(self.attribute(&address, "id")?.to_owned())).collect();
            for id in ids {
                let tables = self.free(Kind::RouteTable, |seen| !is_main(seen) && serves(seen, &id));
                let next = (0..).map(|index| Address::vpc(Kind::RouteTable, tier, index));
                let slots = if tier == "public" { 1 } else { usize::MAX };
                let address = next.take(slots).find(|address| !self.is_taken(address));
                if let ([table], Some(address)) = (tables.as_slice(), address) {
                    self.take(Target::current(address), *table, &ValueMap::new(), By::Place);
                }
            }
        }
    }

    /// A private table that no subnet uses is known by its name: there is one for each zone of the public subnets.
    fn spare_tables(&mut self, variables: &Variables) {
        for subnet in self.claimed(Kind::Subnet).into_iter().filter(|address| &*address.name == "public") {
            let zone = self.attribute(&subnet, "availability_zone").unwrap_or_default();
            let name = stack::private_table_name(variables, zone);
            let address = Address::vpc(Kind::RouteTable, "private", subnet.index.unwrap_or(0));
            self.only(address, Kind::RouteTable, |seen| !is_main(seen) && seen.name() == Some(&name));
        }
    }

    pub(super) fn routes_and_associations(&mut self) {
        let tables: Vec<Seen<'a>> = self.seen.iter().filter(|seen| seen.kind == Kind::RouteTable).copied().collect();
        for address in self.claimed(Kind::RouteTable) {
            let id = self.attribute(&address, "id").unwrap_or_default().to_owned();
            let route = stack::default_route(&address);
            if let Some(table) = tables.iter().find(|table| table.id == id) {
                let known = ValueMap::from([(key("destination_cidr_block"), Value::str(ANYWHERE))]);
                self.take(Target::current(route), *table, &known, By::Place);
            }
        }
        for address in self.claimed(Kind::Subnet) {
            let id = self.attribute(&address, "id").unwrap_or_default().to_owned();
            let association = Address { kind: Kind::RouteTableAssociation, ..address };
            if let Some(table) = tables.iter().find(|table| serves(table, &id)) {
                let known = ValueMap::from([(key("subnet_id"), Value::from(id))]);
                self.take(Target::current(association), *table, &known, By::Place);
            }
        }
    }

    /// A gateway in public subnet `i` is gateway `i`; one alone is the first, wherever it is. Its address is known by
    /// what it holds.
    fn nat_gateways(&mut self) {
        let subnets: Vec<Address> =
            self.claimed(Kind::Subnet).into_iter().filter(|address| &*address.name == "public").collect();
        let single = self.free(Kind::NatGateway, |_| true).len() == 1 && self.claimed(Kind::NatGateway).is_empty();
        for subnet in subnets {
            let id = self.attribute(&subnet, "id").unwrap_or_default().to_owned();
            let index = if single { 0 } else { subnet.index.unwrap_or(0) };
            let address = Address::vpc(Kind::NatGateway, "this", index);
            self.only(address, Kind::NatGateway, |seen| seen.text("SubnetId") == id);
        }
        for gateway in self.claimed(Kind::NatGateway) {
            let address = Address { kind: Kind::Eip, name: crate::intern::text("nat"), ..gateway.clone() };
            let held = self.attribute(&gateway, "allocation_id").map(str::to_owned);
            if let (Some(held), false) = (held, self.is_taken(&address)) {
                let ids = ["allocation_id", "id"].map(|name| (key(name), Value::from(&held)));
                self.found.insert(Target::current(address), (ValueMap::from(ids), By::Place));
            }
        }
    }

    /// Servers in the app group: each by its name, or by its subnet if that leaves no choice.
    fn servers(&mut self, variables: &Variables) {
        let count = variables.app_instance_count;
        let app = Address::root(Kind::SecurityGroup, "app");
        let Some(group) = self.attribute(&app, "id").map(str::to_owned) else { return };
        let member = |seen: &Seen<'a>| {
            seen.list("SecurityGroups").iter().any(|other| other.get("GroupId").as_str() == Some(&group))
        };
        for index in 0..count {
            let name = stack::app_name(variables, index);
            let address = stack::app_address(index, count);
            if self.free(Kind::Instance, |seen| member(seen) && seen.name() == Some(&name)).len() == 1 {
                self.only(address, Kind::Instance, |seen| member(seen) && seen.name() == Some(&name));
            }
        }
        for index in 0..count {
            let subnet = Address::vpc(Kind::Subnet, "public", stack::app_subnet(variables, index));
            let Some(subnet) = self.attribute(&subnet, "id").map(str::to_owned) else { continue };
            let address = stack::app_address(index, count);
            self.only(address, Kind::Instance, |seen| member(seen) && seen.text("SubnetId") == subnet);
        }
    }
}

/// True for the route table that comes with a VPC.
fn is_main(seen: &Seen<'_>) -> bool {
    seen.kind == Kind::RouteTable && seen.list("Associations").iter().any(|a| a.get("Main").as_bool() == Some(true))
}

/// True if the table is associated with the subnet.
fn serves(table: &Seen<'_>, subnet: &str) -> bool {
    table.list("Associations").iter().any(|association| association.get("SubnetId").as_str() == Some(subnet))
}
