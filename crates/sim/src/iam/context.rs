//! What a permission is asked for with: condition keys and their values.

use std::collections::BTreeMap;

/// How many values a condition key may have in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arity {
    One,
    Many,
}

/// Condition keys that are modelled. One that is not would never match, and so let a denial pass by.
const KEYS: [(&str, Arity); 33] = [
    ("aws:RequestedRegion", Arity::One),
    ("aws:TagKeys", Arity::Many),
    ("ec2:AllocationId", Arity::One),
    ("ec2:AssociatePublicIpAddress", Arity::One),
    ("ec2:Attribute", Arity::One),
    ("ec2:AvailabilityZone", Arity::One),
    ("ec2:CreateAction", Arity::One),
    ("ec2:Domain", Arity::One),
    ("ec2:Encrypted", Arity::One),
    ("ec2:ImageID", Arity::One),
    ("ec2:InstanceType", Arity::One),
    ("ec2:InternetGatewayID", Arity::One),
    ("ec2:MetadataHttpEndpoint", Arity::One),
    ("ec2:MetadataHttpPutResponseHopLimit", Arity::One),
    ("ec2:MetadataHttpTokens", Arity::One),
    ("ec2:Owner", Arity::One),
    ("ec2:Region", Arity::One),
    ("ec2:RouteTableID", Arity::One),
    ("ec2:SecurityGroupID", Arity::One),
    ("ec2:Subnet", Arity::One),
    ("ec2:SubnetID", Arity::One),
    ("ec2:VolumeID", Arity::One),
    ("ec2:VolumeSize", Arity::One),
    ("ec2:VolumeType", Arity::One),
    ("ec2:Vpc", Arity::One),
    ("ec2:VpcID", Arity::One),
    ("iam:AWSServiceName", Arity::One),
    ("rds:DatabaseClass", Arity::One),
    ("rds:DatabaseEngine", Arity::One),
    ("rds:DatabaseName", Arity::One),
    ("rds:MultiAz", Arity::One),
    ("rds:PubliclyAccessible", Arity::One),
    ("rds:StorageEncrypted", Arity::One),
];

/// Keys that end in the key of a tag.
const TAG_KEYS: [&str; 5] =
    ["aws:RequestTag/", "aws:ResourceTag/", "ec2:ResourceTag/", "rds:db-tag/", "rds:subgrp-tag/"];

/// How many values the key may have; `None` if it is not modelled.
pub(super) fn arity(key: &str) -> Option<Arity> {
    let is_tag = |prefix: &str| {
        key.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) && key.len() > prefix.len()
    };
    if TAG_KEYS.iter().any(|prefix| is_tag(prefix)) {
        return Some(Arity::One);
    }
    KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, arity)| *arity)
}

/// Condition keys and their values. Keys are compared without regard to case, as IAM does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more value under `key`.
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.add(key, value);
        self
    }

    /// Adds a value under `key`.
    pub fn add(&mut self, key: &str, value: impl Into<String>) {
        self.0.entry(key.to_lowercase()).or_default().push(value.into());
    }

    /// The values under `key`; `None` if it is absent.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.0.get(&key.to_lowercase()).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_whatever_their_case() {
        assert_eq!(arity("aws:tagkeys"), Some(Arity::Many));
        assert_eq!(arity("EC2:region"), Some(Arity::One));
        assert_eq!(arity("aws:RequestTag/Name"), Some(Arity::One));
        for unknown in ["aws:RequestTag/", "aws:RequestTag", "aws:SourceIp", "ec2:InstanceProfile", "é", ""] {
            assert_eq!(arity(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn values_gather_under_a_key() {
        let context = Context::new().with("aws:TagKeys", "a").with("AWS:tagkeys", "b");
        assert_eq!(context.get("aws:TagKeys"), Some(["a".to_owned(), "b".to_owned()].as_slice()));
        assert_eq!(context.get("ec2:Region"), None);
    }
}
