//! Network interfaces: every instance, NAT gateway and database instance has one. It takes an address of its subnet,
//! carries security groups, and blocks the deletion of both until it is gone.

pub(crate) mod need;
pub(crate) mod rules;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use aloka_core::api::Request;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::aws::Account;
use crate::aws::ec2::filter::Filters;
use crate::aws::ec2::nat_gateway::DELETED;
use crate::aws::error::{Answer, IdFormat};
use crate::aws::record::{Tags, Text, object, tags_value};
use crate::rules::Refusal;

/// A network interface.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Interface {
    pub(crate) subnet: Text,
    pub(crate) vpc: Text,
    pub(crate) ip: Ipv4Addr,
    pub(crate) groups: Vec<Text>,
    /// The instance, NAT gateway or database instance (`db/NAME`) it was made for; empty for those of other people.
    pub(crate) owner: Text,
    #[serde(default)]
    pub(crate) tags: Tags,
    /// When it is deleted, if that is settled.
    pub(crate) gone: Option<Instant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) foreign: Option<Foreign>,
}

/// A network interface of other people: of a load balancer, a function, a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ForeignInterface {
    /// What AWS or whoever made it calls it, such as `ELB app/web/50dc6c495c0c9188`.
    pub description: String,
    /// `interface`, `lambda`, `network_load_balancer` and others.
    pub interface_type: String,
    /// True if a service of AWS made it for its customer.
    pub requester_managed: bool,
    /// Whose it is attached to, by account or by AWS's name for itself, such as `amazon-elb`; attached to nothing, if none.
    pub attached_by: Option<String>,
    /// True if it has a public address.
    pub public: bool,
}

impl Default for ForeignInterface {
    /// One of an application load balancer.
    fn default() -> Self {
        Self {
            description: "ELB app/web/50dc6c495c0c9188".to_owned(),
            interface_type: "interface".to_owned(),
            requester_managed: true,
            attached_by: Some("amazon-elb".to_owned()),
            public: false,
        }
    }
}

/// What is kept of a network interface of other people.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Foreign {
    shows: ForeignInterface,
    public_ip: Option<Ipv4Addr>,
}

/// The filters of `DescribeNetworkInterfaces`.
const FILTERS: [&str; 6] = ["group-id", "subnet-id", "vpc-id", "status", "description", "attachment.instance-id"];

/// What an interface shows of whose it is.
struct Owner<'a> {
    description: Option<Text>,
    kind: &'a str,
    /// True if a service of AWS made it.
    managed: bool,
    /// The owner of the attachment, by account or by AWS's name for itself; `None` for the customer.
    holder: Option<&'a str>,
    instance: Option<Text>,
    delete_on_termination: bool,
    association: Option<Value>,
    /// From when on calls find the owner.
    visible: Instant,
    /// False once the owner is gone.
    there: bool,
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
    pub(crate) fn new_interface(&mut self, subnet: &str, groups: &[Text], owner: Text) -> Option<Text> {
        let there = self.subnets.get_mut(subnet)?;
        let (ip, vpc, subnet) = (there.pool.take()?, there.vpc.clone(), there.meta.id.clone());
        let id = self.new_id("eni-");
        let (groups, tags) = (groups.to_vec(), Tags::new());
        let interface = Interface { subnet, vpc, ip, groups, owner, tags, gone: None, foreign: None };
        self.interfaces.insert(id.clone(), interface);
        Some(id)
    }

    /// Puts a network interface of other people into a subnet; answers its identifier, or `None` if there is no such subnet
    /// or no address left in it. It stays until it is [removed](Self::remove_foreign).
    pub fn add_interface(&mut self, subnet: &str, groups: &[&str], shows: ForeignInterface) -> Option<String> {
        let groups: Vec<Text> = groups.iter().map(|group| Text::from(*group)).collect();
        let id = self.new_interface(subnet, &groups, Text::from(""))?;
        let public_ip = shows.public.then(|| self.new_public_ip("foreign-ip", Ipv4Addr::new(18, 0, 0, 0)));
        self.interfaces.get_mut(&id)?.foreign = Some(Foreign { shows, public_ip });
        Some(id.to_string())
    }

    /// True if a network interface of other people in the VPC has a public address.
    pub(crate) fn has_foreign_address(&self, vpc: &str) -> bool {
        let mapped =
            |interface: &Interface| interface.foreign.as_ref().is_some_and(|foreign| foreign.public_ip.is_some());
        self.interfaces.values().any(|interface| *interface.vpc == *vpc && mapped(interface))
    }

    /// The tags of the network interfaces that calls find.
    pub(crate) fn interface_tags(&self, now: Instant) -> impl Iterator<Item = (&Text, &Tags)> {
        let visible = move |interface: &Interface| self.owner(now, interface).visible <= now;
        self.interfaces.iter().filter(move |(_, it)| visible(it)).map(|(id, interface)| (id, &interface.tags))
    }

    /// Deletes the interface when its owner is gone, at `at`, or as much later as such an interface lingers.
    pub(crate) fn end_interface(&mut self, id: &str, at: Instant) {
        let at = match self.options.interface_linger_ms {
            0 => at,
            longest => at + Duration::from_millis(self.rng("interface-linger").between(0, longest)),
        };
        if let Some(interface) = self.interfaces.get_mut(id) {
            interface.gone = Some(at);
            self.expire(at, id.into());
        }
    }

    pub(crate) fn drop_interface(&mut self, id: &str) {
        if let Some(interface) = self.interfaces.remove(id)
            && let Some(subnet) = self.subnets.get_mut(&interface.subnet)
        {
            subnet.pool.give_back(interface.ip);
        }
    }

    /// The interface called `id`.
    ///
    /// # Errors
    /// `.Malformed`, or `.NotFound` if it is not there or not yet visible.
    pub(crate) fn network_interface(&self, now: Instant, id: &str) -> Result<&Interface, Refusal> {
        IdFormat::INTERFACE.check(id)?;
        let found = self.interfaces.get(id).filter(|interface| self.owner(now, interface).visible <= now);
        found.ok_or_else(|| IdFormat::INTERFACE.missing(id))
    }

    /// Whose an interface is. Nothing is known of an owner that is no longer listed.
    fn owner<'a>(&'a self, now: Instant, interface: &'a Interface) -> Owner<'a> {
        let mut owner = Owner {
            description: None,
            kind: "interface",
            managed: false,
            holder: None,
            instance: None,
            delete_on_termination: false,
            association: None,
            visible: Instant::ZERO,
            there: false,
        };
        let name = &*interface.owner;
        if let Some(Foreign { shows, public_ip }) = &interface.foreign {
            owner.description = Some(shows.description.as_str().into());
            owner.kind = &shows.interface_type;
            owner.managed = shows.requester_managed;
            owner.holder = shows.attached_by.as_deref();
            owner.association = public_ip.map(|ip| object([("PublicIp", ip.to_string().into())]));
            owner.there = shows.attached_by.is_some();
        } else if name.starts_with("nat-") {
            owner.description = Some(format!("Interface for NAT Gateway {name}").into());
            owner.kind = "nat_gateway";
            owner.managed = true;
            owner.holder = Some("amazon-aws");
            if let Some(nat) = self.nats.get(name) {
                owner.visible = nat.meta.visible;
                owner.there = !matches!(nat.state(now), DELETED | "failed");
                owner.association = nat.public_association(now);
            }
        } else if let Some(name) = name.strip_prefix("db/") {
            owner.description = Some("RDSNetworkInterface".into());
            owner.managed = true;
            owner.holder = Some("amazon-rds");
            if let Some(db) = self.db_instances.get(name) {
                owner.visible = db.meta.visible;
                owner.there = !db.is_gone(now);
            }
        } else if let Some(instance) = self.instances.get(name) {
            owner.instance = Some(interface.owner.clone());
            owner.delete_on_termination = !instance.keep_interface;
            owner.visible = instance.meta.visible;
            owner.there = !instance.is_terminated(now);
            let address = instance.public_address(now);
            owner.association = address.map(|ip| object([("PublicIp", ip.to_string().into())]));
        }
        owner
    }

    pub(crate) fn describe_network_interfaces(&self, now: Instant, request: &Request) -> Answer {
        let filters = Filters::of(request, &FILTERS)?;
        let ids = request.texts("NetworkInterfaceIds");
        for id in &ids {
            self.network_interface(now, id)?;
        }
        let asked = |id: &Text| ids.is_empty() || ids.contains(id);
        let mut found = Vec::new();
        for (id, interface) in self.interfaces.iter().filter(|(id, _)| asked(id)) {
            let owner = self.owner(now, interface);
            let status = if owner.there { "in-use" } else { "available" };
            let passes = filters.pass(&interface.tags, |filter| match filter {
                "group-id" => interface.groups.clone(),
                "subnet-id" => vec![interface.subnet.clone()],
                "vpc-id" => vec![interface.vpc.clone()],
                "status" => vec![status.into()],
                "description" => owner.description.iter().cloned().collect(),
                "attachment.instance-id" => owner.instance.iter().filter(|_| owner.there).cloned().collect(),
                _ => Vec::new(),
            });
            if passes && owner.visible <= now {
                found.push(self.describe_network_interface(id, interface, owner, status));
            }
        }
        Ok(object([("NetworkInterfaces", Value::List(found))]))
    }

    fn describe_network_interface(&self, id: &str, interface: &Interface, owner: Owner<'_>, status: &str) -> Value {
        let groups = interface.groups.iter().map(|id| {
            let name = self.groups.get(id).map(|group| &group.name);
            object([("GroupId", id.into()), ("GroupName", name.into())])
        });
        let prefix = if owner.kind == "nat_gateway" { "ela-attach-" } else { "eni-attach-" };
        let attachment = owner.there.then(|| {
            object([
                ("AttachmentId", id.replacen("eni-", prefix, 1).into()),
                ("DeleteOnTermination", owner.delete_on_termination.into()),
                ("InstanceId", owner.instance.into()),
                ("InstanceOwnerId", owner.holder.unwrap_or(&self.options.account_id).into()),
                ("Status", "attached".into()),
            ])
        });
        object([
            ("Association", owner.association.into()),
            ("Attachment", attachment.into()),
            ("AvailabilityZone", self.subnets.get(&interface.subnet).map(|subnet| &subnet.zone).into()),
            ("Description", owner.description.into()),
            ("Groups", Value::List(groups.collect())),
            ("InterfaceType", owner.kind.into()),
            ("NetworkInterfaceId", id.into()),
            ("OwnerId", (&self.options.account_id).into()),
            ("PrivateIpAddress", interface.ip.to_string().into()),
            ("RequesterManaged", owner.managed.into()),
            ("Status", status.into()),
            ("SubnetId", (&interface.subnet).into()),
            ("Tags", tags_value(&interface.tags)),
            ("VpcId", (&interface.vpc).into()),
        ])
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
