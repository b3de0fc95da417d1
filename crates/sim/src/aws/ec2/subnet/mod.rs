//! Subnets: a block of the VPC's addresses in one Availability Zone.

pub(crate) mod need;
pub(crate) mod rules;

use std::collections::{BTreeMap, BTreeSet};

use aloka_core::api::Request;
use aloka_core::kind::Kind;
use aloka_core::network::Block;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use self::rules as rule;
use crate::aws::durations::Transition;
use crate::aws::ec2::network_interface::Pool;
use crate::aws::ec2::vpc::{Vpc, parse_cidr};
use crate::aws::error::{Answer, IdFormat};
use crate::aws::record::{Meta, Record, Text, object, tags_value};
use crate::aws::{Account, ObjectKind, catalog, quotas};

/// A subnet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subnet {
    pub(crate) meta: Meta,
    pub(crate) vpc: Text,
    pub(crate) cidr: Ipv4Net,
    pub(crate) zone: Text,
    ready: Instant,
    pub(crate) pool: Pool,
    /// Its explicit association with a route table.
    pub(crate) association: Option<Text>,
}

impl Record for Subnet {
    const FORMAT: IdFormat = IdFormat::SUBNET;
    const LIST: (&'static str, &'static str) = ("SubnetIds", "Subnets");
    const FILTERS: &'static [&'static str] = &[
        "subnet-id",
        "vpc-id",
        "cidr",
        "cidr-block",
        "cidrBlock",
        "availability-zone",
        "availabilityZone",
        "availability-zone-id",
        "state",
    ];
    const KIND: ObjectKind = ObjectKind::Resource(Kind::Subnet);

    fn table(account: &Account) -> &BTreeMap<Text, Self> {
        &account.subnets
    }

    fn table_mut(account: &mut Account) -> &mut BTreeMap<Text, Self> {
        &mut account.subnets
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn iam_keys(&self, account: &Account) -> Vec<(&'static str, String)> {
        vec![
            ("ec2:SubnetID", self.meta.id.to_string()),
            ("ec2:AvailabilityZone", self.zone.to_string()),
            account.vpc_key(&self.vpc),
        ]
    }

    fn filtered(&self, account: &Account, now: Instant, filter: &str) -> Vec<Text> {
        match filter {
            "subnet-id" => vec![self.meta.id.clone()],
            "vpc-id" => vec![self.vpc.clone()],
            "cidr" | "cidr-block" | "cidrBlock" => vec![self.cidr.to_string().into()],
            "availability-zone" | "availabilityZone" => vec![self.zone.clone()],
            "availability-zone-id" => vec![catalog::zone_id(&account.options.region, &self.zone).into()],
            "state" => vec![self.state(now).into()],
            _ => Vec::new(),
        }
    }

    fn describe(&self, account: &Account, now: Instant) -> Value {
        let available = u64::try_from(self.pool.available()).unwrap_or(u64::MAX);
        object([
            ("AvailabilityZone", (&self.zone).into()),
            ("AvailabilityZoneId", catalog::zone_id(&account.options.region, &self.zone).into()),
            ("AvailableIpAddressCount", available.into()),
            ("BlockPublicAccessStates", object([("InternetGatewayBlockMode", account.block.of(&self.vpc).into())])),
            ("CidrBlock", self.cidr.to_string().into()),
            ("MapPublicIpOnLaunch", false.into()),
            ("OwnerId", (&account.options.account_id).into()),
            ("State", self.state(now).into()),
            ("SubnetArn", account.ec2_arn("subnet", &self.meta.id).into()),
            ("SubnetId", (&self.meta.id).into()),
            ("Tags", tags_value(&self.meta.tags)),
            ("VpcId", (&self.vpc).into()),
        ])
    }
}

/// VPC Block Public Access of the account in this Region: no call is refused for it, and no packet of the internet arrives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockPublicAccess {
    /// What is blocked; nothing, if there is none.
    pub mode: Option<Block>,
    /// VPCs that are excluded.
    pub excluded: BTreeSet<String>,
}

impl BlockPublicAccess {
    pub(in crate::aws) fn is_off(&self) -> bool {
        self.mode.is_none()
    }

    /// The mode of a subnet of this VPC.
    fn of(&self, vpc: &str) -> &'static str {
        self.mode.filter(|_| !self.excluded.contains(vpc)).map_or("off", Block::mode)
    }
}

impl Subnet {
    fn state(&self, now: Instant) -> &'static str {
        if now < self.ready { "pending" } else { "available" }
    }
}

impl Account {
    /// Sets VPC Block Public Access, as whoever runs the account does in the console.
    pub fn block_public_access(&mut self, block: BlockPublicAccess) {
        self.block = block;
    }

    /// The ARN of an object of EC2.
    pub(crate) fn ec2_arn(&self, kind: &str, id: &str) -> String {
        format!("arn:aws:ec2:{}:{}:{kind}/{id}", self.options.region, self.options.account_id)
    }

    pub(crate) fn create_subnet(&mut self, now: Instant, request: &Request) -> Answer {
        let Vpc { cidr: vpc_cidr, meta: Meta { id: vpc, .. }, .. } =
            self.get::<Vpc>(now, request.text("VpcId"))?.clone();
        let cidr = parse_cidr(request.text("CidrBlock"), &rule::CIDR_FORM)?;
        if !(16..=28).contains(&cidr.prefix_len()) {
            return Err(rule::CIDR_SIZE.refuse([&cidr]));
        }
        if !vpc_cidr.contains(&cidr) {
            return Err(rule::IN_VPC.refuse([&cidr]));
        }
        let zones = catalog::zones(&self.options.region);
        let asked = request.arg("AvailabilityZone").as_str();
        if let Some(zone) = asked.filter(|zone| !zones.iter().any(|known| known == zone)) {
            return Err(rule::ZONE.refuse([&zone, &zones.join(", ")]));
        }
        let tags = self.new_tags(request)?;
        let mut siblings = 0;
        for other in self.subnets.values().filter(|subnet| subnet.vpc == vpc) {
            siblings += 1;
            if other.cidr.contains(&cidr) || cidr.contains(&other.cidr) {
                return Err(rule::CONFLICT.refuse([&cidr]));
            }
        }
        quotas::room(siblings, self.quotas.subnets, &rule::QUOTA)?;
        let zone = match asked {
            Some(zone) => zone.into(),
            None => self.rng("subnet-zone").pick(&zones).map(|zone| zone.as_str().into()).unwrap_or_default(),
        };
        let id = self.new_id("subnet-");
        let subnet = Subnet {
            meta: self.new_meta(now, id.clone(), tags),
            vpc,
            cidr,
            zone,
            ready: now + self.duration(Transition::SubnetCreate),
            pool: Pool::new(cidr),
            association: None,
        };
        self.subnets.insert(id.clone(), subnet);
        Ok(object([("Subnet", self.described::<Subnet>(now, &id))]))
    }

    /// A database subnet group does not block this, only an interface does.
    pub(crate) fn delete_subnet(&mut self, now: Instant, request: &Request) -> Answer {
        let id = request.text("SubnetId");
        if self.get::<Subnet>(now, id)?.pool.used() > 0 {
            return Err(rule::HAS_INTERFACE.refuse([&id]));
        }
        if let Some(subnet) = self.subnets.remove(id)
            && let Some(association) = subnet.association
        {
            self.drop_association(&association);
        }
        Ok(object([]))
    }
}
