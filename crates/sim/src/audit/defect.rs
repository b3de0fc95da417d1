//! What is wrong in an account although AWS let it happen: the order of some calls is nobody's business but ours.

use super::{HostKind, Target, World};

impl World {
    /// Everything that AWS accepted and that cannot work, one sentence each: an instance that starts or runs where
    /// nothing leads to the internet (its first boot installs packages, and hangs), a route into nothing, a database
    /// subnet group that names a subnet that is gone, a NAT gateway that failed, two objects of one address.
    ///
    /// There is none at any instant of an orderly run, unless somebody else made it.
    pub fn defects(&self) -> Vec<String> {
        let mut found = Vec::new();
        let booted = self.hosts.iter().filter(|host| host.kind == HostKind::Instance && (host.up || host.pending));
        for (host, subnet) in booted.flat_map(|host| host.places.iter().map(move |(subnet, _)| (host, subnet))) {
            if !self.leads_out(subnet) {
                found.push(format!("instance {} has no way out of {subnet}", host.id));
            }
        }
        for table in &self.tables {
            for route in table.routes.iter().filter(|route| route.target == Target::Blackhole) {
                found.push(format!("{} routes {} into nothing", table.id, route.destination));
            }
        }
        for group in &self.db_subnet_groups {
            for subnet in group.subnets.iter().filter(|subnet| !self.subnets.contains_key(*subnet)) {
                found.push(format!("database subnet group {} names {subnet}, which is gone", group.name));
            }
        }
        for (id, nat) in &self.nats {
            if let Some(code) = &nat.failure {
                found.push(format!("NAT gateway {id} failed: {code}"));
            }
        }
        for twins in self.duplicates() {
            let ids: Vec<_> = twins.iter().map(|object| object.id.as_str()).collect();
            let address = twins.first().and_then(|object| object.address.as_deref()).unwrap_or_default();
            found.push(format!("{} are both {address}", ids.join(" and ")));
        }
        found
    }
}
