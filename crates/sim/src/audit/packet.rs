//! The packet walker: representative packets, each followed from its sender to a database or an instance.
//!
//! A packet has one source, one destination, one protocol and one port. Which packets stand for all of them: the ends
//! of every block in a rule, a route, a VPC or a special range and their neighbours, and likewise for ports; between
//! two neighbours nothing can differ. For the same reason one host speaks for all that are alike (see `crowds`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::read::ends;
use super::{Closed, Host, HostKind, Permission, Target, World};

/// Some address on the internet (RFC 5737).
const SOMEONE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
/// Ports always tried with TCP and UDP.
const PORTS: [u16; 6] = [0, 22, 80, 443, 5432, u16::MAX];
/// Messages always tried: an ICMP echo, ESP, and a protocol nobody names.
const OTHERS: [(u8, u16); 3] = [(1, 8), (50, 0), (253, 0)];

/// Who sends a packet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sender {
    /// An address on the internet.
    Internet(Ipv4Addr),
    /// An instance, by id.
    Instance(String),
    /// Something unknown at this address of a subnet, with no rules of its own.
    Subnet(String, Ipv4Addr),
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet(address) => write!(f, "the internet ({address})"),
            Self::Instance(id) => write!(f, "{id}"),
            Self::Subnet(subnet, address) => write!(f, "{address} in {subnet}"),
        }
    }
}

/// Packets that arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Who sent them.
    pub from: Sender,
    /// The database or instance they come to, by id.
    pub to: String,
    /// Their protocol, an IANA number.
    pub protocol: u8,
    /// Those of the ports tried that are open; for ICMP the message types, for protocols without ports 0.
    pub ports: BTreeSet<u16>,
}

/// A packet that found its way, before any rule is asked.
struct Arrival<'a> {
    /// The source as the destination sees it.
    source: Ipv4Addr,
    /// The destination as the sender addressed it.
    destination: Ipv4Addr,
    /// It stayed inside the VPC, so that rules that name groups apply.
    inside: bool,
    /// The instance that sent it.
    sender: Option<&'a Host>,
}

impl World {
    /// Every representative packet that arrives anywhere. Of hosts that are alike, one is named as receiver and one,
    /// not the same, as sender.
    pub fn exposure(&self) -> Vec<Exposure> {
        self.exposure_with(&[])
    }

    /// As [`World::exposure`], trying these ports besides.
    pub(super) fn exposure_with(&self, ports: &[u16]) -> Vec<Exposure> {
        let points = self.points();
        let probes = self.probes(ports);
        let mut senders: Vec<_> =
            points.iter().copied().filter(|&p| self.is_outside(p)).map(Sender::Internet).collect();
        for (id, subnet) in &self.subnets {
            let own: BTreeSet<_> =
                points.iter().copied().filter(|p| subnet.block.contains(p)).chain(ends(subnet.block)).collect();
            senders.extend(own.into_iter().map(|point| Sender::Subnet(id.clone(), point)));
        }
        let crowds = self.crowds();
        let mut found = Vec::new();
        for host in crowds.iter().filter_map(|crowd| crowd.first().copied()) {
            let places = self.places(host, &points);
            let instances = crowds.iter().filter_map(|crowd| crowd.iter().find(|other| other.id != host.id));
            let instances = instances.filter(|other| other.kind == HostKind::Instance);
            let instances: Vec<_> = instances.map(|other| Sender::Instance(other.id.clone())).collect();
            for sender in senders.iter().chain(&instances) {
                let mut open: BTreeMap<u8, BTreeSet<u16>> = BTreeMap::new();
                for place in &places {
                    for arrival in self.arrivals(sender, host, place) {
                        for &(protocol, port) in &probes {
                            if self.passes(&arrival, host, protocol, port) {
                                open.entry(protocol).or_default().insert(port);
                            }
                        }
                    }
                }
                let exposure =
                    |(protocol, ports)| Exposure { from: sender.clone(), to: host.id.clone(), protocol, ports };
                found.extend(open.into_iter().map(exposure));
            }
        }
        found
    }

    /// Hosts by what makes a difference to a packet: where they stand, as finely as rules and routes tell, and their
    /// groups. Every crowd has at least one.
    pub(super) fn crowds(&self) -> Vec<Vec<&Host>> {
        let points = self.points();
        let near = |address: Ipv4Addr| points.range(..=address).next_back().copied();
        let mut crowds: BTreeMap<_, Vec<&Host>> = BTreeMap::new();
        for host in &self.hosts {
            let Host { kind, id: _, vpc, places, public, groups, up, pending: _ } = host;
            let places: BTreeSet<_> = places.iter().map(|(subnet, address)| (subnet, near(*address))).collect();
            let groups: BTreeSet<_> = groups.iter().collect();
            crowds.entry((kind, vpc, places, public.map(near), groups, up)).or_default().push(host);
        }
        crowds.into_values().collect()
    }

    /// True if a TCP packet to `port` gets from `from` to `to` inside their VPC, wherever in its subnets `to` stands.
    pub(super) fn connects(&self, from: &Host, to: &Host, port: u16) -> bool {
        let sender = Sender::Instance(from.id.clone());
        let places = self.places(to, &self.points());
        let passes = |place| {
            let mut arrivals = self.arrivals(&sender, to, place).into_iter();
            arrivals.any(|arrival| arrival.inside && self.passes(&arrival, to, 6, port))
        };
        !places.is_empty() && places.iter().all(passes)
    }

    /// The ways a packet can take to `host` standing at `place`: to its private address, to its public one.
    fn arrivals<'a>(&'a self, sender: &Sender, host: &Host, place: &(String, Ipv4Addr)) -> Vec<Arrival<'a>> {
        let (subnet, private) = place;
        match sender {
            Sender::Internet(source) => {
                let public = host.public.filter(|_| self.answers(host, subnet, *source));
                let arrive = |destination| Arrival { source: *source, destination, inside: false, sender: None };
                public.map(arrive).into_iter().collect()
            }
            Sender::Subnet(from, source) => self.sent_inside(from, *source, None, host, subnet, *private),
            Sender::Instance(id) if *id == host.id => Vec::new(),
            Sender::Instance(id) => {
                let senders = self.hosts.iter().filter(|host| host.id == *id && host.kind == HostKind::Instance);
                senders
                    .flat_map(|own| own.places.iter().map(move |place| (own, place)))
                    .flat_map(|(own, (from, source))| {
                        self.sent_inside(from, *source, Some(own), host, subnet, *private)
                    })
                    .collect()
            }
        }
    }

    fn sent_inside<'a>(
        &'a self,
        from: &str,
        source: Ipv4Addr,
        sender: Option<&'a Host>,
        host: &Host,
        subnet: &str,
        private: Ipv4Addr,
    ) -> Vec<Arrival<'a>> {
        let mut arrivals = Vec::new();
        let vpc = self.subnets.get(from).map(|subnet| subnet.vpc.as_str());
        let local = |from: &str, to| self.next_hop(from, to) == Some(&Target::Local);
        if vpc == Some(&host.vpc) && local(from, private) && local(subnet, source) {
            arrivals.push(Arrival { source, destination: private, inside: true, sender });
        }
        if let Some(public) = host.public {
            // Out to the internet and back in: by the sender's own public address, or behind a NAT gateway.
            let outside = match self.next_hop(from, public) {
                Some(Target::InternetGateway(gateway))
                    if self.closed(from) == Closed::No && self.is_attached(gateway, vpc) =>
                {
                    sender.and_then(|sender| sender.public)
                }
                Some(Target::Nat(nat)) => self.behind_nat(nat, public),
                Some(Target::InternetGateway(_) | Target::Local | Target::Blackhole | Target::Strange(_)) | None => {
                    None
                }
            };
            let outside = outside.filter(|&source| self.answers(host, subnet, source));
            arrivals.extend(outside.map(|source| Arrival { source, destination: public, inside: false, sender }));
        }
        arrivals
    }

    fn behind_nat(&self, id: &str, destination: Ipv4Addr) -> Option<Ipv4Addr> {
        let nat = self.nats.get(id).filter(|nat| nat.working && self.closed(&nat.subnet) != Closed::Bidirectional)?;
        let vpc = self.subnets.get(&nat.subnet).map(|subnet| subnet.vpc.as_str());
        match self.next_hop(&nat.subnet, destination)? {
            Target::InternetGateway(gateway) if self.is_attached(gateway, vpc) => nat.public,
            Target::InternetGateway(_) | Target::Nat(_) | Target::Local | Target::Blackhole | Target::Strange(_) => {
                None
            }
        }
    }

    /// True if an answer to `source` leaves the subnet by an internet gateway of the host's VPC.
    fn answers(&self, host: &Host, subnet: &str, source: Ipv4Addr) -> bool {
        if self.closed(subnet) != Closed::No {
            return false;
        }
        let hop = self.next_hop(subnet, source);
        matches!(hop, Some(Target::InternetGateway(gateway)) if self.is_attached(gateway, Some(&host.vpc)))
    }

    /// True if a packet to the internet leaves the subnet and the VPC, by the gateway or behind a NAT gateway.
    pub(super) fn leads_out(&self, subnet: &str) -> bool {
        let vpc = self.subnets.get(subnet).map(|subnet| subnet.vpc.as_str());
        match self.next_hop(subnet, SOMEONE) {
            Some(Target::InternetGateway(gateway)) => {
                self.closed(subnet) == Closed::No && self.is_attached(gateway, vpc)
            }
            Some(Target::Nat(nat)) => self.behind_nat(nat, SOMEONE).is_some(),
            Some(Target::Local | Target::Blackhole | Target::Strange(_)) | None => false,
        }
    }

    fn closed(&self, subnet: &str) -> Closed {
        self.subnets.get(subnet).map_or(Closed::No, |subnet| subnet.closed)
    }

    fn is_attached(&self, gateway: &str, vpc: Option<&str>) -> bool {
        let attached = self.gateways.get(gateway);
        attached.is_some_and(|vpcs| vpcs.iter().any(|own| Some(own.as_str()) == vpc))
    }

    /// The longest prefix in the subnet's own table, or in the main one of its VPC.
    fn next_hop(&self, subnet: &str, destination: Ipv4Addr) -> Option<&Target> {
        let vpc = &self.subnets.get(subnet)?.vpc;
        let own = self.tables.iter().find(|table| table.subnets.contains(subnet));
        let table = own.or_else(|| self.tables.iter().find(|table| table.main && table.vpc == *vpc))?;
        let matching = table.routes.iter().filter(|route| route.destination.contains(&destination));
        matching.max_by_key(|route| route.destination.prefix_len()).map(|route| &route.target)
    }

    fn passes(&self, arrival: &Arrival<'_>, host: &Host, protocol: u8, port: u16) -> bool {
        let Arrival { source, destination, inside, sender } = arrival;
        let groups = |host: Option<&Host>| -> Vec<String> {
            host.filter(|_| *inside).map(|host| host.groups.clone()).unwrap_or_default()
        };
        let asked = |host: &Host, egress: bool, peer: Ipv4Addr, peer_groups: &[String]| {
            let groups = host.groups.iter().filter_map(|group| self.groups.get(group));
            let mut rules = groups.flat_map(|group| if egress { &group.egress } else { &group.ingress });
            rules.any(|rule| rule.allows(protocol, port, peer, peer_groups))
        };
        let sent = sender.is_none_or(|sender| asked(sender, true, *destination, &groups(Some(host))));
        sent && asked(host, false, *source, &groups(*sender))
    }

    /// Where a host may stand, seen finely enough for every rule and route.
    fn places(&self, host: &Host, points: &BTreeSet<Ipv4Addr>) -> Vec<(String, Ipv4Addr)> {
        let mut places = host.places.clone();
        if host.kind == HostKind::Database {
            let subnets: BTreeSet<_> = host.places.iter().map(|(subnet, _)| subnet.clone()).collect();
            for subnet in subnets {
                let Some(block) = self.subnets.get(&subnet).map(|subnet| subnet.block) else { continue };
                let [first, last] = ends(block);
                let own = points.iter().filter(|point| (first..=last).contains(*point));
                places.extend(own.map(|&point| (subnet.clone(), point)));
            }
        }
        places
    }

    /// Addresses between which no rule and no route tells a difference.
    fn points(&self) -> BTreeSet<Ipv4Addr> {
        let rules = self.groups.values().flat_map(|group| group.ingress.iter().chain(&group.egress));
        let blocks = rules.flat_map(|rule| rule.blocks.iter().copied());
        let routes = self.tables.iter().flat_map(|table| table.routes.iter().map(|route| route.destination));
        let own = self.vpcs.values().flatten().copied();
        let all = blocks.chain(routes).chain(own).chain(special());
        let edges = all.flat_map(|block| {
            let (low, high) = (block.network().to_bits(), block.broadcast().to_bits());
            [low.saturating_sub(1), low, high, high.saturating_add(1)]
        });
        edges.map(Ipv4Addr::from_bits).chain([SOMEONE]).collect()
    }

    fn is_outside(&self, point: Ipv4Addr) -> bool {
        !special().chain(self.vpcs.values().flatten().copied()).any(|block| block.contains(&point))
    }

    fn probes(&self, ports: &[u16]) -> BTreeSet<(u8, u16)> {
        let around = |port: u16| [port.saturating_sub(1), port, port.saturating_add(1)];
        let mut probes: BTreeSet<_> = OTHERS.into();
        let mut ports: BTreeSet<u16> = PORTS.iter().chain(ports).copied().flat_map(around).collect();
        for rule in self.groups.values().flat_map(|group| group.ingress.iter().chain(&group.egress)) {
            match (rule.protocol, rule.ports) {
                (Some(6 | 17), Some((from, to))) => ports.extend([from, to].into_iter().flat_map(around)),
                (Some(protocol), Some((from, to))) => {
                    probes.extend([from, to].into_iter().flat_map(around).map(|port| (protocol, port)));
                }
                (Some(protocol), None) => {
                    probes.insert((protocol, 0));
                }
                (None, _) => {}
            }
        }
        probes.extend(ports.into_iter().flat_map(|port| [(6, port), (17, port)]));
        probes
    }
}

impl Permission {
    fn allows(&self, protocol: u8, port: u16, peer: Ipv4Addr, peer_groups: &[String]) -> bool {
        self.protocol.is_none_or(|own| own == protocol)
            && self.ports.is_none_or(|(from, to)| (from..=to).contains(&port))
            && (self.blocks.iter().any(|block| block.contains(&peer))
                || self.groups.iter().any(|group| peer_groups.contains(group)))
    }
}

/// Blocks no packet from the internet comes from (IANA special-purpose address registry).
fn special() -> impl Iterator<Item = Ipv4Net> {
    const BLOCKS: [([u8; 4], u8); 8] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 168, 0, 0], 16),
        ([224, 0, 0, 0], 3),
    ];
    BLOCKS.into_iter().filter_map(|(start, length)| Ipv4Net::new(start.into(), length).ok())
}
