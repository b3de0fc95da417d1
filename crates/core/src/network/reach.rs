//! The decision itself: flows to each host, paths from instances to databases.

use std::collections::{BTreeMap, BTreeSet};

use super::hosts::{Host, hosts};
use super::names::Names;
use super::rules::{Group, Rule, groups};
use super::space::{Area, Ipv4Set};
use super::traffic::Traffic;
use super::{Flow, Path, Report, Source, Target};
use crate::address::Address;
use crate::value::ValueMap;

/// Decides who can reach every database and instance among `resources`: Terraform attributes by address, literal or
/// as planned. A reference to an object's id and that object's own id are the same thing. Total: anything that cannot
/// be read widens the answer.
pub fn report(resources: &BTreeMap<Address, ValueMap>) -> Report {
    let names = Names::new(resources);
    let groups = groups(&names);
    let hosts = hosts(&names);
    let network = Network::new(&groups, &hosts);
    let mut report = Report::default();
    for host in &hosts {
        report.flows.extend(network.flows(host));
        for group in &host.groups {
            report.members.entry(group.clone()).or_default().insert(host.address.clone());
        }
        report.targets.push(Target {
            address: host.address.clone(),
            port: host.port,
            groups: host.groups.clone(),
            public: !host.internet().is_empty(),
            main_route_table: host.unmanaged.clone(),
        });
    }
    let instances = || hosts.iter().filter(|host| host.port.is_none());
    let databases = hosts.iter().filter_map(|host| host.port.map(|port| (host, port)));
    for (database, port) in databases {
        report.paths.extend(instances().map(|instance| Path {
            from: instance.address.clone(),
            to: database.address.clone(),
            port,
            traffic: network.path(instance, database),
        }));
    }
    report
}

impl Host {
    /// The internet addresses whose packets reach this host and whose answers find the way back.
    fn internet(&self) -> Ipv4Set {
        if !self.public {
            return Ipv4Set::default();
        }
        self.routes.gateway.intersect(&Ipv4Set::internet())
    }
}

struct Network<'a> {
    groups: &'a BTreeMap<Address, Group>,
    /// For each group, the different sets of groups its members have.
    companies: BTreeMap<&'a Address, BTreeSet<&'a BTreeSet<Address>>>,
    /// Groups with a member that is also in a group nothing here tells about.
    opaque: BTreeSet<&'a Address>,
}

impl<'a> Network<'a> {
    fn new(groups: &'a BTreeMap<Address, Group>, hosts: &'a [Host]) -> Self {
        let mut companies: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let mut opaque = BTreeSet::new();
        for host in hosts {
            for group in &host.groups {
                companies.entry(group).or_default().insert(&host.groups);
                if !host.unknown_groups.is_empty() {
                    opaque.insert(group);
                }
            }
        }
        Self { groups, companies, opaque }
    }

    fn flows(&self, host: &Host) -> Vec<Flow> {
        let internet = host.internet();
        let outside = host.routes.unknown.minus(&host.range);
        let (mut by_internet, mut by_outside, mut by_inside) = (Vec::new(), Vec::new(), Vec::new());
        let mut discrete: BTreeMap<Source, Traffic> = BTreeMap::new();
        let mut add = |source: Source, traffic: &Traffic| {
            let sum = discrete.entry(source).or_default();
            *sum = sum.union(traffic);
        };
        for rule in self.rules(&host.groups, |group| &group.ingress) {
            let Rule { traffic, addresses, groups, ipv6, unknown } = rule;
            by_internet.push((addresses.intersect(&internet), traffic.clone()));
            by_outside.push((addresses.intersect(&outside), traffic.clone()));
            by_inside.push((addresses.intersect(&host.range), traffic.clone()));
            for group in groups {
                add(Source::Group(group.clone()), &traffic.intersect(&self.possible_egress(group, host)));
            }
            for party in unknown {
                add(Source::Unknown(party.clone()), traffic);
            }
            if host.ipv6 {
                ipv6.iter().for_each(|block| add(Source::Unknown(block.as_str().into()), traffic));
            }
        }
        for group in &host.unknown_groups {
            add(Source::Unknown(format!("whom security group {group} lets in").into()), &Traffic::all());
        }
        let ranges = Area::of(&by_internet).sources(Source::Internet);
        let ranges = ranges.chain(Area::of(&by_outside).sources(Source::Outside));
        let ranges = ranges.chain(Area::of(&by_inside).sources(Source::Inside));
        let flows = ranges.chain(discrete).filter(|(_, traffic)| !traffic.is_empty());
        flows.map(|(from, traffic)| Flow { to: host.address.clone(), from, traffic }).collect()
    }

    /// What some member of `group` could send to `host`: the group's own egress and that of any group a member has
    /// besides. A group that is not at hand could send anything.
    fn possible_egress(&self, group: &Address, host: &Host) -> Traffic {
        if self.opaque.contains(group) || !self.groups.contains_key(group) {
            return Traffic::all();
        }
        let own = BTreeSet::from([group.clone()]);
        let companies = self.companies.get(group).into_iter().flatten().copied();
        let rules = std::iter::once(&own).chain(companies).flat_map(|set| self.rules(set, |group| &group.egress));
        let permits = |rule: &&Rule| {
            !rule.unknown.is_empty()
                || (host.ipv6 && !rule.ipv6.is_empty())
                || !rule.addresses.intersect(&host.place).is_empty()
                || !rule.groups.is_disjoint(&host.groups)
        };
        rules.filter(permits).fold(Traffic::default(), |sum, rule| sum.union(&rule.traffic))
    }

    /// What certainly gets from one host to another inside their VPC.
    fn path(&self, from: &Host, to: &Host) -> Traffic {
        let routed = from.vpc.is_some()
            && from.vpc == to.vpc
            && from.routes.local.covers(&to.place)
            && to.routes.local.covers(&from.place);
        if !routed {
            return Traffic::default();
        }
        let sent = self.certain(&from.groups, |group| &group.egress, to);
        sent.intersect(&self.certain(&to.groups, |group| &group.ingress, from))
    }

    /// What the rules of `groups` certainly allow for `peer`, whichever of its addresses it has.
    fn certain(&self, groups: &BTreeSet<Address>, side: fn(&Group) -> &Vec<Rule>, peer: &Host) -> Traffic {
        let parts: Vec<_> = self
            .rules(groups, side)
            .map(|rule| {
                let member = !rule.groups.is_disjoint(&peer.groups);
                (if member { Ipv4Set::all() } else { rule.addresses.clone() }, rule.traffic.clone())
            })
            .collect();
        Area::of(&parts).common(&peer.place)
    }

    fn rules<'b>(
        &'b self,
        groups: &'b BTreeSet<Address>,
        side: fn(&Group) -> &Vec<Rule>,
    ) -> impl Iterator<Item = &'b Rule> + 'b {
        groups.iter().filter_map(|group| self.groups.get(group)).flat_map(side)
    }
}
