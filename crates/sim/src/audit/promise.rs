//! The promise of the stack, held against the packets that arrive.

use std::collections::{BTreeMap, BTreeSet};

use super::{Exposure, Host, HostKind, Sender, Target, World};

/// What the stack in the account is meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// TCP ports an instance may be reached on from the internet, both ends of each range included.
    pub app_ports: Vec<(u16, u16)>,
    /// The TCP port of the database.
    pub db_port: u16,
    /// The name of the application's security group.
    pub app_group_name: String,
    /// The name of the database's security group.
    pub db_group_name: String,
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
        let edges: Vec<_> =
            expected.app_ports.iter().flat_map(|&(from, to)| [from, to]).chain([expected.db_port]).collect();
        // Many senders fare alike; one of them is named.
        let mut alike: BTreeMap<_, (Sender, usize)> = BTreeMap::new();
        for Exposure { from, to, protocol, ports } in self.exposure_with(&edges) {
            let hosts = self.hosts.iter().filter(|host| host.id == to && vpcs.contains(host.vpc.as_str()));
            for host in hosts {
                let excess: BTreeSet<_> = ports
                    .iter()
                    .copied()
                    .filter(|&port| !self.is_expected(&from, host, protocol, port, expected))
                    .collect();
                if !excess.is_empty() {
                    let what = match host.kind {
                        HostKind::Database => format!("database {to}"),
                        HostKind::Instance => format!("instance {to}"),
                    };
                    let sort = match &from {
                        Sender::Internet(_) => "internet",
                        Sender::Instance(id) => id,
                        Sender::Subnet(subnet, _) => subnet,
                    };
                    let sort = self.name_of(sort);
                    alike.entry((what, sort, protocol, excess)).or_insert_with(|| (from.clone(), 0)).1 += 1;
                }
            }
        }
        violations.extend(alike.into_iter().map(|((what, _, protocol, ports), (from, count))| {
            let more = if count == 1 { String::new() } else { format!(" and {} more like it", count - 1) };
            format!("{what} is reached from {from}{more} on {}", ports_text(protocol, &ports))
        }));
        violations
    }

    /// True if there is an instance of the app group that runs and a database that is up, and each such instance
    /// reaches each such database on its port.
    pub fn path_exists(&self, expected: &Expected) -> bool {
        let vpcs = self.vpcs_of(expected);
        let up = |kind| self.hosts.iter().filter(move |host| host.kind == kind && host.up);
        let databases: Vec<_> = up(HostKind::Database).filter(|host| vpcs.contains(host.vpc.as_str())).collect();
        let instances: Vec<_> = up(HostKind::Instance).filter(|host| self.is_app(host, expected)).collect();
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
                protocol == 6 && expected.app_ports.iter().any(|&(from, to)| (from..=to).contains(&port))
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

    /// A key to sort by that outlives the exposure it came from.
    fn name_of(&self, id: &str) -> &str {
        let subnet = self.subnets.get_key_value(id).map(|(id, _)| id.as_str());
        let host = self.hosts.iter().map(|host| host.id.as_str()).find(|own| *own == id);
        subnet.or(host).unwrap_or("the internet")
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
