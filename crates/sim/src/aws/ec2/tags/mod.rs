//! Tags: their rules, and the calls that set, remove and list them.

pub(crate) mod need;
pub(crate) mod rules;

use aloka_core::api::Request;
use aloka_core::time::Instant;
use aloka_core::value::Value;

use self::rules as rule;
use crate::aws::Account;
use crate::aws::ec2::eip::ElasticIp;
use crate::aws::ec2::filter::Filters;
use crate::aws::ec2::instance::Instance;
use crate::aws::ec2::internet_gateway::Gateway;
use crate::aws::ec2::nat_gateway::Nat;
use crate::aws::ec2::route_table::RouteTable;
use crate::aws::ec2::security_group::Group;
use crate::aws::ec2::subnet::Subnet;
use crate::aws::ec2::volume::Volume;
use crate::aws::ec2::vpc::Vpc;
use crate::aws::ec2::vpc_endpoint::VpcEndpoint;
use crate::aws::error::Answer;
use crate::aws::error::IdFormat;
use crate::aws::record::{Record, Tags, Text, object};
use crate::rules::Refusal;

impl Account {
    /// The tags a request gives a new object.
    ///
    /// # Errors
    /// Tags that break a rule.
    pub(crate) fn new_tags(&self, request: &Request) -> Result<Tags, Refusal> {
        let tags = read_tags(request)?;
        self.check_tag_count(&Tags::new(), &tags)?;
        Ok(tags)
    }

    /// Refuses more tags on an object than it may have.
    fn check_tag_count(&self, there: &Tags, more: &Tags) -> Result<(), Refusal> {
        let new = more.keys().filter(|key| !there.contains_key(*key)).count();
        if there.len() + new <= self.quotas.tags {
            return Ok(());
        }
        Err(rule::COUNT.refuse([]))
    }

    /// The tags of an object of EC2, whatever it is.
    fn tags_mut(&mut self, now: Instant, id: &str) -> Result<&mut Tags, Refusal> {
        fn of<'a, R: Record>(account: &'a mut Account, now: Instant, id: &str) -> Result<&'a mut Tags, Refusal> {
            Ok(&mut account.get_mut::<R>(now, id)?.meta_mut().tags)
        }
        match id.split_once('-').map_or("", |(prefix, _)| prefix) {
            "vpc" => of::<Vpc>(self, now, id),
            "subnet" => of::<Subnet>(self, now, id),
            "igw" => of::<Gateway>(self, now, id),
            "eipalloc" => of::<ElasticIp>(self, now, id),
            "nat" => of::<Nat>(self, now, id),
            "rtb" => of::<RouteTable>(self, now, id),
            "vpce" => of::<VpcEndpoint>(self, now, id),
            "sg" => of::<Group>(self, now, id),
            "i" => of::<Instance>(self, now, id),
            "vol" => of::<Volume>(self, now, id),
            "eni" => {
                IdFormat::INTERFACE.check(id)?;
                let interface = self.interfaces.get_mut(id).ok_or_else(|| IdFormat::INTERFACE.missing(id))?;
                Ok(&mut interface.tags)
            }
            _ => Err(rule::IDENTIFIER.refuse([&id])),
        }
    }

    /// The objects whose tags a request sets or deletes.
    fn tagged(&self, request: &Request) -> Result<Vec<Text>, Refusal> {
        let ids = request.texts("Resources");
        if ids.is_empty() {
            return Err(rule::NO_RESOURCES.refuse([]));
        }
        if ids.len() > self.quotas.tagged_at_once {
            return Err(rule::RESOURCES.refuse([&ids.len(), &self.quotas.tagged_at_once]));
        }
        Ok(ids)
    }

    /// Lists tags one by one, of every object of EC2 that calls find: what is deleted keeps them as long as it is listed.
    pub(crate) fn describe_tags(&self, now: Instant, request: &Request) -> Answer {
        let filters = Filters::of_tags(request)?;
        let mut found = Vec::new();
        let mut add = |resource_type: &str, id: &Text, tags: &Tags| {
            for (key, value) in tags {
                let one: Tags = [(key.clone(), value.clone())].into_iter().collect();
                let passes = filters.pass(&one, |filter| match filter {
                    "key" => vec![key.clone()],
                    "value" => value.shared_str().into_iter().collect(),
                    "resource-id" => vec![id.clone()],
                    "resource-type" => vec![resource_type.into()],
                    _ => Vec::new(),
                });
                if passes {
                    found.push(object([
                        ("Key", key.into()),
                        ("ResourceId", id.into()),
                        ("ResourceType", resource_type.into()),
                        ("Value", value.clone()),
                    ]));
                }
            }
        };
        fn of<R: Record>(
            account: &Account,
            now: Instant,
            resource_type: &str,
            add: &mut impl FnMut(&str, &Text, &Tags),
        ) {
            let visible = R::table(account).values().map(R::meta).filter(|meta| meta.visible <= now);
            visible.for_each(|meta| add(resource_type, &meta.id, &meta.tags));
        }
        of::<Vpc>(self, now, "vpc", &mut add);
        of::<Subnet>(self, now, "subnet", &mut add);
        of::<Gateway>(self, now, "internet-gateway", &mut add);
        of::<ElasticIp>(self, now, "elastic-ip", &mut add);
        of::<Nat>(self, now, "natgateway", &mut add);
        of::<RouteTable>(self, now, "route-table", &mut add);
        of::<VpcEndpoint>(self, now, "vpc-endpoint", &mut add);
        of::<Group>(self, now, "security-group", &mut add);
        of::<Instance>(self, now, "instance", &mut add);
        of::<Volume>(self, now, "volume", &mut add);
        for (id, tags) in self.interface_tags(now) {
            add("network-interface", id, tags);
        }
        for attachment in self.attachments.values().filter(|attachment| attachment.meta.visible <= now) {
            add(attachment.resource_type(), &attachment.meta.id, &attachment.meta.tags);
        }
        Ok(object([("Tags", Value::List(found))]))
    }

    /// All of the objects are tagged, or none.
    pub(crate) fn create_tags(&mut self, now: Instant, request: &Request) -> Answer {
        let (ids, tags) = (self.tagged(request)?, read_tags(request)?);
        if tags.is_empty() {
            return Err(rule::MISSING.refuse([]));
        }
        for id in &ids {
            let there = self.tags_mut(now, id)?.clone();
            self.check_tag_count(&there, &tags)?;
        }
        for id in &ids {
            self.tags_mut(now, id)?.extend(tags.clone());
        }
        Ok(object([]))
    }

    /// A key that is not there is no error. Without keys every tag goes.
    pub(crate) fn delete_tags(&mut self, now: Instant, request: &Request) -> Answer {
        let (ids, keys) = (self.tagged(request)?, request.texts("TagKeys"));
        if keys.iter().any(|key| is_reserved(key)) {
            return Err(rule::RESERVED.refuse([]));
        }
        for id in &ids {
            self.tags_mut(now, id)?;
        }
        for id in &ids {
            self.tags_mut(now, id)?.retain(|key, _| !keys.is_empty() && !keys.iter().any(|gone| **gone == **key));
        }
        Ok(object([]))
    }
}

/// The tags of a request, each of them within the rules.
fn read_tags(request: &Request) -> Result<Tags, Refusal> {
    let Some(map) = request.arg("Tags").as_map() else {
        return Err(rule::PLAIN.refuse([]));
    };
    map.iter().try_for_each(|(key, value)| check_tag(key, value))?;
    Ok(map.clone())
}

fn check_tag(key: &str, value: &Value) -> Result<(), Refusal> {
    let Some(value) = value.as_str() else { return Err(rule::PLAIN.refuse([])) };
    if is_reserved(key) {
        return Err(rule::RESERVED.refuse([]));
    }
    if !(1..=128).contains(&key.chars().count()) {
        return Err(rule::KEY_LENGTH.refuse([]));
    }
    if value.chars().count() > 256 {
        return Err(rule::VALUE_LENGTH.refuse([]));
    }
    Ok(())
}

fn is_reserved(key: &str) -> bool {
    key.to_ascii_lowercase().starts_with("aws:")
}
