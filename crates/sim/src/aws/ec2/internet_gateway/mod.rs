//! Internet gateways: one for a VPC, and one VPC for each.

pub(crate) mod need;
pub(crate) mod rules;

use std::collections::BTreeMap;

use aloka_core::api::Request;
use aloka_core::kind::Kind;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use serde::{Deserialize, Serialize};

use self::rules as rule;
use crate::aws::ec2::vpc::Vpc;
use crate::aws::error::{Answer, IdFormat};
use crate::aws::record::{Meta, Record, Text, object, tags_value};
use crate::aws::{Account, ObjectKind, quotas};
use crate::rules::Rule;

/// An internet gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Gateway {
    pub(crate) meta: Meta,
    /// The VPC it is attached to.
    pub(crate) vpc: Option<Text>,
}

impl Record for Gateway {
    const FORMAT: IdFormat = IdFormat::GATEWAY;
    const LIST: (&'static str, &'static str) = ("InternetGatewayIds", "InternetGateways");
    const FILTERS: &'static [&'static str] =
        &["internet-gateway-id", "attachment.vpc-id", "attachment.state", "owner-id"];
    const KIND: ObjectKind = ObjectKind::Resource(Kind::InternetGateway);

    fn table(account: &Account) -> &BTreeMap<Text, Self> {
        &account.gateways
    }

    fn table_mut(account: &mut Account) -> &mut BTreeMap<Text, Self> {
        &mut account.gateways
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn iam_keys(&self, _account: &Account) -> Vec<(&'static str, String)> {
        vec![("ec2:InternetGatewayID", self.meta.id.to_string())]
    }

    fn filtered(&self, account: &Account, _now: Instant, filter: &str) -> Vec<Text> {
        match filter {
            "internet-gateway-id" => vec![self.meta.id.clone()],
            "attachment.vpc-id" => self.vpc.iter().cloned().collect(),
            "attachment.state" => self.vpc.iter().map(|_| "available".into()).collect(),
            "owner-id" => vec![account.options.account_id.as_str().into()],
            _ => Vec::new(),
        }
    }

    fn describe(&self, account: &Account, _now: Instant) -> Value {
        // The API reference says `attached`; the API says `available`.
        let attachments = self.vpc.iter().map(|vpc| object([("VpcId", vpc.into()), ("State", "available".into())]));
        object([
            ("Attachments", Value::List(attachments.collect())),
            ("InternetGatewayId", (&self.meta.id).into()),
            ("OwnerId", (&account.options.account_id).into()),
            ("Tags", tags_value(&self.meta.tags)),
        ])
    }
}

impl Account {
    /// True if an internet gateway is attached to the VPC.
    pub(crate) fn has_gateway(&self, vpc: &str) -> bool {
        self.gateways.values().any(|gateway| gateway.vpc.as_deref() == Some(vpc))
    }

    pub(crate) fn create_internet_gateway(&mut self, now: Instant, request: &Request) -> Answer {
        let tags = self.new_tags(request)?;
        quotas::room(self.gateways.len(), self.quotas.internet_gateways, &rule::QUOTA)?;
        let id = self.new_id("igw-");
        let meta = self.new_meta(now, id.clone(), tags);
        self.gateways.insert(id.clone(), Gateway { meta, vpc: None });
        Ok(object([("InternetGateway", self.described::<Gateway>(now, &id))]))
    }

    pub(crate) fn attach_internet_gateway(&mut self, now: Instant, request: &Request) -> Answer {
        let (id, vpc) = (request.text("InternetGatewayId"), request.text("VpcId"));
        if let Some(other) = &self.get::<Gateway>(now, id)?.vpc {
            return Err(rule::IN_USE.refuse([&id, other]));
        }
        self.get::<Vpc>(now, vpc)?;
        if self.has_gateway(vpc) {
            return Err(rule::VPC_HAS_ONE.refuse([&vpc]));
        }
        self.get_mut::<Gateway>(now, id)?.vpc = Some(vpc.into());
        Ok(object([]))
    }

    pub(crate) fn detach_internet_gateway(&mut self, now: Instant, request: &Request) -> Answer {
        let (id, vpc) = (request.text("InternetGatewayId"), request.text("VpcId"));
        let attached = self.get::<Gateway>(now, id)?.vpc.clone();
        self.get::<Vpc>(now, vpc)?;
        if attached.as_deref() != Some(vpc) {
            return Err(rule::NOT_ATTACHED.refuse([&id, &vpc]));
        }
        if let Some(rule) = self.mapped_address(now, vpc) {
            return Err(rule.refuse([&vpc]));
        }
        self.get_mut::<Gateway>(now, id)?.vpc = None;
        Ok(object([]))
    }

    /// The rule that keeps a gateway attached because something in the VPC has a public address.
    fn mapped_address(&self, now: Instant, vpc: &str) -> Option<&'static Rule> {
        if self.nats.values().any(|nat| *nat.vpc == *vpc && nat.holds_address(now)) {
            Some(&rule::MAPPED_NAT)
        } else if self.db_instances.values().any(|db| *db.vpc == *vpc && db.public && !db.is_gone(now)) {
            Some(&rule::MAPPED_DATABASE)
        } else if self.instances.values().any(|instance| *instance.vpc == *vpc && instance.has_public_mapping(now)) {
            Some(&rule::MAPPED_INSTANCE)
        } else if self.has_foreign_address(vpc) {
            Some(&rule::MAPPED_INTERFACE)
        } else {
            None
        }
    }

    pub(crate) fn delete_internet_gateway(&mut self, now: Instant, request: &Request) -> Answer {
        let id = request.text("InternetGatewayId");
        if self.get::<Gateway>(now, id)?.vpc.is_some() {
            return Err(rule::ATTACHED.refuse([&id]));
        }
        self.gateways.remove(id);
        Ok(object([]))
    }
}
