//! Tags of RDS: their rules, and the calls that set, remove and list them by ARN.

pub(crate) mod need;
pub(crate) mod rules;

use aloka_core::api::Request;
use aloka_core::time::Instant;
use aloka_core::value::Value;

use self::rules as rule;
use crate::aws::Account;
use crate::aws::error::Answer;
use crate::aws::rds::db_instance::rules as db_instance_rules;
use crate::aws::record::{Tags, object, tags_value};
use crate::rules::Refusal;

impl Account {
    /// The tags a request gives a new object of RDS.
    ///
    /// # Errors
    /// Tags that break a rule.
    pub(crate) fn new_db_tags(&self, request: &Request) -> Result<Tags, Refusal> {
        let tags = read_tags(request)?;
        if tags.len() > self.quotas.tags { Err(rule::QUOTA.refuse([])) } else { Ok(tags) }
    }

    /// As [`Account::rds_tags_mut`], to change them.
    fn changed_rds_tags(&mut self, now: Instant, request: &Request) -> Result<&mut Tags, Refusal> {
        self.rds_tags_mut(now, request)?;
        let arn = request.text("ResourceName");
        if let Some((_, name)) = arn.split_once(":db:")
            && let Some(db) = self.db_instances.get(name).filter(|db| db.gone.is_some())
        {
            return Err(db_instance_rules::DELETING.refuse([&db.meta.id]));
        }
        self.rds_tags_mut(now, request)
    }

    /// The tags of an object of RDS, by its ARN.
    fn rds_tags_mut(&mut self, now: Instant, request: &Request) -> Result<&mut Tags, Refusal> {
        let arn = request.text("ResourceName").to_owned();
        let parts: Vec<&str> = arn.splitn(7, ':').collect();
        let ["arn", "aws", "rds", region, account, kind, name] = parts[..] else {
            return Err(rule::ARN.refuse([&arn]));
        };
        if region != self.options.region || account != self.options.account_id {
            return Err(rule::ELSEWHERE.refuse([&arn]));
        }
        match kind {
            "db" => Ok(&mut self.db_mut(now, name)?.meta.tags),
            "subgrp" => Ok(&mut self.db_subnet_group_mut(now, name)?.meta.tags),
            _ => Err(rule::KIND.refuse([&arn])),
        }
    }

    pub(crate) fn add_tags_to_resource(&mut self, now: Instant, request: &Request) -> Answer {
        let tags = read_tags(request)?;
        let mut together = self.changed_rds_tags(now, request)?.clone();
        together.extend(tags);
        if together.len() > self.quotas.tags {
            return Err(rule::QUOTA.refuse([]));
        }
        *self.changed_rds_tags(now, request)? = together;
        Ok(object([]))
    }

    pub(crate) fn remove_tags_from_resource(&mut self, now: Instant, request: &Request) -> Answer {
        let keys = request.texts("TagKeys");
        self.changed_rds_tags(now, request)?.retain(|key, _| !keys.iter().any(|gone| **gone == **key));
        Ok(object([]))
    }

    pub(crate) fn list_tags_for_resource(&mut self, now: Instant, request: &Request) -> Answer {
        let tags = tags_value(self.rds_tags_mut(now, request)?);
        Ok(object([("Tags", tags)]))
    }
}

/// The tags of a request, each of them within the rules.
fn read_tags(request: &Request) -> Result<Tags, Refusal> {
    let tags = request.arg("Tags");
    let map = tags.as_map().ok_or_else(|| rule::TEXT.refuse([tags]))?;
    map.iter().try_for_each(|(key, value)| check_tag(key, value))?;
    Ok(map.clone())
}

fn check_tag(key: &str, value: &Value) -> Result<(), Refusal> {
    let value = value.as_str().ok_or_else(|| rule::TEXT.refuse([&key]))?;
    let reserved = |text: &str| {
        let lower = text.to_ascii_lowercase();
        lower.starts_with("aws:") || lower.starts_with("rds:")
    };
    let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    if let Some(text) = [key, value].into_iter().find(|text| reserved(text)) {
        return Err(rule::RESERVED.refuse([&text]));
    }
    if !(1..=128).contains(&key.chars().count()) {
        return Err(rule::KEY_LENGTH.refuse([]));
    }
    if value.chars().count() > 256 {
        return Err(rule::VALUE_LENGTH.refuse([]));
    }
    if let Some(text) = [key, value].into_iter().find(|text| !text.chars().all(allowed)) {
        return Err(rule::CHARACTERS.refuse([&text]));
    }
    Ok(())
}
