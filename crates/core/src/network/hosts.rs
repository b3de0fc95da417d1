//! What can be reached: databases and instances, with their place in the network.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::Ipv4Net;

use super::block::BLOCK_MODE;
use super::names::{Names, Party};
use super::routes::{Routes, Tables};
use super::rules::items;
use super::space::Ipv4Set;
use crate::address::Address;
use crate::kind::Kind;
use crate::resource::Network;
use crate::value::{Value, ValueMap};

/// A database or an instance.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) address: Address,
    /// The port a database listens on; `None` for an instance.
    pub(super) port: Option<u16>,
    pub(super) vpc: Option<Party>,
    /// The addresses of the VPC.
    pub(super) range: Ipv4Set,
    /// Every private address it may have.
    pub(super) place: Ipv4Set,
    pub(super) groups: BTreeSet<Address>,
    pub(super) unknown_groups: BTreeSet<Arc<str>>,
    /// It has, or may be given, a public address.
    pub(super) public: bool,
    /// Its VPC has IPv6.
    pub(super) ipv6: bool,
    pub(super) routes: Routes,
    /// Its subnets that follow a main route table not among the resources.
    pub(super) unmanaged: BTreeSet<Address>,
}

/// Every host, databases first.
pub(super) fn hosts(names: &Names<'_>) -> Vec<Host> {
    let tables = Tables::new(names);
    let mut places = Places { names, tables, known: BTreeMap::new() };
    let ports = |kind: Kind| match kind.definition().network {
        Network::Host { port } => Some((kind, port)),
        Network::Nothing | Network::Group | Network::Routes { .. } => None,
    };
    let (listening, others): (Vec<_>, Vec<_>) =
        Kind::ALL.into_iter().filter_map(ports).partition(|(_, port)| port.is_some());
    let mut hosts = Vec::new();
    for (kind, port) in listening.into_iter().chain(others) {
        let all: Vec<_> = names.of(kind).collect();
        hosts.extend(all.into_iter().map(|(address, attributes)| match port {
            Some(port) => places.database(address, attributes, port),
            None => places.instance(address, attributes),
        }));
    }
    hosts
}

/// A set of subnets as seen from outside.
#[derive(Clone)]
struct Place {
    vpc: Option<Party>,
    range: Ipv4Set,
    place: Ipv4Set,
    routes: Routes,
    ipv6: bool,
    unmanaged: BTreeSet<Address>,
}

struct Places<'a> {
    names: &'a Names<'a>,
    tables: Tables,
    /// Thousands of instances stand in a few subnets.
    known: BTreeMap<Option<Party>, Place>,
}

impl<'a> Places<'a> {
    fn database(&mut self, address: &Address, attributes: &'a ValueMap, default_port: u16) -> Host {
        let names = self.names;
        let group = names.party(get(attributes, "db_subnet_group_name"), &[Kind::DbSubnetGroup]);
        let group = match &group {
            Some(Party::Object(group)) => names.attributes(group),
            Some(Party::Unknown(_)) | None => None,
        };
        let subnets: Vec<_> = group.map_or_else(Vec::new, |group| {
            items(names, group, "subnet_ids").map(|subnet| names.party(subnet, &[Kind::Subnet])).collect()
        });
        let port = names.get(attributes, "port").as_i64().and_then(|port| u16::try_from(port).ok());
        let public = !matches!(names.get(attributes, "publicly_accessible"), Value::Null | Value::Bool(false));
        let port = port.filter(|&port| port != 0).unwrap_or(default_port);
        self.host(address, attributes, &subnets, Some(port), public)
    }

    fn instance(&mut self, address: &Address, attributes: &'a ValueMap) -> Host {
        let names = self.names;
        let subnet = names.party(get(attributes, "subnet_id"), &[Kind::Subnet]);
        let public = self.has_public_address(attributes, subnet.as_ref());
        let mut host = self.host(address, attributes, &[subnet], None, public);
        if let Some(own) = names.get(attributes, "private_ip").as_str().and_then(|text| text.parse::<Ipv4Addr>().ok()) {
            host.place = Ipv4Set::of([Ipv4Net::from(own)]);
        }
        host
    }

    /// A stopped instance that will get one again counts.
    fn has_public_address(&self, attributes: &'a ValueMap, subnet: Option<&Party>) -> bool {
        let names = self.names;
        let filled = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        if filled(names.get(attributes, "public_ip")) {
            return true;
        }
        let interface = names.get(attributes, "primary_network_interface_id");
        let elastic = |(_, eip): (&Address, &'a ValueMap)| names.get(eip, "network_interface") == interface;
        if filled(interface) && names.of(Kind::Eip).any(elastic) {
            return true;
        }
        match names.get(attributes, "associate_public_ip_address") {
            Value::Bool(public) => *public,
            Value::Null => match subnet {
                None | Some(Party::Unknown(_)) => true,
                Some(Party::Object(subnet)) => names.attributes(subnet).is_none_or(|subnet| {
                    !matches!(get(subnet, "map_public_ip_on_launch"), Value::Null | Value::Bool(false))
                }),
            },
            Value::Number(_) | Value::Str(_) | Value::List(_) | Value::Map(_) | Value::Ref(..) | Value::Secret(_) => {
                true
            }
        }
    }

    fn host(
        &mut self,
        address: &Address,
        attributes: &'a ValueMap,
        subnets: &[Option<Party>],
        port: Option<u16>,
        public: bool,
    ) -> Host {
        let (mut groups, mut unknown_groups) = (BTreeSet::new(), BTreeSet::new());
        for group in items(self.names, attributes, "vpc_security_group_ids") {
            match self.names.group(group) {
                Some(Party::Object(group)) if self.names.attributes(&group).is_some() => {
                    groups.insert(group);
                }
                Some(Party::Object(group)) => {
                    unknown_groups.insert(group.to_string().into());
                }
                Some(Party::Unknown(id)) => {
                    unknown_groups.insert(id);
                }
                None => {}
            }
        }
        let Place { vpc, range, place, routes, ipv6, unmanaged } = self.places(subnets);
        let address = address.clone();
        Host { address, port, vpc, range, place, groups, unknown_groups, public, ipv6, routes, unmanaged }
    }

    /// Any of several subnets: what is possible in one is possible; what is local must be so in all.
    fn places(&mut self, subnets: &[Option<Party>]) -> Place {
        let mut subnets = subnets.iter();
        let Some(first) = subnets.next() else { return self.place(None) };
        let first = self.place(first.as_ref());
        subnets.fold(first, |sum, subnet| {
            let next = self.place(subnet.as_ref());
            Place {
                vpc: sum.vpc.filter(|vpc| next.vpc.as_ref() == Some(vpc)),
                range: sum.range.union(&next.range),
                place: sum.place.union(&next.place),
                routes: Routes {
                    local: sum.routes.local.intersect(&next.routes.local),
                    gateway: sum.routes.gateway.union(&next.routes.gateway),
                    unknown: sum.routes.unknown.union(&next.routes.unknown),
                },
                ipv6: sum.ipv6 || next.ipv6,
                unmanaged: &sum.unmanaged | &next.unmanaged,
            }
        })
    }

    fn place(&mut self, subnet: Option<&Party>) -> Place {
        if let Some(known) = self.known.get(&subnet.cloned()) {
            return known.clone();
        }
        let place = self.read_place(subnet);
        self.known.insert(subnet.cloned(), place.clone());
        place
    }

    fn read_place(&self, subnet: Option<&Party>) -> Place {
        let names = self.names;
        let known = match subnet {
            Some(Party::Object(address)) => names.attributes(address).map(|attributes| (address, attributes)),
            Some(Party::Unknown(_)) | None => None,
        };
        let Some((address, attributes)) = known else {
            let range = self.range(|_| true);
            let unknown = Ipv4Set::all().minus(&range);
            let routes = Routes { unknown, ..Routes::default() };
            return Place { vpc: None, range, place: Ipv4Set::all(), routes, ipv6: false, unmanaged: BTreeSet::new() };
        };
        let vpc = names.party(get(attributes, "vpc_id"), &[Kind::Vpc]);
        let range = match &vpc {
            Some(Party::Object(own)) => self.range(|vpc| vpc == own),
            Some(Party::Unknown(_)) | None => Ipv4Set::default(),
        };
        let own = block(names.get(attributes, "cidr_block"));
        // A VPC that is not at hand has at least its subnets.
        let range = if range.is_empty() { own.clone().unwrap_or_default() } else { range };
        let (mut routes, unmanaged) = self.tables.of(names, address, vpc.as_ref(), &range);
        if get(attributes, BLOCK_MODE).as_str().is_some() {
            routes.gateway = Ipv4Set::default();
        }
        let place = own.unwrap_or_else(|| range.clone());
        let unmanaged = unmanaged.then(|| address.clone()).into_iter().collect();
        let has_ipv6 =
            |attributes: &ValueMap| get(attributes, "ipv6_cidr_block").as_str().is_some_and(|t| !t.is_empty());
        let ipv6 = has_ipv6(attributes)
            || matches!(&vpc, Some(Party::Object(vpc)) if names.attributes(vpc).is_some_and(has_ipv6));
        Place { vpc, range, place, routes, ipv6, unmanaged }
    }

    fn range(&self, wanted: impl Fn(&Address) -> bool) -> Ipv4Set {
        let vpcs = self.names.of(Kind::Vpc).filter(|(address, _)| wanted(address));
        let blocks = vpcs.filter_map(|(_, attributes)| block(self.names.get(attributes, "cidr_block")));
        blocks.fold(Ipv4Set::default(), |sum, block| sum.union(&block))
    }
}

fn block(value: &Value) -> Option<Ipv4Set> {
    value.as_str().and_then(|text| text.parse::<Ipv4Net>().ok()).map(|net| Ipv4Set::of([net]))
}

fn get<'a>(attributes: &'a ValueMap, name: &str) -> &'a Value {
    const NULL: Value = Value::Null;
    attributes.get(name).unwrap_or(&NULL)
}
