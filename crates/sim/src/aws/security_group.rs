//! Security groups.

use std::collections::BTreeMap;

use aloka_core::api::Request;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::error::Answer;
use super::error::{IdFormat, invalid_value, refuse};
use super::permission::{self, Direction, Peer, Rule};
use super::record::{Meta, Record, Tags, object, tags_value};
use super::vpc::Vpc;
use super::{Account, quotas};
use crate::rules::Refusal;

/// A security group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) meta: Meta,
    pub(crate) name: String,
    description: String,
    pub(crate) vpc: String,
    /// True for the one that came with the VPC.
    pub(crate) default: bool,
    ingress: Vec<Rule>,
    egress: Vec<Rule>,
}

impl Record for Group {
    const FORMAT: IdFormat = IdFormat::GROUP;
    const LIST: (&'static str, &'static str) = ("GroupIds", "SecurityGroups");
    const FILTERS: &'static [&'static str] = &[
        "group-id",
        "group-name",
        "vpc-id",
        "owner-id",
        "description",
        "ip-permission.group-id",
        "egress.ip-permission.group-id",
    ];

    fn table(account: &Account) -> &BTreeMap<String, Self> {
        &account.groups
    }

    fn table_mut(account: &mut Account) -> &mut BTreeMap<String, Self> {
        &mut account.groups
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn filtered(&self, account: &Account, _now: Instant, filter: &str) -> Vec<String> {
        let referenced = |rules: &[Rule]| {
            rules
                .iter()
                .filter_map(|rule| if let Peer::Group(id) = &rule.peer { Some(id.clone()) } else { None })
                .collect()
        };
        match filter {
            "group-id" => vec![self.meta.id.clone()],
            "group-name" => vec![self.name.clone()],
            "vpc-id" => vec![self.vpc.clone()],
            "owner-id" => vec![account.options.account_id.clone()],
            "description" => vec![self.description.clone()],
            "ip-permission.group-id" => referenced(&self.ingress),
            "egress.ip-permission.group-id" => referenced(&self.egress),
            _ => Vec::new(),
        }
    }

    fn describe(&self, account: &Account, _now: Instant) -> Value {
        object([
            ("GroupId", (&self.meta.id).into()),
            ("GroupName", (&self.name).into()),
            ("Description", (&self.description).into()),
            ("VpcId", (&self.vpc).into()),
            ("OwnerId", (&account.options.account_id).into()),
            ("SecurityGroupArn", account.ec2_arn("security-group", &self.meta.id).into()),
            ("IpPermissions", permission::permissions(&self.ingress)),
            ("IpPermissionsEgress", permission::permissions(&self.egress)),
            ("Tags", tags_value(&self.meta.tags)),
        ])
    }
}

impl Group {
    fn rules(&mut self, direction: Direction) -> &mut Vec<Rule> {
        match direction {
            Direction::Ingress => &mut self.ingress,
            Direction::Egress => &mut self.egress,
        }
    }

    fn refers_to(&self, id: &str) -> bool {
        self.ingress.iter().chain(&self.egress).any(|rule| matches!(&rule.peer, Peer::Group(group) if group == id))
    }
}

/// What every new group lets out: everything.
fn default_egress() -> Vec<Rule> {
    vec![Rule::all(Peer::V4(Ipv4Net::default()))]
}

impl Account {
    /// The default group of a new VPC; answers its identifier.
    pub(crate) fn new_default_group(&mut self, now: Instant, vpc: &str) -> String {
        let id = self.new_id("sg-");
        let group = Group {
            meta: self.new_meta(now, id.clone(), Tags::new()),
            name: "default".to_owned(),
            description: "default VPC security group".to_owned(),
            vpc: vpc.to_owned(),
            default: true,
            ingress: vec![Rule::all(Peer::Group(id.clone()))],
            egress: default_egress(),
        };
        self.groups.insert(id.clone(), group);
        id
    }

    pub(crate) fn create_security_group(&mut self, now: Instant, request: &Request) -> Answer {
        let (name, description, vpc) = (request.text("GroupName"), request.text("Description"), request.text("VpcId"));
        self.get::<Vpc>(now, vpc)?;
        check_text(name, "GroupName")?;
        check_text(description, "GroupDescription")?;
        if name.starts_with("sg-") {
            return Err(invalid_value(name, "GroupName", "Group names may not be in the format sg-*."));
        }
        if name.eq_ignore_ascii_case("default") {
            return Err(refuse("InvalidGroup.Reserved", "Cannot use reserved security group name: default"));
        }
        let tags = self.new_tags(request)?;
        if self.groups.values().any(|group| group.vpc == vpc && group.name.eq_ignore_ascii_case(name)) {
            let message = format!("The security group '{name}' already exists for VPC '{vpc}'");
            return Err(refuse("InvalidGroup.Duplicate", message));
        }
        let message = "The maximum number of security groups has been reached.";
        let allowed = self.quotas.security_groups;
        quotas::check(self.groups.len(), allowed, "SecurityGroupLimitExceeded", message)?;
        let id = self.new_id("sg-");
        let group = Group {
            meta: self.new_meta(now, id.clone(), tags),
            name: name.to_owned(),
            description: description.to_owned(),
            vpc: vpc.to_owned(),
            default: false,
            ingress: Vec::new(),
            egress: default_egress(),
        };
        self.groups.insert(id.clone(), group);
        Ok(object([("GroupId", id.into())]))
    }

    /// Interfaces that carry the group and rules of other groups that name it block this; its own rules do not.
    pub(crate) fn delete_security_group(&mut self, now: Instant, request: &Request) -> Answer {
        let id = request.text("GroupId");
        let group = self.get::<Group>(now, id)?;
        if group.default {
            let message = format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
            return Err(refuse("CannotDelete", message));
        }
        let named = self.groups.iter().any(|(other, group)| other != id && group.refers_to(id));
        if named || self.interfaces.values().any(|interface| interface.groups.iter().any(|group| group == id)) {
            return Err(refuse("DependencyViolation", format!("resource {id} has a dependent object")));
        }
        self.groups.remove(id);
        Ok(object([]))
    }

    /// Adds all of the rules, or none.
    pub(crate) fn authorize(&mut self, now: Instant, request: &Request, direction: Direction) -> Answer {
        let id = request.text("GroupId");
        let vpc = self.get::<Group>(now, id)?.vpc.clone();
        let rules = permission::read(request.arg("IpPermissions"))?;
        for rule in &rules {
            if let Peer::Group(other) = &rule.peer
                && self.get::<Group>(now, other)?.vpc != vpc
            {
                let message = "You have specified two resources that belong to different networks.";
                return Err(refuse("InvalidGroup.NotFound", message));
            }
        }
        let allowed = self.quotas.rules;
        let there = self.get_mut::<Group>(now, id)?.rules(direction);
        if let Some(duplicate) = rules.iter().find(|rule| there.iter().any(|other| other.is_same(rule))) {
            return Err(duplicate.duplicate());
        }
        // IPv4 and IPv6 count apart; a referenced group counts for both.
        for other_family in [|peer: &Peer| matches!(peer, Peer::V6(_)), |peer: &Peer| matches!(peer, Peer::V4(_))] {
            if there.iter().chain(&rules).filter(|rule| !other_family(&rule.peer)).count() > allowed {
                let message = "The maximum number of rules per security group has been reached.";
                return Err(refuse("RulesPerSecurityGroupLimitExceeded", message));
            }
        }
        there.extend(rules);
        Ok(object([]))
    }

    /// Removes all of the rules, or none. (In a default VPC a missing rule is no error; there is none here.)
    pub(crate) fn revoke(&mut self, now: Instant, request: &Request, direction: Direction) -> Answer {
        let there = self.get_mut::<Group>(now, request.text("GroupId"))?.rules(direction);
        let rules = permission::read(request.arg("IpPermissions"))?;
        if !rules.iter().all(|rule| there.iter().any(|other| other.is_same(rule))) {
            let message = "The specified rule does not exist in this security group.";
            return Err(refuse("InvalidPermission.NotFound", message));
        }
        there.retain(|rule| !rules.iter().any(|other| other.is_same(rule)));
        Ok(object([]))
    }

    /// Refuses a group that is not there, that is of another VPC than the subnet, or one too many.
    pub(crate) fn check_groups(&self, now: Instant, ids: &[String], vpc: &str, subnet: &str) -> Result<(), Refusal> {
        for id in ids {
            if self.get::<Group>(now, id)?.vpc != vpc {
                let message = format!("Security group {id} and subnet {subnet} belong to different networks.");
                return Err(refuse("InvalidParameter", message));
            }
        }
        let message = "You have exceeded the maximum number of security groups allowed per network interface.";
        let allowed = self.quotas.groups_per_interface.saturating_add(1);
        quotas::check(ids.len(), allowed, "SecurityGroupsPerInterfaceLimitExceeded", message)
    }
}

fn check_text(text: &str, parameter: &str) -> Result<(), Refusal> {
    if text.is_empty() || !permission::is_description(text) {
        let why = "Character sets beyond ASCII are not supported.";
        return Err(invalid_value(text, parameter, why));
    }
    Ok(())
}
