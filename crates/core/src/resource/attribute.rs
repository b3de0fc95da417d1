//! Attributes of resources: which AWS computes, which may change in place, how two values compare.
//!
//! Names are those of the Terraform AWS provider, as the state file uses them. What forces a replacement follows the
//! provider's `ForceNew` and CloudFormation's `createOnly` (aws-behaviour.md, 2 and 3.3).

/// What happens when the desired value of an attribute differs from the observed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnChange {
    /// AWS decides the value; never compared.
    Computed,
    /// Changed by calls on the existing object.
    InPlace,
    /// The object must be replaced.
    Replace,
    /// Sent on create and never forced onto what exists.
    CreateOnly,
}

/// How two values of an attribute are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Equal as they stand.
    Exact,
    /// Lists that are equal as sets.
    Set,
    /// Lists of security group rules, equal rule by rule whatever the grouping.
    Rules,
    /// Tag maps; tags with the reserved prefix `aws:` are not ours.
    Tags,
    /// Storage of a database: RDS only grows it, by a tenth at least, and rounds up what it is asked for to that.
    DbStorage,
    /// A PostgreSQL version; a newer minor of the same major is equal, as AWS upgrades minors by itself.
    EngineVersion,
    /// `root_block_device`: only the volume's size, which can only grow.
    RootVolume,
}

/// One attribute of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Name, as in Terraform.
    pub name: &'static str,
    /// What a change does.
    pub on_change: OnChange,
    /// How values compare.
    pub compare: Compare,
}

pub(super) const fn attribute(name: &'static str, on_change: OnChange, compare: Compare) -> Attribute {
    Attribute { name, on_change, compare }
}

pub(super) const fn computed(name: &'static str) -> Attribute {
    attribute(name, OnChange::Computed, Compare::Exact)
}

pub(super) const fn in_place(name: &'static str) -> Attribute {
    attribute(name, OnChange::InPlace, Compare::Exact)
}

pub(super) const fn replace(name: &'static str) -> Attribute {
    attribute(name, OnChange::Replace, Compare::Exact)
}

pub(super) const fn create_only(name: &'static str) -> Attribute {
    attribute(name, OnChange::CreateOnly, Compare::Exact)
}

pub(super) const TAGS: Attribute = attribute("tags", OnChange::InPlace, Compare::Tags);
pub(super) const INGRESS: Attribute = attribute("ingress", OnChange::InPlace, Compare::Rules);
pub(super) const EGRESS: Attribute = attribute("egress", OnChange::InPlace, Compare::Rules);
pub(super) const SECURITY_GROUPS: Attribute = attribute("vpc_security_group_ids", OnChange::InPlace, Compare::Set);
