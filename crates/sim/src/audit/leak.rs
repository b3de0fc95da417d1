//! What is left over: paid for, or in the way, and of no use to anybody.

use std::collections::BTreeMap;

use super::World;

/// Addresses of a subnet that AWS keeps (VPC User Guide, subnet sizing).
const KEPT: u64 = 5;

impl World {
    /// Everything that nothing uses, one sentence each: a volume and an Elastic IP address that nothing holds, network
    /// interfaces without an owner, a NAT gateway that failed; and the rules AWS gave the default group of a VPC that
    /// is ours, by which what has no group of its own would be reached. While a run is under way some of it is on its
    /// way to be used or deleted; when it has ended, nothing is.
    ///
    /// Interfaces of ours have no call of their own here: a subnet that has fewer free addresses than what stands in its
    /// VPC, and what other people hold there, explains has one too many. Snapshots are not seen: no call that the stack needs lists them.
    pub fn leaks(&self) -> Vec<String> {
        let mut found = Vec::new();
        for volume in self.volumes.iter().filter(|volume| volume.free) {
            found.push(format!("volume {} is attached to nothing", volume.id));
        }
        for address in self.addresses.iter().filter(|address| !address.associated) {
            found.push(format!("address {} is associated with nothing", address.id));
        }
        for (id, nat) in self.nats.iter().filter(|(_, nat)| nat.failure.is_some()) {
            found
                .push(format!("NAT gateway {id} failed ({}) and is still there", nat.failure.as_deref().unwrap_or("")));
        }
        let ours = |vpc: &str| self.objects.iter().any(|object| object.id == vpc && object.lineage.is_some());
        for (id, group) in self.groups.iter().filter(|(_, group)| group.name == "default" && ours(&group.vpc)) {
            if !group.ingress.is_empty() || !group.egress.is_empty() {
                found.push(format!("{id}, the default group of {}, still has its rules", group.vpc));
            }
        }
        let mut taken: BTreeMap<&str, u64> = BTreeMap::new();
        for subnet in self.subnets.values() {
            let addresses = 1_u64 << (32 - u32::from(subnet.block.prefix_len())).min(63);
            if let Some(free) = subnet.free {
                *taken.entry(&subnet.vpc).or_default() += addresses.saturating_sub(KEPT).saturating_sub(free);
            }
        }
        for (vpc, taken) in taken {
            let owned = self.interfaces.get(vpc).copied().unwrap_or_default();
            if taken > owned {
                found.push(format!("{} network interfaces in {vpc} belong to nothing", taken - owned));
            }
        }
        found
    }
}
