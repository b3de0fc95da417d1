//! Network interfaces: every instance, NAT gateway and database instance has one. It takes an address of its subnet,
//! carries security groups, and blocks the deletion of both until it is gone.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use aloka_core::time::Instant;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::Account;
use super::record::Tags;

/// A network interface.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Interface {
    pub(crate) subnet: String,
    pub(crate) vpc: String,
    pub(crate) ip: Ipv4Addr,
    pub(crate) groups: Vec<String>,
    /// The instance, NAT gateway or database instance (`db/NAME`) it was made for.
    pub(crate) owner: String,
    #[serde(default)]
    pub(crate) tags: Tags,
    /// When it is deleted, if that is settled.
    pub(crate) gone: Option<Instant>,
}

/// The addresses of a subnet that interfaces may have: not the first four and not the last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pool {
    /// The lowest address never used so far.
    fresh: u32,
    /// One after the last.
    end: u32,
    /// Used before, and free again.
    free: BTreeSet<u32>,
    used: u32,
}

impl Pool {
    /// The addresses of `cidr`.
    pub(crate) fn new(cidr: Ipv4Net) -> Self {
        let end = u32::from(cidr.broadcast());
        Self { fresh: u32::from(cidr.network()).saturating_add(4).min(end), end, free: BTreeSet::new(), used: 0 }
    }

    /// How many are in use.
    pub(crate) fn used(&self) -> u32 {
        self.used
    }

    /// How many are left.
    pub(crate) fn available(&self) -> usize {
        usize::try_from(self.end - self.fresh).unwrap_or(usize::MAX).saturating_add(self.free.len())
    }

    fn take(&mut self) -> Option<Ipv4Addr> {
        let address = if self.fresh < self.end {
            self.fresh += 1;
            self.fresh - 1
        } else {
            self.free.pop_first()?
        };
        self.used += 1;
        Some(address.into())
    }

    fn give_back(&mut self, address: Ipv4Addr) {
        if self.free.insert(address.into()) {
            self.used = self.used.saturating_sub(1);
        }
    }
}

impl Account {
    /// A new interface in `subnet`; `None` if there is no such subnet or no address left in it.
    pub(crate) fn new_interface(&mut self, subnet: &str, groups: &[String], owner: &str) -> Option<String> {
        let there = self.subnets.get_mut(subnet)?;
        let (ip, vpc) = (there.pool.take()?, there.vpc.clone());
        let id = self.new_id("eni-");
        let interface = Interface {
            subnet: subnet.to_owned(),
            vpc,
            ip,
            groups: groups.to_vec(),
            owner: owner.to_owned(),
            tags: Tags::new(),
            gone: None,
        };
        self.interfaces.insert(id.clone(), interface);
        Some(id)
    }

    /// Deletes the interface at `at`.
    pub(crate) fn end_interface(&mut self, id: &str, at: Instant) {
        if let Some(interface) = self.interfaces.get_mut(id) {
            interface.gone = Some(at);
            self.expire(at, id);
        }
    }

    pub(crate) fn drop_interface(&mut self, id: &str) {
        if let Some(interface) = self.interfaces.remove(id)
            && let Some(subnet) = self.subnets.get_mut(&interface.subnet)
        {
            subnet.pool.give_back(interface.ip);
        }
    }

    /// The private address of an interface.
    pub(crate) fn interface_ip(&self, id: &str) -> Option<Ipv4Addr> {
        self.interfaces.get(id).map(|interface| interface.ip)
    }

    /// A public address nobody else has, from a block of 2^21: the ordinal, spread over the block.
    pub(crate) fn new_public_ip(&mut self, stream: &str, block: Ipv4Addr) -> Ipv4Addr {
        const SIZE: u64 = 1 << 21;
        let ordinal = self.ordinal(stream);
        let offset = crate::rng::Rng::stream(self.options.seed, stream, 0).below(SIZE);
        // An odd factor makes it a permutation of the block.
        let spread = ordinal.wrapping_mul(1_103_515_245).wrapping_add(offset) % SIZE;
        Ipv4Addr::from(u32::from(block).saturating_add(u32::try_from(spread).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_keeps_five_addresses_back_and_reuses_what_was_given_back() {
        let mut pool = Pool::new("10.0.0.0/28".parse().expect("a network"));
        assert_eq!((pool.available(), pool.used()), (11, 0));
        let all: Vec<Ipv4Addr> = std::iter::from_fn(|| pool.take()).collect();
        assert_eq!(all.first(), Some(&Ipv4Addr::new(10, 0, 0, 4)));
        assert_eq!((all.len(), all.last()), (11, Some(&Ipv4Addr::new(10, 0, 0, 14))));
        assert_eq!((pool.available(), pool.used()), (0, 11));
        pool.give_back(all[3]);
        pool.give_back(all[3]);
        assert_eq!((pool.available(), pool.used()), (1, 10));
        assert_eq!(pool.take(), Some(all[3]));
        assert_eq!(pool.take(), None);
    }
}
