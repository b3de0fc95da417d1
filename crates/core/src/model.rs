//! Resource kinds and their attributes: which AWS computes, which may change in place, how two values compare.
//!
//! Types and attribute names are those of the Terraform AWS provider, as the state file uses them. What forces a
//! replacement follows the provider's `ForceNew` and CloudFormation's `createOnly` (aws-behaviour.md, 2 and 3.3).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A type of resource in the stack. Ordered as the Terraform type names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// `aws_db_instance`
    DbInstance,
    /// `aws_db_subnet_group`
    DbSubnetGroup,
    /// `aws_default_security_group`
    DefaultSecurityGroup,
    /// `aws_eip`
    Eip,
    /// `aws_instance`
    Instance,
    /// `aws_internet_gateway`
    InternetGateway,
    /// `aws_nat_gateway`
    NatGateway,
    /// `aws_route`
    Route,
    /// `aws_route_table`
    RouteTable,
    /// `aws_route_table_association`
    RouteTableAssociation,
    /// `aws_security_group`
    SecurityGroup,
    /// `aws_subnet`
    Subnet,
    /// `aws_vpc`
    Vpc,
}

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

const fn attribute(name: &'static str, on_change: OnChange, compare: Compare) -> Attribute {
    Attribute { name, on_change, compare }
}

const fn computed(name: &'static str) -> Attribute {
    attribute(name, OnChange::Computed, Compare::Exact)
}

const fn in_place(name: &'static str) -> Attribute {
    attribute(name, OnChange::InPlace, Compare::Exact)
}

const fn replace(name: &'static str) -> Attribute {
    attribute(name, OnChange::Replace, Compare::Exact)
}

const fn create_only(name: &'static str) -> Attribute {
    attribute(name, OnChange::CreateOnly, Compare::Exact)
}

const TAGS: Attribute = attribute("tags", OnChange::InPlace, Compare::Tags);
const INGRESS: Attribute = attribute("ingress", OnChange::InPlace, Compare::Rules);
const EGRESS: Attribute = attribute("egress", OnChange::InPlace, Compare::Rules);
const SECURITY_GROUPS: Attribute = attribute("vpc_security_group_ids", OnChange::InPlace, Compare::Set);

const VPC: &[Attribute] = &[
    computed("arn"),
    replace("cidr_block"),
    computed("default_network_acl_id"),
    computed("default_route_table_id"),
    computed("default_security_group_id"),
    computed("dhcp_options_id"),
    in_place("enable_dns_hostnames"),
    in_place("enable_dns_support"),
    computed("id"),
    create_only("instance_tenancy"),
    computed("main_route_table_id"),
    computed("owner_id"),
    TAGS,
];

const SUBNET: &[Attribute] = &[
    computed("arn"),
    replace("availability_zone"),
    computed("availability_zone_id"),
    replace("cidr_block"),
    computed("id"),
    computed("map_public_ip_on_launch"),
    computed("owner_id"),
    TAGS,
    replace("vpc_id"),
];

const INTERNET_GATEWAY: &[Attribute] =
    &[computed("arn"), computed("id"), computed("owner_id"), TAGS, replace("vpc_id")];

const EIP: &[Attribute] = &[
    computed("allocation_id"),
    computed("arn"),
    computed("association_id"),
    replace("domain"),
    computed("id"),
    computed("network_border_group"),
    computed("network_interface"),
    computed("private_ip"),
    computed("public_ip"),
    computed("public_ipv4_pool"),
    TAGS,
];

const NAT_GATEWAY: &[Attribute] = &[
    replace("allocation_id"),
    computed("association_id"),
    replace("connectivity_type"),
    computed("id"),
    computed("network_interface_id"),
    computed("private_ip"),
    computed("public_ip"),
    replace("subnet_id"),
    TAGS,
];

const ROUTE_TABLE: &[Attribute] = &[computed("arn"), computed("id"), computed("owner_id"), TAGS, replace("vpc_id")];

const ROUTE: &[Attribute] = &[
    replace("destination_cidr_block"),
    in_place("gateway_id"),
    computed("id"),
    in_place("nat_gateway_id"),
    computed("origin"),
    replace("route_table_id"),
    computed("state"),
];

const ROUTE_TABLE_ASSOCIATION: &[Attribute] = &[computed("id"), in_place("route_table_id"), replace("subnet_id")];

const DEFAULT_SECURITY_GROUP: &[Attribute] = &[
    computed("arn"),
    computed("description"),
    EGRESS,
    computed("id"),
    INGRESS,
    computed("name"),
    computed("owner_id"),
    TAGS,
    replace("vpc_id"),
];

const SECURITY_GROUP: &[Attribute] = &[
    computed("arn"),
    create_only("description"),
    EGRESS,
    computed("id"),
    INGRESS,
    replace("name"),
    computed("owner_id"),
    TAGS,
    replace("vpc_id"),
];

const DB_SUBNET_GROUP: &[Attribute] = &[
    computed("arn"),
    create_only("description"),
    computed("id"),
    replace("name"),
    attribute("subnet_ids", OnChange::InPlace, Compare::Set),
    TAGS,
    computed("vpc_id"),
];

/// How AWS describes the network interface of a database (aws-behaviour.md, 2.8).
pub const DATABASE_INTERFACE: &str = "RDSNetworkInterface";
/// The attribute of a database that is a secret: never recorded, never shown.
pub const PASSWORD: &str = "password";
/// The attribute of a database that tells whether RDS keeps the master user's password in Secrets Manager.
pub const MANAGE_MASTER_USER_PASSWORD: &str = "manage_master_user_password";

/// The attribute of a database that tells which logs RDS sends to CloudWatch.
pub const LOGS_EXPORTS: &str = "enabled_cloudwatch_logs_exports";

/// Attributes of a database that tell how it is deleted: Terraform's provider records them, and AWS knows nothing of them.
pub const DELETE_AUTOMATED_BACKUPS: &str = "delete_automated_backups";
/// As [`DELETE_AUTOMATED_BACKUPS`].
pub const FINAL_SNAPSHOT_IDENTIFIER: &str = "final_snapshot_identifier";
/// As [`DELETE_AUTOMATED_BACKUPS`].
pub const SKIP_FINAL_SNAPSHOT: &str = "skip_final_snapshot";

/// The attribute of a database that tells whether AWS refuses to delete it.
pub const DELETION_PROTECTION: &str = "deletion_protection";

/// The attribute of a database that tells for how many days automated backups of it are kept.
pub const BACKUP_RETENTION: &str = "backup_retention_period";

/// The attribute of a database that tells up to which size, in GiB, RDS grows its storage by itself; 0 for not at all.
pub const MAX_ALLOCATED_STORAGE: &str = "max_allocated_storage";

const DB_INSTANCE: &[Attribute] = &[
    computed("address"),
    attribute("allocated_storage", OnChange::InPlace, Compare::DbStorage),
    computed("arn"),
    create_only("auto_minor_version_upgrade"),
    computed("availability_zone"),
    in_place(BACKUP_RETENTION),
    in_place("copy_tags_to_snapshot"),
    replace("db_name"),
    replace("db_subnet_group_name"),
    in_place(DELETE_AUTOMATED_BACKUPS),
    in_place(DELETION_PROTECTION),
    attribute(LOGS_EXPORTS, OnChange::InPlace, Compare::Set),
    computed("endpoint"),
    replace("engine"),
    attribute("engine_version", OnChange::InPlace, Compare::EngineVersion),
    computed("engine_version_actual"),
    in_place(FINAL_SNAPSHOT_IDENTIFIER),
    computed("id"),
    replace("identifier"),
    in_place("instance_class"),
    in_place(MANAGE_MASTER_USER_PASSWORD),
    computed("master_user_secret"),
    in_place(MAX_ALLOCATED_STORAGE),
    in_place("multi_az"),
    in_place("password"),
    computed("port"),
    in_place("publicly_accessible"),
    computed("resource_id"),
    in_place(SKIP_FINAL_SNAPSHOT),
    computed("status"),
    create_only("storage_encrypted"),
    create_only("storage_type"),
    TAGS,
    replace("username"),
    SECURITY_GROUPS,
];

const INSTANCE: &[Attribute] = &[
    replace("ami"),
    computed("arn"),
    create_only("associate_public_ip_address"),
    computed("availability_zone"),
    computed("id"),
    computed("instance_state"),
    in_place("instance_type"),
    create_only("metadata_options"),
    computed("primary_network_interface_id"),
    computed("private_dns"),
    computed("private_ip"),
    computed("public_dns"),
    computed("public_ip"),
    attribute("root_block_device", OnChange::InPlace, Compare::RootVolume),
    replace("subnet_id"),
    TAGS,
    replace("user_data"),
    SECURITY_GROUPS,
];

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::DbInstance,
        Self::DbSubnetGroup,
        Self::DefaultSecurityGroup,
        Self::Eip,
        Self::Instance,
        Self::InternetGateway,
        Self::NatGateway,
        Self::Route,
        Self::RouteTable,
        Self::RouteTableAssociation,
        Self::SecurityGroup,
        Self::Subnet,
        Self::Vpc,
    ];

    /// The Terraform resource type.
    pub const fn terraform_type(self) -> &'static str {
        match self {
            Self::DbInstance => "aws_db_instance",
            Self::DbSubnetGroup => "aws_db_subnet_group",
            Self::DefaultSecurityGroup => "aws_default_security_group",
            Self::Eip => "aws_eip",
            Self::Instance => "aws_instance",
            Self::InternetGateway => "aws_internet_gateway",
            Self::NatGateway => "aws_nat_gateway",
            Self::Route => "aws_route",
            Self::RouteTable => "aws_route_table",
            Self::RouteTableAssociation => "aws_route_table_association",
            Self::SecurityGroup => "aws_security_group",
            Self::Subnet => "aws_subnet",
            Self::Vpc => "aws_vpc",
        }
    }

    /// The kind of a Terraform resource type.
    pub fn from_terraform_type(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.terraform_type() == text)
    }

    /// The schema version the Terraform AWS provider 5.100 writes for this type (fixtures/terraform-aws).
    pub const fn schema_version(self) -> u64 {
        match self {
            Self::DbInstance => 2,
            Self::DefaultSecurityGroup | Self::Instance | Self::SecurityGroup | Self::Subnet | Self::Vpc => 1,
            Self::DbSubnetGroup
            | Self::Eip
            | Self::InternetGateway
            | Self::NatGateway
            | Self::Route
            | Self::RouteTable
            | Self::RouteTableAssociation => 0,
        }
    }

    /// Settings of the Terraform provider itself, which it records among the attributes and AWS knows nothing of, with
    /// their defaults (provider 5.100): without them Terraform would plan to set them.
    pub const fn provider_settings(self) -> &'static [(&'static str, bool)] {
        match self {
            Self::DbInstance => &[("apply_immediately", false)],
            Self::DefaultSecurityGroup | Self::SecurityGroup => &[("revoke_rules_on_delete", false)],
            Self::Instance => &[("get_password_data", false), ("user_data_replace_on_change", false)],
            Self::DbSubnetGroup
            | Self::Eip
            | Self::InternetGateway
            | Self::NatGateway
            | Self::Route
            | Self::RouteTable
            | Self::RouteTableAssociation
            | Self::Subnet
            | Self::Vpc => &[],
        }
    }

    /// The attributes of this kind, sorted by name.
    pub const fn attributes(self) -> &'static [Attribute] {
        match self {
            Self::DbInstance => DB_INSTANCE,
            Self::DbSubnetGroup => DB_SUBNET_GROUP,
            Self::DefaultSecurityGroup => DEFAULT_SECURITY_GROUP,
            Self::Eip => EIP,
            Self::Instance => INSTANCE,
            Self::InternetGateway => INTERNET_GATEWAY,
            Self::NatGateway => NAT_GATEWAY,
            Self::Route => ROUTE,
            Self::RouteTable => ROUTE_TABLE,
            Self::RouteTableAssociation => ROUTE_TABLE_ASSOCIATION,
            Self::SecurityGroup => SECURITY_GROUP,
            Self::Subnet => SUBNET,
            Self::Vpc => VPC,
        }
    }

    /// The attribute called `name`, if the kind has it.
    pub fn attribute(self, name: &str) -> Option<&'static Attribute> {
        self.attributes().iter().find(|attribute| attribute.name == name)
    }

    /// The attribute by which AWS itself tells objects of this kind apart in an account and Region.
    pub const fn name_attribute(self) -> Option<&'static str> {
        match self {
            Self::DbInstance => Some("identifier"),
            Self::DbSubnetGroup => Some("name"),
            Self::DefaultSecurityGroup
            | Self::Eip
            | Self::Instance
            | Self::InternetGateway
            | Self::NatGateway
            | Self::Route
            | Self::RouteTable
            | Self::RouteTableAssociation
            | Self::SecurityGroup
            | Self::Subnet
            | Self::Vpc => None,
        }
    }

    /// True if the attribute is a secret, in the provider's schema: never written, never shown.
    pub fn is_secret(self, attribute: &str) -> bool {
        self == Self::DbInstance && matches!(attribute, PASSWORD | "password_wo")
    }

    /// True if a change of the attribute is recorded and nothing else: AWS knows nothing of it.
    pub fn is_recorded_only(self, attribute: &str) -> bool {
        const NAMES: [&str; 3] = [DELETE_AUTOMATED_BACKUPS, FINAL_SNAPSHOT_IDENTIFIER, SKIP_FINAL_SNAPSHOT];
        self == Self::DbInstance && NAMES.contains(&attribute)
    }

    /// True if AWS keeps tags on objects of this kind.
    pub fn is_taggable(self) -> bool {
        self.attribute("tags").is_some()
    }
}

/// The kind of an EC2 object, by its identifier. Other services and emulators name the types of tagged resources
/// differently, the prefixes of identifiers are the same everywhere.
pub fn kind_of_id(id: &str) -> Option<Kind> {
    let (prefix, _) = id.split_once('-')?;
    match prefix {
        "vpc" => Some(Kind::Vpc),
        "subnet" => Some(Kind::Subnet),
        "igw" => Some(Kind::InternetGateway),
        "eipalloc" => Some(Kind::Eip),
        "nat" => Some(Kind::NatGateway),
        "rtb" => Some(Kind::RouteTable),
        "sg" => Some(Kind::SecurityGroup),
        "i" => Some(Kind::Instance),
        _ => None,
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.terraform_type())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_ordered_as_their_types_and_found_by_them() {
        assert!(Kind::ALL.is_sorted_by_key(|kind| kind.terraform_type()));
        for kind in Kind::ALL {
            assert_eq!(Kind::from_terraform_type(kind.terraform_type()), Some(kind));
            assert!(kind.attributes().is_sorted_by_key(|attribute| attribute.name), "{kind}");
        }
    }
}
