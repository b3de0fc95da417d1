//! From AWS's objects to attributes: one mapping for what a create answers, what a waiter sees, what a refresh reads.
//!
//! An attribute is set only if the object says something about it, so partial objects can be merged one by one.

use std::sync::Arc;

use super::{ALL_TAGS, OWN_TAGS, Tagging, db_instance};
use crate::intern;
use crate::kind::Kind;
use crate::value::{Value, ValueMap};

/// Where an object stands in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is what it is going to be.
    Ready,
    /// AWS is still at work on it.
    Settling,
    /// It failed and will not recover; AWS's reason.
    Failed(String),
    /// AWS is deleting it.
    Deleting,
    /// It is gone, though still listed.
    Gone,
}

/// What is known of the place the objects are in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The Region.
    pub region: String,
    /// The account, if known.
    pub account: Option<String>,
}

impl Place {
    /// The partition of ARNs in this Region.
    pub fn partition(&self) -> &'static str {
        if self.region.starts_with("cn-") {
            "aws-cn"
        } else if self.region.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }

    /// An ARN in this place; null while the account is unknown.
    pub fn arn(&self, service: &str, resource: &str) -> Value {
        let arn = |account| format!("arn:{}:{service}:{}:{account}:{resource}", self.partition(), self.region);
        self.account.as_ref().map(arn).into()
    }
}

/// The attributes of an object that is in `known` by its place: a route, an association. `None` if it is not there.
pub fn attributes(kind: Kind, known: &ValueMap, object: &Value, place: &Place) -> Option<ValueMap> {
    let definition = kind.definition();
    let mut a = Attributes { object, place, found: Vec::with_capacity(24) };
    (definition.observe)(&mut a, known)?;
    if let Some(tags) = object.at("Tags").filter(|_| definition.tagging != Tagging::None) {
        a.set(OWN_TAGS, tags.clone());
        a.set(ALL_TAGS, tags.clone());
    }
    Some(a.found.into_iter().collect())
}

/// Where the object stands (aws-behaviour.md, 1.11).
pub fn phase(kind: Kind, object: &Value) -> Phase {
    (kind.definition().phase)(object)
}

/// What AWS says of an object that will not become ready.
pub fn why(kind: Kind, object: &Value) -> String {
    let text = |path: &str| object.at(path).and_then(Value::as_str).map(str::to_owned);
    text("StateReason.Message").unwrap_or_else(|| match phase(kind, object) {
        Phase::Failed(why) => why,
        phase => text("DBInstanceStatus").unwrap_or_else(|| format!("{phase:?}").to_lowercase()),
    })
}

/// True if an object of which AWS says this works again once its owner has done something: it is not lost.
pub fn waits_for_its_owner(kind: Kind, why: &str) -> bool {
    kind == Kind::DbInstance && db_instance::STUCK.contains(&why)
}

/// What is taken from a description of an object.
pub struct Attributes<'a> {
    /// The description, or what of it the attributes are in.
    pub(super) object: &'a Value,
    place: &'a Place,
    found: Vec<(Arc<str>, Value)>,
}

impl<'a> Attributes<'a> {
    /// Sets an attribute, unless nothing is said about it.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        if !value.is_null() {
            self.found.push((intern::key(name), value));
        }
    }

    /// Sets attributes from the fields at these paths.
    pub(super) fn copy(&mut self, fields: &[(&str, &str)]) {
        for (name, path) in fields {
            if let Some(value) = self.object.at(path) {
                self.set(name, value.clone());
            }
        }
    }

    /// Sets the ARN of an object of EC2, which follows from its identifier.
    pub(super) fn ec2_arn(&mut self, resource_type: &str) {
        let id = self.found.iter().find(|(name, _)| **name == *"id");
        if let Some(id) = id.and_then(|(_, id)| id.as_str()) {
            let arn = self.place.arn("ec2", &format!("{resource_type}/{id}"));
            self.set("arn", arn);
        }
    }

    /// The item of a list in which `key` is `wanted`: AWS promises no order. The first one if no item says.
    pub(super) fn keyed(&self, list: &str, key: &str, wanted: &Value) -> Option<&'a Value> {
        let items = self.object.get(list).as_list()?;
        items.iter().find(|item| item.get(key) == wanted).or_else(|| items.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The attributes of a reply as a driver has it.
    fn of(kind: Kind, object: serde_json::Value) -> ValueMap {
        let object: Value = serde_json::from_value(object).expect("a value");
        attributes(kind, &ValueMap::new(), &object, &Place::default()).expect("attributes")
    }

    #[test]
    fn items_are_told_by_their_key_and_not_by_their_place() {
        let other = serde_json::json!({"AllocationId": "eipalloc-2", "IsPrimary": false, "PublicIp": "198.51.100.8"});
        let own = serde_json::json!({"AllocationId": "eipalloc-1", "IsPrimary": true, "PublicIp": "198.51.100.7"});
        for addresses in [[&own, &other], [&other, &own]] {
            let nat =
                of(Kind::NatGateway, serde_json::json!({"NatGatewayId": "nat-1", "NatGatewayAddresses": addresses}));
            assert_eq!(nat["allocation_id"], Value::str("eipalloc-1"));
            assert_eq!(nat["public_ip"], Value::str("198.51.100.7"));
        }
        let second = serde_json::json!({"NetworkInterfaceId": "eni-2", "DeviceIndex": 1});
        let first = serde_json::json!({"NetworkInterfaceId": "eni-1", "DeviceIndex": 0});
        for interfaces in [[&first, &second], [&second, &first]] {
            let server = of(Kind::Instance, serde_json::json!({"InstanceId": "i-1", "NetworkInterfaces": interfaces}));
            assert_eq!(server["primary_network_interface_id"], Value::str("eni-1"));
        }
        // Endpoints that do not say.
        let silent = serde_json::json!({"NatGatewayAddresses": [{"AllocationId": "eipalloc-1"}]});
        assert_eq!(of(Kind::NatGateway, silent)["allocation_id"], Value::str("eipalloc-1"));
        assert!(!of(Kind::NatGateway, serde_json::json!({"NatGatewayId": "nat-1"})).contains_key("allocation_id"));
    }
}
