//! Route tables: for a subnet, which addresses its packets leave for, and by what.
//!
//! The longest prefix wins, so every address belongs to exactly one kind of target.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use super::names::{Names, Party};
use super::rules::items;
use super::space::Ipv4Set;
use crate::address::Address;
use crate::kind::Kind;
use crate::resource::Network;
use crate::value::{Value, ValueMap};

/// Where the routes of a subnet lead, by destination address. Addresses in none of the sets are dropped or leave by a
/// NAT gateway, which lets nothing in.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    /// Inside the VPC.
    pub(super) local: Ipv4Set,
    /// Through an internet gateway.
    pub(super) gateway: Ipv4Set,
    /// By a target nothing here tells about, such as a VPN or a peering.
    pub(super) unknown: Ipv4Set,
}

/// The route tables and who follows them.
pub(super) struct Tables {
    routes: BTreeMap<Party, Vec<Route>>,
    followers: BTreeMap<Party, Vec<Party>>,
}

struct Route {
    /// `None`: a destination that is not known.
    destination: Option<Ipv4Net>,
    target: Target,
}

#[derive(Clone, Copy)]
enum Target {
    Local,
    /// An internet gateway and the VPC it is attached to, if that is known.
    Gateway,
    /// A NAT gateway, a service of AWS or a black hole.
    Outward,
    Unknown,
}

impl Tables {
    pub(super) fn new(names: &Names<'_>) -> Self {
        let mut routes: BTreeMap<Party, Vec<Route>> = BTreeMap::new();
        for kind in Kind::ALL {
            let Network::Routes { tables, destination } = kind.definition().network else { continue };
            for (_, attributes) in names.of(kind) {
                for table in items(names, attributes, tables) {
                    let Some(table) = names.party(table, &[Kind::RouteTable]) else { continue };
                    let vpc = vpc_of(names, &table);
                    let route = match destination {
                        Some(destination) => route(names, attributes, destination, vpc.as_ref()),
                        None => Some(Route { destination: None, target: Target::Outward }),
                    };
                    if let Some(route) = route {
                        routes.entry(table).or_default().push(route);
                    }
                }
            }
        }
        let mut followers: BTreeMap<Party, Vec<Party>> = BTreeMap::new();
        for (_, attributes) in names.of(Kind::RouteTableAssociation) {
            let table = names.party(get(attributes, "route_table_id"), &[Kind::RouteTable]);
            let subnet = names.party(get(attributes, "subnet_id"), &[Kind::Subnet]);
            if let (Some(table), Some(subnet)) = (table, subnet) {
                followers.entry(subnet).or_default().push(table);
            }
        }
        Self { routes, followers }
    }

    /// The routes of `subnet` in the VPC with the addresses `range`, and whether it follows a main route table that
    /// is not among the resources. Such a table is taken to be as AWS makes it: the local route only.
    pub(super) fn of(
        &self,
        names: &Names<'_>,
        subnet: &Address,
        vpc: Option<&Party>,
        range: &Ipv4Set,
    ) -> (Routes, bool) {
        let main = vpc.and_then(|vpc| main_table(names, vpc));
        let subnet = Party::Object(subnet.clone());
        let (tables, unmanaged) = match self.followers.get(&subnet) {
            Some(tables) => (tables.clone(), false),
            None => {
                let managed = matches!(&main, Some(Party::Object(_)));
                (main.iter().cloned().collect(), !managed)
            }
        };
        if tables.is_empty() {
            return (partition(&[], range), unmanaged);
        }
        let mut sum: Option<Routes> = None;
        for table in &tables {
            let known = matches!(table, Party::Object(address) if names.attributes(address).is_some());
            let mut own = partition(self.routes.get(table).map_or(&[], Vec::as_slice), range);
            if !known && main.as_ref() != Some(table) {
                own.unknown = Ipv4Set::all().minus(range);
            }
            // Two tables are a plan in the midst of a change: whatever either lets in may come in.
            sum = Some(match sum {
                None => own,
                Some(sum) => Routes {
                    local: sum.local.intersect(&own.local),
                    gateway: sum.gateway.union(&own.gateway),
                    unknown: sum.unknown.union(&own.unknown),
                },
            });
        }
        (sum.unwrap_or_default(), unmanaged)
    }
}

fn partition(routes: &[Route], range: &Ipv4Set) -> Routes {
    let local = range.blocks().into_iter().map(|block| (block, Target::Local));
    let known = routes.iter().filter_map(|route| route.destination.map(|block| (block, route.target)));
    let mut by_length: BTreeMap<u8, Vec<(Ipv4Net, Target)>> = BTreeMap::new();
    for (block, target) in local.chain(known) {
        by_length.entry(block.prefix_len()).or_default().push((block, target));
    }
    let mut sum = Routes::default();
    let mut rest = Ipv4Set::all();
    for blocks in by_length.into_values().rev() {
        let before = rest.clone();
        for (block, target) in blocks {
            let block = Ipv4Set::of([block]);
            sum.add(target, &block.intersect(&before));
            rest = rest.minus(&block);
        }
    }
    for route in routes.iter().filter(|route| route.destination.is_none()) {
        sum.add(route.target, &Ipv4Set::all().minus(range));
    }
    sum
}

impl Routes {
    fn add(&mut self, target: Target, addresses: &Ipv4Set) {
        let set = match target {
            Target::Local => &mut self.local,
            Target::Gateway => &mut self.gateway,
            Target::Unknown => &mut self.unknown,
            Target::Outward => return,
        };
        *set = set.union(addresses);
    }
}

fn get<'a>(attributes: &'a ValueMap, name: &str) -> &'a Value {
    const NULL: Value = Value::Null;
    attributes.get(name).unwrap_or(&NULL)
}

fn vpc_of(names: &Names<'_>, object: &Party) -> Option<Party> {
    let Party::Object(address) = object else { return None };
    names.party(get(names.attributes(address)?, "vpc_id"), &[Kind::Vpc])
}

/// The main route table of a VPC, known at least by the attribute that will hold its id.
fn main_table(names: &Names<'_>, vpc: &Party) -> Option<Party> {
    let Party::Object(address) = vpc else { return None };
    let attributes = names.attributes(address)?;
    let by_name = |name| names.party(get(attributes, name), &[Kind::RouteTable]);
    let future = || Party::Unknown(Value::reference(address.clone(), "main_route_table_id").to_string().into());
    Some(by_name("main_route_table_id").or_else(|| by_name("default_route_table_id")).unwrap_or_else(future))
}

/// `None`: a route for IPv6 alone.
fn route(names: &Names<'_>, attributes: &ValueMap, destination: &str, vpc: Option<&Party>) -> Option<Route> {
    let destination = match names.get(attributes, destination) {
        Value::Null if get(attributes, "destination_ipv6_cidr_block").as_str().is_some_and(|text| !text.is_empty()) => {
            return None;
        }
        value => value.as_str().and_then(|text| text.parse().ok()),
    };
    Some(Route { destination, target: target(names, attributes, vpc) })
}

fn target(names: &Names<'_>, attributes: &ValueMap, vpc: Option<&Party>) -> Target {
    if names.get(attributes, "state").as_str() == Some("blackhole") {
        return Target::Outward;
    }
    match names.party(get(attributes, "gateway_id"), &[Kind::InternetGateway]) {
        Some(Party::Unknown(id)) if *id == *"local" => Target::Local,
        Some(Party::Unknown(id)) if id.starts_with("igw-") => Target::Gateway,
        Some(Party::Unknown(_)) => Target::Unknown,
        Some(Party::Object(gateway)) if gateway.kind == Kind::InternetGateway => match names.attributes(&gateway) {
            // Not at hand: nothing says that it is not attached.
            None => Target::Gateway,
            Some(gateway) => match names.party(get(gateway, "vpc_id"), &[Kind::Vpc]) {
                None => Target::Outward,
                Some(own) if vpc.is_some_and(|vpc| *vpc != own) => Target::Outward,
                Some(_) => Target::Gateway,
            },
        },
        Some(Party::Object(_)) => Target::Unknown,
        None if names.party(get(attributes, "nat_gateway_id"), &[Kind::NatGateway]).is_some() => Target::Outward,
        None => Target::Unknown,
    }
}
