//! Elastic IP addresses. Only NAT gateways hold them here.

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
use crate::aws::ec2::nat_gateway::Nat;
use crate::aws::error::{Answer, IdFormat};
use crate::aws::record::{Meta, Record, Text, object, tags_value};
use crate::aws::{Account, ObjectKind, quotas};

/// An Elastic IP address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ElasticIp {
    pub(crate) meta: Meta,
    pub(crate) public_ip: Ipv4Addr,
    /// The NAT gateway that took it last.
    pub(crate) nat: Option<Text>,
}

impl Record for ElasticIp {
    const FORMAT: IdFormat = IdFormat::ADDRESS;
    const LIST: (&'static str, &'static str) = ("AllocationIds", "Addresses");
    const FILTERS: &'static [&'static str] =
        &["allocation-id", "public-ip", "association-id", "network-interface-id", "private-ip-address", "domain"];
    const KIND: ObjectKind = ObjectKind::Resource(Kind::Eip);

    fn table(account: &Account) -> &BTreeMap<Text, Self> {
        &account.addresses
    }

    fn table_mut(account: &mut Account) -> &mut BTreeMap<Text, Self> {
        &mut account.addresses
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn iam_keys(&self, _account: &Account) -> Vec<(&'static str, String)> {
        vec![("ec2:AllocationId", self.meta.id.to_string()), ("ec2:Domain", "vpc".to_owned())]
    }

    fn filtered(&self, account: &Account, now: Instant, filter: &str) -> Vec<Text> {
        let holder = account.holder(self, now);
        match filter {
            "allocation-id" => vec![self.meta.id.clone()],
            "public-ip" => vec![self.public_ip.to_string().into()],
            "association-id" => holder.map(|nat| nat.association.clone()).into_iter().collect(),
            "network-interface-id" => holder.and_then(|nat| nat.interface.clone()).into_iter().collect(),
            "private-ip-address" => {
                holder.and_then(|nat| nat.private_ip).map(|ip| ip.to_string().into()).into_iter().collect()
            }
            "domain" => vec!["vpc".into()],
            _ => Vec::new(),
        }
    }

    fn describe(&self, account: &Account, now: Instant) -> Value {
        let holder = account.holder(self, now);
        object([
            ("AllocationId", (&self.meta.id).into()),
            ("PublicIp", self.public_ip.to_string().into()),
            ("Domain", "vpc".into()),
            ("AssociationId", holder.map(|nat| &nat.association).into()),
            ("NetworkInterfaceId", holder.and_then(|nat| nat.interface.as_ref()).into()),
            ("PrivateIpAddress", holder.and_then(|nat| nat.private_ip).map(|ip| ip.to_string()).into()),
            ("PublicIpv4Pool", "amazon".into()),
            ("NetworkBorderGroup", (&account.options.region).into()),
            ("Tags", tags_value(&self.meta.tags)),
        ])
    }
}

impl Account {
    /// The NAT gateway that holds the address.
    pub(crate) fn holder(&self, address: &ElasticIp, now: Instant) -> Option<&Nat> {
        self.nats.get(address.nat.as_ref()?).filter(|nat| nat.holds_address(now))
    }

    pub(crate) fn allocate_address(&mut self, now: Instant, request: &Request) -> Answer {
        let domain = request.text("Domain");
        if domain != "vpc" {
            return Err(rule::DOMAIN.refuse([&domain]));
        }
        let tags = self.new_tags(request)?;
        quotas::room(self.addresses.len(), self.quotas.addresses, &rule::QUOTA)?;
        self.check_capacity(request.operation(), [])?;
        let id = self.new_id("eipalloc-");
        let public_ip = self.new_public_ip("elastic-ip", Ipv4Addr::new(52, 0, 0, 0));
        let meta = self.new_meta(now, id.clone(), tags);
        self.addresses.insert(id.clone(), ElasticIp { meta, public_ip, nat: None });
        Ok(object([
            ("AllocationId", id.into()),
            ("PublicIp", public_ip.to_string().into()),
            ("Domain", "vpc".into()),
            ("PublicIpv4Pool", "amazon".into()),
            ("NetworkBorderGroup", (&self.options.region).into()),
        ]))
    }

    pub(crate) fn release_address(&mut self, now: Instant, request: &Request) -> Answer {
        let id = request.text("AllocationId");
        let address = self.get::<ElasticIp>(now, id)?;
        if self.holder(address, now).is_some() {
            return Err(rule::HELD.refuse([]));
        }
        self.addresses.remove(id);
        Ok(object([]))
    }
}
