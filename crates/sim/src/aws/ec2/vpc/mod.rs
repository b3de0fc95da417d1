//! VPCs, with what comes with one: a main route table, a default security group and a default network ACL.

pub(crate) mod need;
pub(crate) mod rules;

use std::collections::BTreeMap;

use aloka_core::api::Request;
use aloka_core::kind::Kind;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use self::rules as rule;
use crate::aws::durations::Transition;
use crate::aws::error::{Answer, IdFormat};
use crate::aws::record::{Meta, Record, Text, object, tags_value};
use crate::aws::{Account, ObjectKind, quotas};
use crate::rng::Rng;
use crate::rules::{Refusal, Rule};

/// A VPC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Vpc {
    pub(crate) meta: Meta,
    pub(crate) cidr: Ipv4Net,
    tenancy: Text,
    ready: Instant,
    pub(crate) dns_support: bool,
    pub(crate) dns_hostnames: bool,
    main_route_table: Text,
    pub(crate) default_group: Text,
}

impl Record for Vpc {
    const FORMAT: IdFormat = IdFormat::VPC;
    const LIST: (&'static str, &'static str) = ("VpcIds", "Vpcs");
    const FILTERS: &'static [&'static str] =
        &["vpc-id", "cidr", "cidr-block", "cidrBlock", "state", "owner-id", "is-default", "isDefault"];
    const KIND: ObjectKind = ObjectKind::Resource(Kind::Vpc);

    fn table(account: &Account) -> &BTreeMap<Text, Self> {
        &account.vpcs
    }

    fn table_mut(account: &mut Account) -> &mut BTreeMap<Text, Self> {
        &mut account.vpcs
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn iam_keys(&self, _account: &Account) -> Vec<(&'static str, String)> {
        vec![("ec2:VpcID", self.meta.id.to_string())]
    }

    fn filtered(&self, account: &Account, now: Instant, filter: &str) -> Vec<Text> {
        match filter {
            "vpc-id" => vec![self.meta.id.clone()],
            "cidr" | "cidr-block" | "cidrBlock" => vec![self.cidr.to_string().into()],
            "state" => vec![self.state(now).into()],
            "owner-id" => vec![account.options.account_id.as_str().into()],
            "is-default" | "isDefault" => vec!["false".into()],
            _ => Vec::new(),
        }
    }

    fn describe(&self, account: &Account, now: Instant) -> Value {
        object([
            ("CidrBlock", self.cidr.to_string().into()),
            ("DhcpOptionsId", account.dhcp_options().into()),
            ("InstanceTenancy", (&self.tenancy).into()),
            ("IsDefault", false.into()),
            ("OwnerId", (&account.options.account_id).into()),
            ("State", self.state(now).into()),
            ("Tags", tags_value(&self.meta.tags)),
            ("VpcId", (&self.meta.id).into()),
        ])
    }
}

impl Vpc {
    fn state(&self, now: Instant) -> &'static str {
        if now < self.ready { "pending" } else { "available" }
    }
}

/// Reads a CIDR block, with the host bits masked as AWS does it; what is none is refused by `rule`.
pub(crate) fn parse_cidr(text: &str, rule: &'static Rule) -> Result<Ipv4Net, Refusal> {
    text.parse::<Ipv4Net>().map(|cidr| cidr.trunc()).map_err(|_| rule.refuse([&text]))
}

impl Account {
    /// The DHCP options every VPC of the account has.
    fn dhcp_options(&self) -> String {
        format!("dopt-0{}", Rng::stream(self.options.seed, "dopt-", 0).text("0123456789abcdef", 16))
    }

    pub(crate) fn create_vpc(&mut self, now: Instant, request: &Request) -> Answer {
        let cidr = parse_cidr(request.text("CidrBlock"), &rule::CIDR_FORM)?;
        if !(16..=28).contains(&cidr.prefix_len()) {
            return Err(rule::CIDR_SIZE.refuse([&cidr]));
        }
        let tenancy = match request.arg("InstanceTenancy").as_str() {
            None => "default",
            Some(tenancy @ ("default" | "dedicated")) => tenancy,
            Some(other) => return Err(rule::TENANCY.refuse([&other])),
        };
        let tags = self.new_tags(request)?;
        quotas::room(self.vpcs.len(), self.quotas.vpcs, &rule::QUOTA)?;
        let id = self.new_id("vpc-");
        let vpc = Vpc {
            meta: self.new_meta(now, id.clone(), tags),
            cidr,
            tenancy: tenancy.into(),
            ready: now + self.duration(Transition::VpcCreate),
            dns_support: true,
            dns_hostnames: false,
            main_route_table: self.new_main_route_table(now, &id, cidr),
            default_group: self.new_default_group(now, &id),
        };
        self.vpcs.insert(id.clone(), vpc);
        self.new_default_acl(now, &id);
        Ok(object([("Vpc", self.described::<Vpc>(now, &id))]))
    }

    pub(crate) fn describe_vpc_attribute(&self, now: Instant, request: &Request) -> Answer {
        let vpc = self.get::<Vpc>(now, request.text("VpcId"))?;
        let (name, value) = match request.text("Attribute") {
            "enableDnsSupport" => ("EnableDnsSupport", vpc.dns_support),
            "enableDnsHostnames" => ("EnableDnsHostnames", vpc.dns_hostnames),
            "enableNetworkAddressUsageMetrics" => return Err(rule::ATTRIBUTE_METRICS.refuse([])),
            other => return Err(rule::ATTRIBUTE_NAME.refuse([&other])),
        };
        Ok(object([("VpcId", (&vpc.meta.id).into()), (name, value.into())]))
    }

    pub(crate) fn modify_vpc_attribute(&mut self, now: Instant, request: &Request) -> Answer {
        let vpc = self.get_mut::<Vpc>(now, request.text("VpcId"))?;
        let flag = |name| request.arg(name).as_bool();
        match (flag("EnableDnsSupport"), flag("EnableDnsHostnames")) {
            (Some(support), None) => vpc.dns_support = support,
            (None, Some(true)) if !vpc.dns_support => return Err(rule::HOSTNAMES_NEED_SUPPORT.refuse([])),
            (None, Some(hostnames)) => vpc.dns_hostnames = hostnames,
            (Some(_), Some(_)) => return Err(rule::ONE_ATTRIBUTE.refuse([])),
            (None, None) => return Err(rule::NO_ATTRIBUTE.refuse([])),
        }
        Ok(object([]))
    }

    pub(crate) fn delete_vpc(&mut self, now: Instant, request: &Request) -> Answer {
        let id = request.text("VpcId");
        let Vpc { main_route_table, default_group, .. } = self.get::<Vpc>(now, id)?.clone();
        let blocks = [
            (self.interfaces.values().any(|interface| *interface.vpc == *id), &rule::HAS_INTERFACE),
            (self.subnets.values().any(|subnet| *subnet.vpc == *id), &rule::HAS_SUBNET),
            (self.has_gateway(id), &rule::HAS_GATEWAY),
            (self.groups.values().any(|group| *group.vpc == *id && !group.default), &rule::HAS_GROUP),
            (self.route_tables.values().any(|table| *table.vpc == *id && table.main.is_none()), &rule::HAS_TABLE),
            (self.endpoints.values().any(|endpoint| *endpoint.vpc == *id), &rule::HAS_ENDPOINT),
        ];
        if let Some((_, rule)) = blocks.into_iter().find(|(there, _)| *there) {
            return Err(rule.refuse([&id]));
        }
        if let Some(rule) = self.attachment_of(id) {
            return Err(rule.refuse([&id]));
        }
        self.drop_default_acl(id);
        if let Some(table) = self.route_tables.remove(&main_route_table)
            && let Some(association) = table.main
        {
            self.associations.remove(&association);
        }
        self.groups.remove(&default_group);
        self.vpcs.remove(id);
        Ok(object([]))
    }
}
