//! Database subnet groups: subnets of at least two zones that a database instance may be put in.

use std::collections::BTreeSet;

use aloka_core::api::Request;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use serde::{Deserialize, Serialize};

use super::error::Answer;
use super::error::refuse;
use super::record::{Meta, object};
use super::subnet::Subnet;
use super::{Account, quotas};
use crate::rules::Refusal;

/// A database subnet group, under its name in lower case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SubnetGroup {
    pub(crate) meta: Meta,
    description: String,
    pub(crate) vpc: String,
    pub(crate) subnets: Vec<String>,
}

impl Account {
    /// The ARN of an object of RDS.
    pub(crate) fn rds_arn(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:rds:{}:{}:{kind}:{name}", self.options.region, self.options.account_id)
    }

    fn describe_db_subnet_group(&self, group: &SubnetGroup) -> Value {
        object([
            ("DBSubnetGroupName", (&group.meta.id).into()),
            ("DBSubnetGroupDescription", (&group.description).into()),
            ("VpcId", (&group.vpc).into()),
            ("SubnetGroupStatus", "Complete".into()),
            ("SubnetIds", Value::list(&group.subnets)),
            ("DBSubnetGroupArn", self.rds_arn("subgrp", &group.meta.id).into()),
        ])
    }

    /// The group called `name`, in whichever case.
    pub(crate) fn db_subnet_group(&self, now: Instant, name: &str) -> Result<&SubnetGroup, Refusal> {
        let found = self.db_subnet_groups.get(&name.to_ascii_lowercase()).filter(|group| group.meta.visible <= now);
        found.ok_or_else(|| not_found(name))
    }

    pub(crate) fn db_subnet_group_mut(&mut self, now: Instant, name: &str) -> Result<&mut SubnetGroup, Refusal> {
        let found = self.db_subnet_groups.get_mut(&name.to_ascii_lowercase()).filter(|group| group.meta.visible <= now);
        found.ok_or_else(|| not_found(name))
    }

    /// The VPC of these subnets, when they may make a group.
    fn check_db_subnets(&self, now: Instant, ids: &[String]) -> Result<String, Refusal> {
        let mut zones = BTreeSet::new();
        let mut vpcs = BTreeSet::new();
        for id in ids {
            let subnet = self.get::<Subnet>(now, id).map_err(|refusal| match refusal.rule.id {
                "identifier.subnet-form" => refuse("InvalidParameterValue", format!("Invalid subnet ID: {id}")),
                _ => refuse("InvalidSubnet", format!("Some input subnets in :[{id}] are invalid.")),
            })?;
            zones.insert(subnet.zone.as_str());
            vpcs.insert(subnet.vpc.as_str());
        }
        let vpc = match vpcs.pop_first() {
            Some(vpc) if vpcs.is_empty() => vpc.to_owned(),
            Some(_) => {
                let message = "The new subnets are not all in the same VPC.";
                return Err(refuse("InvalidSubnet", message));
            }
            None => return Err(refuse("InvalidParameterValue", "The parameter SubnetIds must not be empty.")),
        };
        if zones.len() < 2 {
            let covered = zones.into_iter().collect::<Vec<_>>().join(", ");
            let message = format!(
                "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: \
                 {covered}. Add subnets to cover at least 2 AZs."
            );
            return Err(refuse("DBSubnetGroupDoesNotCoverEnoughAZs", message));
        }
        let message =
            "The request would result in the user exceeding the allowed number of subnets in a DB subnet group.";
        quotas::check(ids.len(), self.quotas.db_subnets.saturating_add(1), "DBSubnetQuotaExceededFault", message)?;
        Ok(vpc)
    }

    pub(crate) fn create_db_subnet_group(&mut self, now: Instant, request: &Request) -> Answer {
        let name = request.text("DBSubnetGroupName").to_ascii_lowercase();
        let description = request.text("DBSubnetGroupDescription");
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._ -".contains(c);
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !starts || !name.chars().all(allowed) || name.len() > 255 || name == "default" {
            let message = "The parameter DBSubnetGroupName must be provided and must not be blank, must begin with a \
                           letter, must contain only letters, digits, periods, underscores, spaces and hyphens, and \
                           must not be default.";
            return Err(refuse("InvalidParameterValue", message));
        }
        if description.is_empty() {
            let message = "The parameter DBSubnetGroupDescription must be provided and must not be blank.";
            return Err(refuse("InvalidParameterValue", message));
        }
        let tags = self.new_tags(request)?;
        if self.db_subnet_groups.contains_key(&name) {
            let message = format!("The DB subnet group '{name}' already exists.");
            return Err(refuse("DBSubnetGroupAlreadyExists", message));
        }
        let subnets = request.texts("SubnetIds");
        let vpc = self.check_db_subnets(now, &subnets)?;
        let message = "The request would result in the user exceeding the allowed number of DB subnet groups.";
        let allowed = self.quotas.db_subnet_groups;
        quotas::check(self.db_subnet_groups.len(), allowed, "DBSubnetGroupQuotaExceeded", message)?;
        let meta = self.new_meta(now, name.clone(), tags);
        let group = SubnetGroup { meta, description: description.to_owned(), vpc, subnets };
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
            return Err(refuse("InvalidSubnet", "The new subnets are not in the VPC of the DB subnet group."));
        }
        let users = self.db_instances.values().filter(|db| db.subnet_group == group.meta.id);
        let interfaces = users.flat_map(|db| &db.interfaces).filter_map(|id| self.interfaces.get(id));
        if let Some(used) = interfaces.map(|i| &i.subnet).find(|subnet| !subnets.contains(subnet)) {
            let message = format!("Some of the subnets to be deleted are currently in use: {used}");
            return Err(refuse("SubnetAlreadyInUse", message));
        }
        self.db_subnet_group_mut(now, name)?.subnets = subnets;
        let group = self.db_subnet_group(now, name)?;
        Ok(object([("DBSubnetGroup", self.describe_db_subnet_group(group))]))
    }

    pub(crate) fn delete_db_subnet_group(&mut self, now: Instant, request: &Request) -> Answer {
        let name = self.db_subnet_group(now, request.text("DBSubnetGroupName"))?.meta.id.clone();
        if let Some((user, _)) = self.db_instances.iter().find(|(_, db)| db.subnet_group == name) {
            let message = format!(
                "Cannot delete the subnet group '{name}' because at least one database instance: {user} is still \
                 using it."
            );
            return Err(refuse("InvalidDBSubnetGroupStateFault", message));
        }
        self.db_subnet_groups.remove(&name);
        Ok(object([]))
    }
}

fn not_found(name: &str) -> Refusal {
    refuse("DBSubnetGroupNotFoundFault", format!("DB subnet group '{name}' does not exist."))
}
