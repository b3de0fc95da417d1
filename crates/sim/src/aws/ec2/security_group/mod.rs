//! Security groups.

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
use crate::aws::ec2::permission::rules as permission_rule;
use crate::aws::ec2::permission::{self, Direction, Peer, Rule};
use crate::aws::ec2::vpc::Vpc;
use crate::aws::error::Answer;
use crate::aws::error::IdFormat;
use crate::aws::record::{Meta, Record, Tags, Text, object, tags_value};
use crate::aws::{Account, ObjectKind};
use crate::rules::Refusal;

/// A security group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) meta: Meta,
    pub(crate) name: Text,
    description: Text,
    pub(crate) vpc: Text,
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
    const KIND: ObjectKind = ObjectKind::Resource(Kind::SecurityGroup);

    fn table(account: &Account) -> &BTreeMap<Text, Self> {
        &account.groups
    }

    fn table_mut(account: &mut Account) -> &mut BTreeMap<Text, Self> {
        &mut account.groups
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn counts(&self, _now: Instant) -> bool {
        !self.default
    }

    fn iam_keys(&self, account: &Account) -> Vec<(&'static str, String)> {
        vec![("ec2:SecurityGroupID", self.meta.id.to_string()), account.vpc_key(&self.vpc)]
    }

    fn filtered(&self, account: &Account, _now: Instant, filter: &str) -> Vec<Text> {
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
            "owner-id" => vec![account.options.account_id.as_str().into()],
            "description" => vec![self.description.clone()],
            "ip-permission.group-id" => referenced(&self.ingress),
            "egress.ip-permission.group-id" => referenced(&self.egress),
            _ => Vec::new(),
        }
    }

    fn describe(&self, account: &Account, _now: Instant) -> Value {
        object([
            ("Description", (&self.description).into()),
            ("GroupId", (&self.meta.id).into()),
            ("GroupName", (&self.name).into()),
            ("IpPermissions", permission::permissions(&self.ingress)),
            ("IpPermissionsEgress", permission::permissions(&self.egress)),
            ("OwnerId", (&account.options.account_id).into()),
            ("SecurityGroupArn", account.ec2_arn("security-group", &self.meta.id).into()),
            ("Tags", tags_value(&self.meta.tags)),
            ("VpcId", (&self.vpc).into()),
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
        self.ingress.iter().chain(&self.egress).any(|rule| matches!(&rule.peer, Peer::Group(group) if **group == *id))
    }
}

impl Account {
    fn new_rule_id(&mut self) -> Text {
        self.new_id("sgr-")
    }

    /// What every new group lets out: everything.
    fn default_egress(&mut self) -> Vec<Rule> {
        vec![Rule::all(self.new_rule_id(), Peer::V4(Ipv4Net::default()))]
    }

    /// The default group of a new VPC; answers its identifier.
    pub(crate) fn new_default_group(&mut self, now: Instant, vpc: &str) -> Text {
        let id = self.new_id("sg-");
        let group = Group {
            meta: self.new_meta(now, id.clone(), Tags::new()),
            name: "default".into(),
            description: "default VPC security group".into(),
            vpc: vpc.into(),
            default: true,
            ingress: vec![Rule::all(self.new_rule_id(), Peer::Group(id.clone()))],
            egress: self.default_egress(),
        };
        self.groups.insert(id.clone(), group);
        id
    }

    pub(crate) fn create_security_group(&mut self, now: Instant, request: &Request) -> Answer {
        let (name, description, vpc) = (request.text("GroupName"), request.text("Description"), request.text("VpcId"));
        self.get::<Vpc>(now, vpc)?;
        let name = name.trim_end_matches(' ');
        check_name(name)?;
        check_description(description)?;
        let tags = self.new_tags(request)?;
        if self.groups.values().any(|group| *group.vpc == *vpc && group.name.eq_ignore_ascii_case(name)) {
            return Err(rule::NAME_UNIQUE.refuse([&name, &vpc]));
        }
        if self.groups.len() >= self.quotas.security_groups {
            return Err(rule::QUOTA.refuse([]));
        }
        let id = self.new_id("sg-");
        let group = Group {
            meta: self.new_meta(now, id.clone(), tags),
            name: name.into(),
            description: description.into(),
            vpc: vpc.into(),
            default: false,
            ingress: Vec::new(),
            egress: self.default_egress(),
        };
        self.groups.insert(id.clone(), group);
        Ok(object([("GroupId", id.into())]))
    }

    /// Interfaces that carry the group and rules of other groups that name it block this; its own rules do not.
    pub(crate) fn delete_security_group(&mut self, now: Instant, request: &Request) -> Answer {
        let id = request.text("GroupId");
        let group = self.get::<Group>(now, id)?;
        if group.default {
            return Err(rule::STAYS.refuse([&id]));
        }
        if self.groups.iter().any(|(other, group)| **other != *id && group.refers_to(id)) {
            return Err(rule::REFERENCED.refuse([&id]));
        }
        if self.interfaces.values().any(|interface| interface.groups.iter().any(|group| **group == *id)) {
            return Err(rule::IN_USE.refuse([&id]));
        }
        self.groups.remove(id);
        Ok(object([]))
    }

    /// Adds all of the rules, or none.
    pub(crate) fn authorize(&mut self, now: Instant, request: &Request, direction: Direction) -> Answer {
        let id = request.text("GroupId");
        let vpc = self.get::<Group>(now, id)?.vpc.clone();
        let mut rules = permission::read(request.arg("IpPermissions"))?;
        for rule in &rules {
            if let Peer::Group(other) = &rule.peer
                && self.get::<Group>(now, other)?.vpc != vpc
            {
                return Err(permission_rule::SAME_NETWORK.refuse([]));
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
                return Err(permission_rule::QUOTA.refuse([]));
            }
        }
        rules.iter_mut().for_each(|rule| rule.id = self.new_rule_id());
        let added = rules.iter().map(|rule| rule.describe(direction)).collect();
        self.get_mut::<Group>(now, id)?.rules(direction).extend(rules);
        Ok(object([("SecurityGroupRules", Value::List(added))]))
    }

    /// Removes all of the rules, or none. (In a default VPC a missing rule is no error; there is none here.)
    pub(crate) fn revoke(&mut self, now: Instant, request: &Request, direction: Direction) -> Answer {
        let there = self.get_mut::<Group>(now, request.text("GroupId"))?.rules(direction);
        let rules = permission::read(request.arg("IpPermissions"))?;
        if !rules.iter().all(|rule| there.iter().any(|other| other.is_same(rule))) {
            return Err(permission_rule::NOT_FOUND.refuse([]));
        }
        there.retain(|rule| !rules.iter().any(|other| other.is_same(rule)));
        Ok(object([]))
    }

    /// Refuses a group that is not there, that is of another VPC than the subnet, or one too many.
    pub(crate) fn check_groups(&self, now: Instant, ids: &[Text], vpc: &str, subnet: &str) -> Result<(), Refusal> {
        for id in ids {
            if *self.get::<Group>(now, id)?.vpc != *vpc {
                return Err(rule::SAME_NETWORK.refuse([id, &subnet]));
            }
        }
        if ids.len() > self.quotas.groups_per_interface { Err(rule::PER_INTERFACE.refuse([])) } else { Ok(()) }
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        Err(rule::NAME_MISSING.refuse([]))
    } else if !permission::is_plain(name) {
        Err(rule::NAME_CHARACTERS.refuse([&name]))
    } else if name.len() > permission::TEXT_LIMIT {
        Err(rule::NAME_LENGTH.refuse([&name]))
    } else if name.starts_with("sg-") {
        Err(rule::NAME_PREFIX.refuse([&name]))
    } else if name.eq_ignore_ascii_case("default") {
        Err(rule::NAME_RESERVED.refuse([]))
    } else {
        Ok(())
    }
}

fn check_description(description: &str) -> Result<(), Refusal> {
    if description.is_empty() {
        Err(rule::DESCRIPTION_MISSING.refuse([]))
    } else if !permission::is_plain(description) {
        Err(rule::DESCRIPTION_CHARACTERS.refuse([&description]))
    } else if description.len() > permission::TEXT_LIMIT {
        Err(rule::DESCRIPTION_LENGTH.refuse([&description]))
    } else {
        Ok(())
    }
}
