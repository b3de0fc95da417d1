//! Tags: their rules, and the calls that set and remove them.

use aloka_core::api::{ApiError, Reply, Request, Service};
use aloka_core::time::Instant;
use aloka_core::value::Value;

use super::Account;
use super::address::ElasticIp;
use super::error::{IdFormat, refuse};
use super::gateway::Gateway;
use super::instance::Instance;
use super::nat::Nat;
use super::record::{Record, Tags, object, tags_value};
use super::route::RouteTable;
use super::security_group::Group;
use super::subnet::Subnet;
use super::volume::Volume;
use super::vpc::Vpc;

impl Account {
    /// The tags a request gives a new object.
    ///
    /// # Errors
    /// Tags that break a rule.
    pub(crate) fn new_tags(&self, request: &Request) -> Result<Tags, ApiError> {
        let tags = read_tags(request)?;
        self.check_tag_count(&Tags::new(), &tags, request.operation().service())?;
        Ok(tags)
    }

    /// Refuses more tags on an object than it may have.
    fn check_tag_count(&self, there: &Tags, more: &Tags, service: Service) -> Result<(), ApiError> {
        let new = more.keys().filter(|key| !there.contains_key(*key)).count();
        if there.len() + new <= self.quotas.tags {
            return Ok(());
        }
        Err(match service {
            Service::Rds => {
                refuse("InvalidParameterValue", "The maximum number of tags per resource has been exceeded.")
            }
            Service::Ec2 | Service::Ssm | Service::Sts => {
                refuse("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
            }
        })
    }

    /// The tags of an object of EC2, whatever it is.
    fn tags_mut(&mut self, now: Instant, id: &str) -> Result<&mut Tags, ApiError> {
        fn of<'a, R: Record>(account: &'a mut Account, now: Instant, id: &str) -> Result<&'a mut Tags, ApiError> {
            Ok(&mut account.get_mut::<R>(now, id)?.meta_mut().tags)
        }
        match id.split_once('-').map_or("", |(prefix, _)| prefix) {
            "vpc" => of::<Vpc>(self, now, id),
            "subnet" => of::<Subnet>(self, now, id),
            "igw" => of::<Gateway>(self, now, id),
            "eipalloc" => of::<ElasticIp>(self, now, id),
            "nat" => of::<Nat>(self, now, id),
            "rtb" => of::<RouteTable>(self, now, id),
            "sg" => of::<Group>(self, now, id),
            "i" => of::<Instance>(self, now, id),
            "vol" => of::<Volume>(self, now, id),
            // Network interfaces are AWS's own here.
            "eni" => Err(IdFormat::INTERFACE.missing(id)),
            _ => Err(refuse("InvalidID", format!("The ID '{id}' is not valid"))),
        }
    }

    /// All of the objects are tagged, or none.
    pub(crate) fn create_tags(&mut self, now: Instant, request: &Request) -> Reply {
        let (ids, tags) = (request.texts("Resources"), read_tags(request)?);
        for id in &ids {
            let there = self.tags_mut(now, id)?.clone();
            self.check_tag_count(&there, &tags, Service::Ec2)?;
        }
        for id in &ids {
            self.tags_mut(now, id)?.extend(tags.clone());
        }
        Ok(object([]))
    }

    /// A key that is not there is no error.
    pub(crate) fn delete_tags(&mut self, now: Instant, request: &Request) -> Reply {
        let (ids, keys) = (request.texts("Resources"), request.texts("TagKeys"));
        for id in &ids {
            self.tags_mut(now, id)?;
        }
        for id in &ids {
            self.tags_mut(now, id)?.retain(|key, _| !keys.iter().any(|gone| **gone == **key));
        }
        Ok(object([]))
    }

    /// The tags of an object of RDS, by its ARN.
    fn rds_tags_mut(&mut self, now: Instant, request: &Request) -> Result<&mut Tags, ApiError> {
        let arn = request.text("ResourceName").to_owned();
        let prefix = format!("arn:aws:rds:{}:{}:", self.options.region, self.options.account_id);
        let invalid = || refuse("InvalidParameterValue", format!("Invalid resource name: {arn}"));
        let (kind, name) = arn.strip_prefix(&prefix).and_then(|rest| rest.split_once(':')).ok_or_else(invalid)?;
        match kind {
            "db" => Ok(&mut self.db_mut(now, name)?.meta.tags),
            "subgrp" => Ok(&mut self.db_subnet_group_mut(now, name)?.meta.tags),
            _ => Err(invalid()),
        }
    }

    pub(crate) fn add_tags_to_resource(&mut self, now: Instant, request: &Request) -> Reply {
        let tags = read_tags(request)?;
        let there = self.rds_tags_mut(now, request)?.clone();
        self.check_tag_count(&there, &tags, Service::Rds)?;
        self.rds_tags_mut(now, request)?.extend(tags);
        Ok(object([]))
    }

    pub(crate) fn remove_tags_from_resource(&mut self, now: Instant, request: &Request) -> Reply {
        let keys = request.texts("TagKeys");
        self.rds_tags_mut(now, request)?.retain(|key, _| !keys.iter().any(|gone| **gone == **key));
        Ok(object([]))
    }

    pub(crate) fn list_tags_for_resource(&mut self, now: Instant, request: &Request) -> Reply {
        let tags = tags_value(self.rds_tags_mut(now, request)?);
        Ok(object([("Tags", tags)]))
    }
}

/// The tags of a request, each of them within the rules.
fn read_tags(request: &Request) -> Result<Tags, ApiError> {
    let service = request.operation().service();
    let Some(map) = request.arg("Tags").as_map() else {
        return Err(refuse("InvalidParameterValue", "Tags must be a map from key to value"));
    };
    map.iter().try_for_each(|(key, value)| check_tag(service, key, value))?;
    Ok(map.clone())
}

fn check_tag(service: Service, key: &str, value: &Value) -> Result<(), ApiError> {
    let invalid = |message: String| Err(refuse("InvalidParameterValue", message));
    let Some(value) = value.as_str() else {
        return invalid(format!("Tag value of {key} is not a text"));
    };
    if key.to_ascii_lowercase().starts_with("aws:") {
        return invalid("Tag keys starting with 'aws:' are reserved for internal use".to_owned());
    }
    if !(1..=128).contains(&key.chars().count()) {
        return Err(match service {
            Service::Rds => refuse("InvalidParameterValue", "Tag keys must be between 1 and 128 characters in length."),
            Service::Ec2 | Service::Ssm | Service::Sts => {
                refuse("InvalidTagKey.Malformed", "Tag keys must be between 1 and 128 characters in length.")
            }
        });
    }
    if value.chars().count() > 256 {
        return invalid("Tag value exceeds the maximum length of 256 characters".to_owned());
    }
    // RDS takes fewer characters than EC2.
    let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    if service == Service::Rds
        && let Some(text) = [key, value].into_iter().find(|text| !text.chars().all(allowed))
    {
        return invalid(format!(
            "Invalid tag: '{text}' contains characters other than letters, digits, white space and _.:/=+-@"
        ));
    }
    Ok(())
}
