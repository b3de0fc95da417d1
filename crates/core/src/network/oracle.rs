//! A brute-force twin of the decision, for tests: networks as plain data, and for one packet at a time the answer.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use proptest::prelude::*;

use crate::address::Address;
use crate::kind::Kind;
use crate::value::{Value, ValueMap};

pub(super) const GROUPS: [&str; 3] = ["app", "db", "other"];
pub(super) const PORTS: std::ops::RangeInclusive<u16> = 0..=12;
pub(super) const PROTOCOLS: [u8; 3] = [6, 17, 50];
/// Sources: two on the internet, a private one outside, one in each subnet.
pub(super) const OUTSIDE: [&str; 3] = ["198.51.100.9", "203.0.113.7", "192.168.1.1"];
pub(super) const INSIDE: [&str; 2] = ["10.0.1.20", "10.0.10.20"];

const BLOCKS: [&str; 7] =
    ["0.0.0.0/0", "198.51.100.0/24", "128.0.0.0/1", "10.0.0.0/8", "10.0.1.0/24", "10.0.10.0/23", "192.168.0.0/16"];
const DESTINATIONS: [&str; 4] = ["0.0.0.0/0", "198.51.100.0/24", "128.0.0.0/1", "192.168.0.0/16"];

#[derive(Clone, Debug)]
pub(super) struct RuleSpec {
    pub(super) protocol: &'static str,
    pub(super) from: u16,
    pub(super) to: u16,
    pub(super) blocks: Vec<&'static str>,
    pub(super) groups: Vec<usize>,
    pub(super) own: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    Internet,
    Nat,
}

/// A VPC 10.0.0.0/16 with an instance in 10.0.1.0/24 and a database in 10.0.10.0/24.
#[derive(Clone, Debug)]
pub(super) struct NetworkSpec {
    pub(super) ingress: [Vec<RuleSpec>; 3],
    pub(super) egress: [Vec<RuleSpec>; 3],
    /// Groups of the instance and of the database.
    pub(super) groups: [Vec<usize>; 2],
    pub(super) public: [bool; 2],
    pub(super) routes: [Vec<(&'static str, Via)>; 2],
    pub(super) attached: bool,
}

fn rule() -> impl Strategy<Value = RuleSpec> {
    (
        prop::sample::select(vec!["tcp", "tcp", "udp", "50", "-1"]),
        PORTS,
        PORTS,
        prop::sample::subsequence(BLOCKS.to_vec(), 0..3),
        prop::sample::subsequence(vec![0, 1, 2], 0..3),
        any::<bool>(),
    )
        .prop_map(|(protocol, a, b, blocks, groups, own)| RuleSpec {
            protocol,
            from: a.min(b),
            to: a.max(b),
            blocks,
            groups,
            own,
        })
}

pub(super) fn network() -> impl Strategy<Value = NetworkSpec> {
    let rules = || prop::collection::vec(rule(), 0..3);
    let three = || [rules(), rules(), rules()];
    let own = || prop::sample::subsequence(vec![0, 1, 2], 1..3);
    let via = || prop::sample::select(vec![Via::Internet, Via::Nat]);
    let routes = || {
        let blocks = prop::sample::subsequence(DESTINATIONS.to_vec(), 0..4);
        (blocks, prop::collection::vec(via(), 4)).prop_map(|(blocks, via)| blocks.into_iter().zip(via).collect())
    };
    (three(), three(), [own(), own()], any::<[bool; 2]>(), [routes(), routes()], prop::bool::weighted(0.8)).prop_map(
        |(ingress, egress, groups, public, routes, attached)| NetworkSpec {
            ingress,
            egress,
            groups,
            public,
            routes,
            attached,
        },
    )
}

fn matches(rule: &RuleSpec, protocol: u8, port: u16) -> bool {
    match rule.protocol {
        "-1" => true,
        "tcp" => protocol == 6 && (rule.from..=rule.to).contains(&port),
        "udp" => protocol == 17 && (rule.from..=rule.to).contains(&port),
        number => number.parse() == Ok(protocol),
    }
}

fn within(block: &str, address: Ipv4Addr) -> bool {
    block.parse::<Ipv4Net>().is_ok_and(|net| net.contains(&address))
}

impl NetworkSpec {
    /// The instance is 0, the database 1. A packet from `address`, belonging to nothing that is known.
    pub(super) fn address_reaches(&self, address: Ipv4Addr, to: usize, protocol: u8, port: u16) -> bool {
        let inside = within("10.0.0.0/16", address);
        let private = within("10.0.0.0/8", address) || within("192.168.0.0/16", address);
        let best = self.routes[to].iter().filter(|(block, _)| within(block, address));
        let best = best.max_by_key(|(block, _)| block.parse::<Ipv4Net>().expect("a block").prefix_len());
        let gateway = self.attached && best.is_some_and(|(_, via)| *via == Via::Internet);
        let arrives = inside || (!private && self.public[to] && gateway);
        let rules = || self.groups[to].iter().flat_map(|&group| &self.ingress[group]);
        arrives && rules().any(|rule| matches(rule, protocol, port) && rule.blocks.iter().any(|b| within(b, address)))
    }

    /// A packet from a member of `group`: one that is in that group alone, or one that stands in the network.
    pub(super) fn group_reaches(&self, group: usize, to: usize, protocol: u8, port: u16) -> bool {
        let refers = |rule: &RuleSpec, owner: usize| rule.groups.contains(&group) || (rule.own && owner == group);
        let let_in = self.groups[to]
            .iter()
            .any(|&owner| self.ingress[owner].iter().any(|rule| matches(rule, protocol, port) && refers(rule, owner)));
        let members = self.groups.iter().filter(|groups| groups.contains(&group));
        let let_out = std::iter::once(&vec![group]).chain(members).flatten().any(|&owner| {
            self.egress[owner].iter().any(|rule| matches(rule, protocol, port) && self.leads_to(rule, owner, to))
        });
        let_in && let_out
    }

    /// A packet from the instance to the database.
    pub(super) fn instance_to_database(&self, protocol: u8, port: u16) -> bool {
        let sent = self.groups[0].iter().any(|&owner| {
            self.egress[owner].iter().any(|rule| matches(rule, protocol, port) && self.leads_to(rule, owner, 1))
        });
        let let_in = self.groups[1].iter().any(|&owner| {
            self.ingress[owner].iter().any(|rule| matches(rule, protocol, port) && self.leads_to(rule, owner, 0))
        });
        sent && let_in
    }

    /// Every block of this world holds a whole subnet or none of it.
    fn leads_to(&self, rule: &RuleSpec, owner: usize, peer: usize) -> bool {
        let place = INSIDE[peer].parse().expect("an address");
        rule.blocks.iter().any(|block| within(block, place))
            || rule.groups.iter().any(|group| self.groups[peer].contains(group))
            || (rule.own && self.groups[peer].contains(&owner))
    }

    /// The network as resources: with literal ids, as observed, or with references, as planned.
    pub(super) fn resources(&self, planned: bool) -> BTreeMap<Address, ValueMap> {
        let mut world = Builder { planned, resources: BTreeMap::new() };
        let vpc = world.add(Address::vpc(Kind::Vpc, "this", 0), [("cidr_block", "10.0.0.0/16".into())]);
        let detached = if self.attached { vpc.clone() } else { "".into() };
        let gateway = world.add(Address::vpc(Kind::InternetGateway, "this", 0), [("vpc_id", detached)]);
        let groups = GROUPS.map(|name| world.id(&Address::root(Kind::SecurityGroup, name)));
        for (index, name) in GROUPS.into_iter().enumerate() {
            let rules = |rules: &[RuleSpec]| Value::list(rules.iter().map(|rule| rule.value(&groups)));
            let (ingress, egress) = (rules(&self.ingress[index]), rules(&self.egress[index]));
            let attributes = [("vpc_id", vpc.clone()), ("ingress", ingress), ("egress", egress)];
            world.add(Address::root(Kind::SecurityGroup, name), attributes);
        }
        let mut subnets = Vec::new();
        for (index, (name, block)) in [("public", "10.0.1.0/24"), ("private", "10.0.10.0/24")].into_iter().enumerate() {
            let attributes = [("vpc_id", vpc.clone()), ("cidr_block", block.into())];
            let subnet = world.add(Address::vpc(Kind::Subnet, name, 0), attributes);
            let table = world.add(Address::vpc(Kind::RouteTable, name, 0), [("vpc_id", vpc.clone())]);
            let nat = world.add(Address::vpc(Kind::NatGateway, name, 0), [("subnet_id", subnet.clone())]);
            let attributes = [("route_table_id", table.clone()), ("subnet_id", subnet.clone())];
            world.add(Address::vpc(Kind::RouteTableAssociation, name, 0), attributes);
            for (number, (block, via)) in (0..).zip(&self.routes[index]) {
                let target = match via {
                    Via::Internet => ("gateway_id", gateway.clone()),
                    Via::Nat => ("nat_gateway_id", nat.clone()),
                };
                let attributes =
                    [("route_table_id", table.clone()), ("destination_cidr_block", (*block).into()), target];
                world.add(Address::vpc(Kind::Route, name, number), attributes);
            }
            subnets.push(subnet);
        }
        let own = |host: usize| Value::list(self.groups[host].iter().map(|&group| groups[group].clone()));
        let name = Address::root(Kind::DbSubnetGroup, "main");
        world.add(name.clone(), [("name", "group".into()), ("subnet_ids", Value::list([subnets[1].clone()]))]);
        let name = if planned { Value::reference(name, "name") } else { "group".into() };
        let attributes = [
            ("db_subnet_group_name", name),
            ("vpc_security_group_ids", own(1)),
            ("publicly_accessible", self.public[1].into()),
        ];
        world.add(Address::root(Kind::DbInstance, "postgres"), attributes);
        let attributes = [
            ("subnet_id", subnets[0].clone()),
            ("vpc_security_group_ids", own(0)),
            ("associate_public_ip_address", self.public[0].into()),
        ];
        world.add(Address::root(Kind::Instance, "app"), attributes);
        world.resources
    }
}

impl RuleSpec {
    fn value(&self, groups: &[Value; 3]) -> Value {
        Value::map([
            ("protocol", self.protocol.into()),
            ("from_port", self.from.into()),
            ("to_port", self.to.into()),
            ("cidr_blocks", Value::list(self.blocks.iter().copied())),
            ("ipv6_cidr_blocks", Value::EMPTY_LIST),
            ("prefix_list_ids", Value::EMPTY_LIST),
            ("security_groups", Value::list(self.groups.iter().map(|&group| groups[group].clone()))),
            ("self", self.own.into()),
            ("description", "".into()),
        ])
    }
}

struct Builder {
    planned: bool,
    resources: BTreeMap<Address, ValueMap>,
}

impl Builder {
    fn id(&self, address: &Address) -> Value {
        if self.planned {
            Value::reference(address.clone(), "id")
        } else {
            format!("id-{}", address.tag_value()).into()
        }
    }

    fn add(&mut self, address: Address, attributes: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
        let id = self.id(&address);
        let mut map: ValueMap = attributes.into_iter().map(|(key, value)| (key.into(), value)).collect();
        if !self.planned {
            map.insert("id".into(), id.clone());
        }
        self.resources.insert(address, map);
        id
    }
}
