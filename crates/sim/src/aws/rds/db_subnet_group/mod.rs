//! Database subnet groups: subnets of at least two zones that a database instance may be put in.

pub(crate) mod need;
pub(crate) mod rules;

use std::collections::BTreeSet;

use aloka_core::api::Request;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use serde::{Deserialize, Serialize};

use self::rules as rule;
use crate::aws::Account;
use crate::aws::ec2::subnet::Subnet;
use crate::aws::error::Answer;
use crate::aws::record::{Meta, Text, object};
use crate::rules::{Refusal, identifier};

/// A database subnet group, under its name in lower case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SubnetGroup {
    pub(crate) meta: Meta,
    description: Text,
    pub(crate) vpc: Text,
    pub(crate) subnets: Vec<Text>,
}

impl Account {
    /// The ARN of an object of RDS.
    pub(crate) fn rds_arn(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:rds:{}:{}:{kind}:{name}", self.options.region, self.options.account_id)
    }

    fn describe_db_subnet_group(&self, group: &SubnetGroup) -> Value {
        object([
            ("DBSubnetGroupArn", self.rds_arn("subgrp", &group.meta.id).into()),
            ("DBSubnetGroupDescription", (&group.description).into()),
            ("DBSubnetGroupName", (&group.meta.id).into()),
            ("SubnetGroupStatus", "Complete".into()),
            ("SubnetIds", Value::list(&group.subnets)),
            ("VpcId", (&group.vpc).into()),
        ])
    }

    /// The group called `name`, in whichever case.
    pub(crate) fn db_subnet_group(&self, now: Instant, name: &str) -> Result<&SubnetGroup, Refusal> {
        let found = self.db_subnet_groups.get(&*name.to_ascii_lowercase()).filter(|group| self.knows(now, &group.meta));
        found.ok_or_else(|| rule::NOT_FOUND.refuse([&name]))
    }

    pub(crate) fn db_subnet_group_mut(&mut self, now: Instant, name: &str) -> Result<&mut SubnetGroup, Refusal> {
        self.db_subnet_group(now, name)?;
        let found = self.db_subnet_groups.get_mut(&*name.to_ascii_lowercase());
        found.ok_or_else(|| rule::NOT_FOUND.refuse([&name]))
    }

    /// The VPC of these subnets, when they may make a group.
    fn check_db_subnets(&self, now: Instant, ids: &[Text]) -> Result<Text, Refusal> {
        let mut zones = BTreeSet::new();
        let mut vpcs = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for id in ids {
            let subnet = self.get_for_rds::<Subnet>(now, id).map_err(|refusal| {
                if *refusal.rule == identifier::SUBNET_MALFORMED { &rule::SUBNET_FORM } else { &rule::SUBNET_EXISTS }
                    .refuse([id])
            })?;
            if !seen.insert(id) {
                return Err(rule::SUBNET_TWICE.refuse([id]));
            }
            zones.insert(&*subnet.zone);
            vpcs.insert(&subnet.vpc);
        }
        let vpc = match vpcs.pop_first() {
            Some(vpc) if vpcs.is_empty() => vpc.clone(),
            Some(_) => return Err(rule::ONE_VPC.refuse([])),
            None => return Err(rule::NO_SUBNETS.refuse([])),
        };
        if zones.len() < 2 {
            return Err(rule::COVERAGE.refuse([&zones.into_iter().collect::<Vec<_>>().join(", ")]));
        }
        if ids.len() > self.quotas.db_subnets {
            return Err(rule::SUBNETS.refuse([]));
        }
        Ok(vpc)
    }

    pub(crate) fn create_db_subnet_group(&mut self, now: Instant, request: &Request) -> Answer {
        let name = Text::from(request.text("DBSubnetGroupName").to_ascii_lowercase());
        let description = request.text("DBSubnetGroupDescription");
        check_name(&name)?;
        if description.trim().is_empty() {
            return Err(rule::DESCRIPTION_BLANK.refuse([]));
        }
        let tags = self.new_db_tags(request)?;
        if self.db_subnet_groups.contains_key(&name) {
            return Err(rule::TAKEN.refuse([&name]));
        }
        let subnets = request.texts("SubnetIds");
        let vpc = self.check_db_subnets(now, &subnets)?;
        if self.db_subnet_groups.len() >= self.quotas.db_subnet_groups {
            return Err(rule::GROUPS.refuse([]));
        }
        let meta = self.new_meta(now, name.clone(), tags);
        let group = SubnetGroup { meta, description: description.into(), vpc, subnets };
        let reply = object([("DBSubnetGroup", self.describe_db_subnet_group(&group))]);
        self.db_subnet_groups.insert(name, group);
        Ok(reply)
    }

    pub(crate) fn describe_db_subnet_groups(&self, now: Instant, request: &Request) -> Answer {
        let groups = match request.arg("DBSubnetGroupName").as_str() {
            Some(name) => vec![self.db_subnet_group(now, name)?],
            None => self.db_subnet_groups.values().filter(|group| group.meta.visible <= now).collect(),
        };
        let groups = groups.into_iter().map(|group| self.describe_db_subnet_group(group));
        Ok(object([("DBSubnetGroups", Value::List(groups.collect()))]))
    }

    /// A subnet that a database instance is in stays.
    pub(crate) fn modify_db_subnet_group(&mut self, now: Instant, request: &Request) -> Answer {
        let name = request.text("DBSubnetGroupName");
        let group = self.db_subnet_group(now, name)?;
        let subnets = request.texts("SubnetIds");
        if self.check_db_subnets(now, &subnets)? != group.vpc {
            return Err(rule::OTHER_VPC.refuse([]));
        }
        let users = self.db_instances.values().filter(|db| db.subnet_group == group.meta.id);
        let interfaces = users.flat_map(|db| &db.interfaces).filter_map(|id| self.interfaces.get(id));
        if let Some(used) = interfaces.map(|i| &i.subnet).find(|subnet| !subnets.contains(subnet)) {
            return Err(rule::SUBNET_IN_USE.refuse([used]));
        }
        self.db_subnet_group_mut(now, name)?.subnets = subnets;
        let group = self.db_subnet_group(now, name)?;
        Ok(object([("DBSubnetGroup", self.describe_db_subnet_group(group))]))
    }

    pub(crate) fn delete_db_subnet_group(&mut self, now: Instant, request: &Request) -> Answer {
        let name = self.db_subnet_group(now, request.text("DBSubnetGroupName"))?.meta.id.clone();
        if let Some((user, _)) = self.db_instances.iter().find(|(_, db)| db.subnet_group == name) {
            return Err(rule::IN_USE.refuse([&name, user]));
        }
        self.db_subnet_groups.remove(&name);
        Ok(object([]))
    }
}

/// Refuses what is no name of a group; it is in lower case already.
fn check_name(name: &str) -> Result<(), Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._ -".contains(c);
    if name.trim().is_empty() {
        Err(rule::NAME_BLANK.refuse([]))
    } else if name.chars().count() > 255 {
        Err(rule::NAME_LENGTH.refuse([]))
    } else if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(allowed) {
        Err(rule::NAME_FORM.refuse([&name]))
    } else if name == "default" {
        Err(rule::NAME_DEFAULT.refuse([]))
    } else {
        Ok(())
    }
}
