//! The promise of the stack, held against the packets that arrive.

use std::collections::{BTreeMap, BTreeSet};

use super::{Exposure, Host, HostKind, Sender, Target, World};

/// What the stack in the account is meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Where an instance may be reached from the internet.
    pub app_ports: Vec<Ports>,
    /// The TCP port of the database.
    pub db_port: u16,
    /// The name of the application's security group.
    pub app_group_name: String,
    /// The name of the database's security group.
    pub db_group_name: String,
}

/// A range of ports, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// An IANA number.
    pub protocol: u8,
    /// The first.
    pub from: u16,
    /// The last.
    pub to: u16,
}

impl Ports {
    /// TCP ports.
    pub const fn tcp(from: u16, to: u16) -> Self {
        Self { protocol: 6, from, to }
    }

    /// UDP ports.
    pub const fn udp(from: u16, to: u16) -> Self {
        Self { protocol: 17, from, to }
    }

    fn contains(self, protocol: u8, port: u16) -> bool {
        self.protocol == protocol && (self.from..=self.to).contains(&port)
    }
}

impl World {
    /// Everything that breaks the promise, one sentence each; empty if it is kept. Judged are the VPCs that hold a
    /// group of either name; what else is in the account is somebody else's.
    ///
    /// A database may be reached by members of the app group on its port and by nothing else; an instance from the
    /// internet on the listed ports and no others. What the auditor could not read or follow is a violation too.
    pub fn violations(&self, expected: &Expected) -> Vec<String> {
        let mut violations: Vec<_> = self.unread.iter().map(|what| format!("not understood: {what}")).collect();
        let vpcs = self.vpcs_of(expected);
        violations.extend(self.strange(&vpcs));
        let edges = expected.app_ports.iter().flat_map(|ports| [ports.from, ports.to]);
        let edges: Vec<_> = edges.chain([expected.db_port]).collect();
        // Many senders fare alike; one of them is named.
        let mut alike: BTreeMap<_, (Sender, usize)> = BTreeMap::new();
        let crowds = self.crowds();
        let crowd = |id: &str| crowds.iter().find(|crowd| crowd.iter().any(|host| host.id == id));
        for Exposure { from, to, protocol, ports } in self.exposure_with(&edges) {
            let Some((host, hosts)) = crowd(&to).and_then(|crowd| Some((*crowd.first()?, crowd.len()))) else {
                continue;
            };
            if !vpcs.contains(host.vpc.as_str()) {
                continue;
            }
            let excess: BTreeSet<_> = ports
                .iter()
                .copied()
                .filter(|&port| !self.is_expected(&from, host, protocol, port, expected))
                .collect();
            if !excess.is_empty() {
                let what = match host.kind {
                    HostKind::Database => format!("database {to}{}", more(hosts)),
                    HostKind::Instance => format!("instance {to}{}", more(hosts)),
                };
                let (sort, senders) = match &from {
                    Sender::Internet(_) => ("the internet".to_owned(), 1),
                    Sender::Instance(id) => {
                        let own = usize::from(crowd(id).is_some_and(|crowd| crowd.iter().any(|host| host.id == to)));
                        (id.clone(), crowd(id).map_or(1, |crowd| crowd.len() - own))
                    }
                    Sender::Subnet(subnet, _) => (subnet.clone(), 1),
                };
                alike.entry((what, sort, protocol, excess)).or_insert_with(|| (from.clone(), 0)).1 += senders;
            }
        }
        violations.extend(alike.into_iter().map(|((what, _, protocol, ports), (from, count))| {
            format!("{what} is reached from {from}{} on {}", more(count), ports_text(protocol, &ports))
        }));
        violations
    }

    /// True if there is an instance of the app group that runs and a database that is up, and each such instance
    /// reaches each such database on its port.
    pub fn path_exists(&self, expected: &Expected) -> bool {
        let vpcs = self.vpcs_of(expected);
        let crowds = self.crowds();
        let first =
            |kind| crowds.iter().filter_map(|crowd| crowd.first()).filter(move |host| host.kind == kind && host.up);
        let databases: Vec<_> = first(HostKind::Database).filter(|host| vpcs.contains(host.vpc.as_str())).collect();
        let instances: Vec<_> = first(HostKind::Instance).filter(|host| self.is_app(host, expected)).collect();
        !databases.is_empty()
            && !instances.is_empty()
            && instances.iter().all(|from| databases.iter().all(|to| self.connects(from, to, expected.db_port)))
    }

    fn is_expected(&self, from: &Sender, to: &Host, protocol: u8, port: u16, expected: &Expected) -> bool {
        match (to.kind, from) {
            (HostKind::Database, Sender::Instance(id)) => {
                let mut senders = self.hosts.iter().filter(|host| host.id == *id);
                protocol == 6 && port == expected.db_port && senders.any(|host| self.is_app(host, expected))
            }
            (HostKind::Database, Sender::Internet(_) | Sender::Subnet(..)) => false,
            (HostKind::Instance, Sender::Internet(_)) => {
                expected.app_ports.iter().any(|ports| ports.contains(protocol, port))
            }
            (HostKind::Instance, Sender::Instance(_) | Sender::Subnet(..)) => true,
        }
    }

    fn is_app(&self, host: &Host, expected: &Expected) -> bool {
        let mut groups = host.groups.iter().filter_map(|group| self.groups.get(group));
        host.kind == HostKind::Instance && groups.any(|group| group.name == expected.app_group_name)
    }

    fn vpcs_of(&self, expected: &Expected) -> BTreeSet<&str> {
        let named = |name: &String| *name == expected.app_group_name || *name == expected.db_group_name;
        self.groups.values().filter(|group| named(&group.name)).map(|group| group.vpc.as_str()).collect()
    }

    /// Ways in that the walker cannot follow: routes to something else than a gateway, rules for prefix lists.
    fn strange(&self, vpcs: &BTreeSet<&str>) -> Vec<String> {
        let mut found = Vec::new();
        for table in self.tables.iter().filter(|table| vpcs.contains(table.vpc.as_str())) {
            for route in &table.routes {
                if let Target::Strange(target) = &route.target {
                    found.push(format!("not understood: {} routes {} to {target}", table.id, route.destination));
                }
            }
        }
        for host in self.hosts.iter().filter(|host| vpcs.contains(host.vpc.as_str())) {
            for (id, group) in host.groups.iter().filter_map(|id| Some((id, self.groups.get(id)?))) {
                for list in group.ingress.iter().flat_map(|rule| &rule.prefix_lists) {
                    found.push(format!("not understood: {} lets in prefix list {list} by {id}", host.id));
                }
            }
        }
        found
    }
}

/// How many more than the one named.
fn more(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        count => format!(" and {} more like it", count - 1),
    }
}

fn ports_text(protocol: u8, ports: &BTreeSet<u16>) -> String {
    const SHOWN: usize = 8;
    let mut list = ports.iter().take(SHOWN).map(u16::to_string).collect::<Vec<_>>().join(", ");
    if ports.len() > SHOWN {
        list.push_str(", ...");
    }
    match protocol {
        6 => format!("tcp {list}"),
        17 => format!("udp {list}"),
        1 => "icmp".to_owned(),
        other => format!("protocol {other}"),
    }
}
