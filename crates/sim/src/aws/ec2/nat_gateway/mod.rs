//! NAT gateways. Most of what can go wrong with one goes wrong after AWS accepted the call.

pub(crate) mod need;
pub(crate) mod rules;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use aloka_core::api::Request;
use aloka_core::kind::Kind;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use serde::{Deserialize, Serialize};

use self::rules as rule;
use crate::aws::account::{Doom, LISTED};
use crate::aws::durations::Transition;
use crate::aws::ec2::eip::ElasticIp;
use crate::aws::ec2::network_interface::rules as network_interface_rules;
use crate::aws::ec2::subnet::Subnet;
use crate::aws::error::{Answer, IdFormat};
use crate::aws::record::{Meta, Record, Text, object, tags_value};
use crate::aws::{Account, ObjectKind, quotas};

/// The state of a NAT gateway that is gone but still listed.
pub(crate) const DELETED: &str = "deleted";

/// A NAT gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Nat {
    pub(crate) meta: Meta,
    pub(crate) subnet: Text,
    pub(crate) vpc: Text,
    allocation: Text,
    pub(crate) association: Text,
    pub(crate) interface: Option<Text>,
    pub(crate) private_ip: Option<Ipv4Addr>,
    public_ip: Option<Ipv4Addr>,
    /// When it is `available`, or `failed`.
    ready: Instant,
    failure: Option<Doom>,
    /// When its deletion is done.
    gone: Option<Instant>,
}

impl Record for Nat {
    const FORMAT: IdFormat = IdFormat::NAT;
    const LIST: (&'static str, &'static str) = ("NatGatewayIds", "NatGateways");
    const FILTERS: &'static [&'static str] = &["nat-gateway-id", "subnet-id", "vpc-id", "state"];
    const KIND: ObjectKind = ObjectKind::Resource(Kind::NatGateway);

    fn table(account: &Account) -> &BTreeMap<Text, Self> {
        &account.nats
    }

    fn table_mut(account: &mut Account) -> &mut BTreeMap<Text, Self> {
        &mut account.nats
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn counts(&self, now: Instant) -> bool {
        self.state(now) != DELETED
    }

    fn filtered(&self, _account: &Account, now: Instant, filter: &str) -> Vec<Text> {
        match filter {
            "nat-gateway-id" => vec![self.meta.id.clone()],
            "subnet-id" => vec![self.subnet.clone()],
            "vpc-id" => vec![self.vpc.clone()],
            "state" => vec![self.state(now).into()],
            _ => Vec::new(),
        }
    }

    fn describe(&self, _account: &Account, now: Instant) -> Value {
        let state = self.state(now);
        let failure = self.failure.as_ref().filter(|_| state == "failed");
        // What it is made of shows when it is made.
        let made = !matches!(state, "pending" | "failed");
        let text = |ip: Option<Ipv4Addr>| ip.filter(|_| made).map(|ip| ip.to_string());
        let address = object([
            ("AllocationId", (&self.allocation).into()),
            ("AssociationId", made.then_some(&self.association).into()),
            ("IsPrimary", true.into()),
            ("NetworkInterfaceId", self.interface.as_ref().filter(|_| made).into()),
            ("PrivateIp", text(self.private_ip).into()),
            ("PublicIp", text(self.public_ip).into()),
        ]);
        object([
            ("ConnectivityType", "public".into()),
            ("FailureCode", failure.map(|failure| &failure.code).into()),
            ("FailureMessage", failure.map(|failure| &failure.message).into()),
            ("NatGatewayAddresses", Value::list([address])),
            ("NatGatewayId", (&self.meta.id).into()),
            ("State", state.into()),
            ("SubnetId", (&self.subnet).into()),
            ("Tags", tags_value(&self.meta.tags)),
            ("VpcId", (&self.vpc).into()),
        ])
    }
}

impl Nat {
    pub(crate) fn state(&self, now: Instant) -> &'static str {
        match (self.gone, &self.failure) {
            (Some(gone), _) if now >= gone => DELETED,
            (Some(_), _) => "deleting",
            (None, _) if now < self.ready => "pending",
            (None, Some(_)) => "failed",
            (None, None) => "available",
        }
    }

    /// True if a route may point to it, and works once it is there.
    pub(crate) fn is_usable(&self, now: Instant) -> bool {
        matches!(self.state(now), "pending" | "available")
    }

    /// Its addresses, as its network interface shows them.
    pub(crate) fn public_association(&self, now: Instant) -> Option<Value> {
        let shows = self.failure.is_none() && matches!(self.state(now), "available" | "deleting");
        let ip = self.public_ip.filter(|_| shows)?;
        Some(object([("PublicIp", ip.to_string().into()), ("AllocationId", (&self.allocation).into())]))
    }

    /// True until it is deleted, unless it never got the address.
    pub(crate) fn holds_address(&self, now: Instant) -> bool {
        self.failure.is_none() && self.state(now) != DELETED
    }
}

impl Account {
    pub(crate) fn create_nat_gateway(&mut self, now: Instant, request: &Request) -> Answer {
        if let Some(id) = self.made_by_token(request)?.and_then(|ids| ids.into_iter().next())
            && self.nats.contains_key(&id)
        {
            return Ok(object([("NatGateway", self.described::<Nat>(now, &id))]));
        }
        let (subnet, allocation) = (request.text("SubnetId"), request.text("AllocationId"));
        match request.arg("ConnectivityType").as_str() {
            None | Some("public") => {}
            Some("private") => return Err(rule::PRIVATE_ADDRESS.refuse([])),
            Some(other) => return Err(rule::CONNECTIVITY.refuse([&other])),
        }
        let Subnet { meta: Meta { id: subnet, .. }, vpc, zone, .. } = self.get::<Subnet>(now, subnet)?.clone();
        let address = self.get::<ElasticIp>(now, allocation)?;
        let (allocation, public_ip) = (address.meta.id.clone(), address.public_ip);
        let taken = self.holder(address, now).is_some();
        let tags = self.new_tags(request)?;
        let in_zone = |nat: &&Nat| self.subnets.get(&nat.subnet).is_some_and(|subnet| subnet.zone == zone);
        let counts = |nat: &&Nat| matches!(nat.state(now), "pending" | "available" | "deleting");
        let there = self.nats.values().filter(counts).filter(in_zone).count();
        quotas::room(there, self.quotas.nat_gateways, &rule::QUOTA)?;
        quotas::room(self.interfaces.len(), self.quotas.network_interfaces, &network_interface_rules::QUOTA)?;

        let id = self.new_id("nat-");
        let interface = self.new_interface(&subnet, &[], id.clone());
        let failure = self.take_doom(request.operation()).or_else(|| {
            let (code, message) = if !self.has_gateway(&vpc) {
                ("Gateway.NotAttached", format!("Network {vpc} has no Internet gateway attached"))
            } else if taken {
                ("Resource.AlreadyAssociated", format!("Elastic IP address {allocation} is already associated"))
            } else if interface.is_none() {
                let message = "Subnet has insufficient free addresses to create this NAT gateway";
                ("InsufficientFreeAddressesInSubnet", message.to_owned())
            } else {
                return None;
            };
            Some(Doom { code: code.to_owned(), message })
        });
        let transition = if failure.is_some() { Transition::NatFail } else { Transition::NatCreate };
        let ready = now + self.duration(transition);
        match (&failure, &interface) {
            (Some(_), interface) => {
                if let Some(interface) = interface {
                    self.end_interface(interface, ready);
                }
                self.expire(ready + LISTED, id.clone());
            }
            (None, _) => self.get_mut::<ElasticIp>(now, &allocation)?.nat = Some(id.clone()),
        }
        let nat = Nat {
            meta: self.new_meta(now, id.clone(), tags),
            subnet,
            vpc,
            allocation,
            association: self.new_id("eipassoc-"),
            private_ip: interface.as_ref().and_then(|interface| self.interface_ip(interface)),
            interface,
            public_ip: Some(public_ip),
            ready,
            failure,
            gone: None,
        };
        self.nats.insert(id.clone(), nat);
        self.remember_token(request, vec![id.clone()]);
        Ok(object([("NatGateway", self.described::<Nat>(now, &id))]))
    }

    /// Routes to it stay, as black holes; its address is free again when it is `deleted`. Deleting it twice is no
    /// error while it is listed.
    pub(crate) fn delete_nat_gateway(&mut self, now: Instant, request: &Request) -> Answer {
        let id = request.text("NatGatewayId");
        let state = self.get::<Nat>(now, id)?.state(now);
        let reply = object([("NatGatewayId", id.into())]);
        let gone = match state {
            "deleting" | DELETED => return Ok(reply),
            "failed" => now,
            _ => now + self.duration(Transition::NatDelete),
        };
        let nat = self.get_mut::<Nat>(now, id)?;
        nat.gone = Some(gone);
        let (interface, failed) = (nat.interface.clone(), nat.failure.is_some());
        if let Some(interface) = interface.filter(|_| !failed) {
            self.end_interface(&interface, gone);
        }
        self.expire(gone + LISTED, id.into());
        Ok(reply)
    }
}
